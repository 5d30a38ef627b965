//! Geometry of the report's drawings: a layered graph, and lines over axes. Numbers only; text and colours are the template's.

use serde::Serialize;

use crate::graph::Drawing;

const WIDTH: f64 = 168.0;
const HEIGHT: f64 = 34.0;
const COLUMN: f64 = 232.0;
const ROW: f64 = 50.0;
const MARGIN: f64 = 12.0;

/// A drawn graph.
#[derive(Debug, Serialize)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Place>,
    pub(super) paths: Vec<Path>,
}

/// Where a vertex stands.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) name: String,
    /// The name, cut to what fits.
    pub(super) label: String,
    pub(super) kind: String,
}

/// A line between two vertices.
#[derive(Debug, Serialize)]
pub(super) struct Path {
    pub(super) d: String,
    pub(super) broken: bool,
}

/// Lays a graph out from left to right; each vertex stands right of all that comes before it.
pub(super) fn layered(drawing: &Drawing) -> Layout {
    let count = drawing.vertices.len();
    let lines = reduced(drawing);
    let mut layer = vec![0_usize; count];
    // Vertices stand in an order in which lines lead forwards.
    for _ in 0..count {
        let mut moved = false;
        for &(from, to, _) in &lines {
            if layer[to] <= layer[from] && layer[from] < count {
                layer[to] = layer[from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    // A line over several layers has a point of its own in each, so that it is led around boxes.
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let mut total = count;
    for &(from, to, _) in &lines {
        let mut chain = vec![from];
        for between in layer[from] + 1..layer[to] {
            layer.push(between);
            chain.push(total);
            total += 1;
        }
        chain.push(to);
        chains.push(chain);
    }
    let depth = layer.iter().copied().max().map_or(0, |deepest| deepest + 1);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); depth];
    for (at, &column) in layer.iter().enumerate() {
        columns[column].push(at);
    }
    let mut near: Vec<(Vec<usize>, Vec<usize>)> = vec![Default::default(); total];
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        near[pair[0]].1.push(pair[1]);
        near[pair[1]].0.push(pair[0]);
    }
    let mut place = vec![0.0_f64; total];
    let settle = |columns: &[Vec<usize>], place: &mut Vec<f64>| {
        for column in columns {
            for (row, &at) in column.iter().enumerate() {
                place[at] = row as f64 - (column.len() as f64 - 1.0) / 2.0;
            }
        }
    };
    settle(&columns, &mut place);
    for sweep in 0..8 {
        let forwards = sweep % 2 == 0;
        let order: Vec<usize> = if forwards { (0..depth).collect() } else { (0..depth).rev().collect() };
        for column in order {
            let weight = |at: usize| {
                let others = if forwards { &near[at].0 } else { &near[at].1 };
                if others.is_empty() {
                    return place[at];
                }
                others.iter().map(|&other| place[other]).sum::<f64>() / others.len() as f64
            };
            let mut weighed: Vec<(f64, usize)> = columns[column].iter().map(|&at| (weight(at), at)).collect();
            weighed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            columns[column] = weighed.into_iter().map(|(_, at)| at).collect();
            settle(&columns, &mut place);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let middle = MARGIN + HEIGHT / 2.0 + (tallest as f64 - 1.0) / 2.0 * ROW;
    let at = |vertex: usize| (MARGIN + layer[vertex] as f64 * COLUMN, middle + place[vertex] * ROW);
    let boxes = drawing
        .vertices
        .iter()
        .enumerate()
        .map(|(index, vertex)| {
            let (x, y) = at(index);
            Place {
                x,
                y: y - HEIGHT / 2.0,
                width: WIDTH,
                height: HEIGHT,
                name: vertex.name.clone(),
                label: cut(&vertex.name, 22),
                kind: vertex.kind.clone(),
            }
        })
        .collect();
    let paths = chains
        .iter()
        .zip(&lines)
        .map(|(chain, &(_, _, broken))| {
            let mut d = String::new();
            for (index, pair) in chain.windows(2).enumerate() {
                let ((x1, y1), (x2, y2)) = (at(pair[0]), at(pair[1]));
                let x1 = x1 + WIDTH;
                if index == 0 {
                    d.push_str(&format!("M{x1:.1} {y1:.1}"));
                }
                let bend = (x2 - x1) / 2.0;
                d.push_str(&format!(" C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + bend, x2 - bend));
                if index + 2 < chain.len() {
                    d.push_str(&format!(" H{:.1}", x2 + WIDTH));
                }
            }
            Path { d, broken }
        })
        .collect();
    Layout {
        width: MARGIN * 2.0 + (depth.max(1) as f64 - 1.0) * COLUMN + WIDTH,
        height: MARGIN * 2.0 + HEIGHT + (tallest as f64 - 1.0) * ROW,
        boxes,
        paths,
    }
}

/// Returns the lines that no way over other vertices stands for.
fn reduced(drawing: &Drawing) -> Vec<(usize, usize, bool)> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); drawing.vertices.len()];
    for line in &drawing.lines {
        if line.from != line.to && !next[line.from].contains(&line.to) {
            next[line.from].push(line.to);
        }
    }
    let around = |from: usize, to: usize| {
        let mut left: Vec<usize> = next[from].iter().copied().filter(|&at| at != to).collect();
        let mut seen = vec![false; next.len()];
        while let Some(at) = left.pop() {
            if at == to {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                left.extend(next[at].iter().copied());
            }
        }
        false
    };
    let mut found: Vec<(usize, usize, bool)> = Vec::new();
    for line in &drawing.lines {
        let known = found.iter().any(|&(from, to, _)| (from, to) == (line.from, line.to));
        if line.from != line.to && !known && !around(line.from, line.to) {
            found.push((line.from, line.to, line.broken));
        }
    }
    found
}

/// Cuts a text to a number of characters.
pub(super) fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// Lines over two axes.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x_name: String,
    pub(super) x_low: String,
    pub(super) x_high: String,
    pub(super) y_low: String,
    pub(super) y_high: String,
    pub(super) series: Vec<Series>,
    /// A line from corner to corner: what guessing gives.
    pub(super) diagonal: bool,
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) d: String,
    pub(super) dots: Vec<Dot>,
}

/// A point worth a mark.
#[derive(Debug, Serialize)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
}

/// The plot's inner size; the template draws around it.
pub(super) const PLOT: (f64, f64) = (340.0, 170.0);

/// Draws series of points; `None` where nothing can be drawn.
pub(super) fn chart(
    title: &str,
    x_name: &str,
    series: &[(String, Vec<(f64, f64)>)],
    unit: bool,
    dots: bool,
) -> Option<Chart> {
    let points = || series.iter().flat_map(|(_, points)| points).filter(|(x, y)| x.is_finite() && y.is_finite());
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        (low, high)
    };
    let ((x_low, x_high), (y_low, y_high)) = if unit {
        ((0.0, 1.0), (0.0, 1.0))
    } else {
        (range(&mut points().map(|(x, _)| *x)), range(&mut points().map(|(_, y)| *y)))
    };
    if !(x_low.is_finite() && y_low.is_finite()) {
        return None;
    }
    let scale = |value: f64, low: f64, high: f64, size: f64| {
        if high > low { (value - low) / (high - low) * size } else { size / 2.0 }
    };
    let series = series
        .iter()
        .map(|(name, points)| {
            let placed: Vec<(f64, f64, f64)> = points
                .iter()
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .map(|&(x, y)| (scale(x, x_low, x_high, PLOT.0), PLOT.1 - scale(y, y_low, y_high, PLOT.1), y))
                .collect();
            let step = (placed.len() / 400).max(1);
            let d = placed
                .iter()
                .enumerate()
                .filter(|(index, _)| index % step == 0 || index + 1 == placed.len())
                .map(|(index, (x, y, _))| format!("{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" }))
                .collect::<Vec<_>>()
                .join(" ");
            let marks = if dots { placed.as_slice() } else { &[] };
            let tenth = |value: f64| (value * 10.0).round() / 10.0;
            let dots =
                marks.iter().map(|&(x, y, value)| Dot { x: tenth(x), y: tenth(y), text: short(value) }).collect();
            Series { name: name.clone(), d, dots }
        })
        .collect();
    Some(Chart {
        title: title.to_owned(),
        x_name: x_name.to_owned(),
        x_low: short(x_low),
        x_high: short(x_high),
        y_low: short(y_low),
        y_high: short(y_high),
        series,
        diagonal: unit,
    })
}

/// Writes a number with few digits.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        // Five digits that mean something: more than that leaves its chart.
        let whole = value.abs().log10().floor();
        let decimals = if value == 0.0 || whole < 0.0 { 4 } else { (4.0 - whole).max(0.0) as usize };
        let text = format!("{value:.decimals$}");
        if decimals == 0 {
            return text;
        }
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    format!("{value:.2e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Line, Shape, Vertex};

    fn drawing(count: usize, lines: &[(usize, usize)]) -> Drawing {
        Drawing {
            name: "p".into(),
            vertices: (0..count)
                .map(|index| Vertex { name: format!("n{index}"), kind: "stage".into(), shape: Shape::Box })
                .collect(),
            lines: lines.iter().map(|&(from, to)| Line { from, to, text: String::new(), broken: false }).collect(),
        }
    }

    #[test]
    fn boxes_never_overlap_and_lines_lead_to_the_right() {
        let lines: Vec<(usize, usize)> =
            (1..50).map(|to| (to / 3, to)).chain((10..40).map(|from| (from, from + 9))).collect();
        let layout = layered(&drawing(50, &lines));
        for (index, one) in layout.boxes.iter().enumerate() {
            assert!(
                one.x >= 0.0
                    && one.y >= 0.0
                    && one.x + one.width <= layout.width
                    && one.y + one.height <= layout.height
            );
            for other in &layout.boxes[..index] {
                let apart = (one.x - other.x).abs() >= one.width || (one.y - other.y).abs() >= one.height;
                assert!(apart, "{} and {}", one.name, other.name);
            }
        }
        for (from, to) in lines {
            assert!(layout.boxes[from].x < layout.boxes[to].x);
        }
    }

    #[test]
    fn a_line_that_a_way_stands_for_is_left_out() {
        assert_eq!(layered(&drawing(3, &[(0, 1), (1, 2), (0, 2)])).paths.len(), 2);
    }

    #[test]
    fn a_chart_fills_its_plot_and_leaves_out_what_is_no_number() {
        let chart = chart("t", "x", &[("a".into(), vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)])], false, true)
            .expect("points");
        assert_eq!(chart.series[0].d, "M0.0 170.0 L340.0 0.0");
        assert_eq!((chart.y_low.as_str(), chart.y_high.as_str()), ("1", "3"));
        assert!(super::chart("t", "x", &[("a".into(), vec![])], false, false).is_none());
    }

    #[test]
    fn numbers_beside_a_chart_have_few_digits() {
        let texts = [0.0, 0.93125, -0.5, 12.3456, 1234.5678, 123_456.789, 100_000.0, 2e6, 1e-5].map(super::short);
        assert_eq!(texts, ["0", "0.9313", "-0.5", "12.346", "1234.6", "123457", "100000", "2.00e6", "1.00e-5"]);
    }
}
