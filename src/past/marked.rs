//! Outputs of type `Plot` as Markdown that GitHub renders: a confusion matrix as a table, curves as a Mermaid chart.

use super::plots::{Curves, Matrix, What, read};
use crate::gate::render::code;
use crate::gate::{Unit, number_text};

/// Points of a curve that a chart of Mermaid still shows apart.
const POINTS: usize = 21;

/// Largest number that a chart is made of: beyond it the digits before the point fill the axis.
const LARGEST: f64 = 1e12;

/// Least distance of the ends of an axis: below it the digits that are written would be the same.
const SMALLEST: f64 = 1e-8;

/// Writes a plot; `Err` says in words why it can't be drawn in a comment.
pub fn marked(name: &str, bytes: &[u8]) -> Result<String, String> {
    let held = read(bytes)?;
    let mut text = match &held.what {
        What::Picture(kind) => return Err(format!("it is a picture, `{kind}`")),
        What::Matrix(matrix) => table(matrix),
        What::Curves(curves) => chart(name, curves)?,
    };
    if let Some(note) = held.note {
        text.push_str(&format!("\n{note}.\n"));
    }
    Ok(text)
}

fn table(matrix: &Matrix) -> String {
    let labels: Vec<String> = matrix.labels.iter().map(|label| code(label)).collect();
    let mut text =
        format!("| actual \\\\ predicted | {} |\n|---|{}\n", labels.join(" | "), "---:|".repeat(labels.len()));
    for (label, row) in labels.iter().zip(&matrix.rows) {
        let cells: Vec<String> =
            row.iter().map(|cell| format!("{} ({} %)", number_text(Unit::Number, cell.count), cell.share)).collect();
        text.push_str(&format!("| {label} | {} |\n", cells.join(" | ")));
    }
    text
}

/// Writes curves as a chart whose points stand at even distances, which is all that it can do.
fn chart(name: &str, curves: &Curves) -> Result<String, String> {
    let mut series = curves.series.clone();
    for (name, points) in &mut series {
        if points.iter().any(|(x, y)| !(x.is_finite() && y.is_finite())) {
            return Err(format!("{} has a point that is no finite number", code(name)));
        }
        if points.iter().any(|(x, y)| x.abs() > LARGEST || y.abs() > LARGEST) {
            return Err(format!("{} has a number beyond {LARGEST:e}", code(name)));
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let xs: Vec<f64> = series.first().map(|(_, points)| points.iter().map(|(x, _)| *x).collect()).unwrap_or_default();
    let (Some(&low), Some(&high)) = (xs.first(), xs.last()) else { return Err("it has no points".to_owned()) };
    if low >= high {
        return Err("it has no two points beside each other".to_owned());
    }
    let at = if is_even(&xs) { xs } else { (0..POINTS).map(|nth| between(low, high, nth, POINTS - 1)).collect() };
    let mut lines: Vec<Vec<f64>> =
        series.iter().map(|(_, points)| at.iter().map(|&x| height(points, x)).collect()).collect();
    let (mut bottom, mut top) = (0.0, 1.0);
    if curves.unit {
        if series
            .iter()
            .flat_map(|(_, points)| points)
            .any(|(x, y)| !(0.0..=1.0).contains(x) || !(0.0..=1.0).contains(y))
        {
            return Err("a rate of it is not between 0 and 1".to_owned());
        }
        lines.push(at.clone());
    } else {
        bottom = lines.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        top = lines.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        if bottom >= top {
            let around = (top.abs() / 10.0).max(0.5);
            (bottom, top) = (bottom - around, top + around);
        }
    }
    let decimals = |low: f64, high: f64| match (high - low).min(low.abs().max(high.abs())) {
        size if size < SMALLEST => Err("its numbers are too near to each other".to_owned()),
        size => Ok((4.0 - size.log10().floor()).clamp(0.0, 12.0) as usize),
    };
    let (x, y) = (decimals(low, high)?, decimals(bottom, top)?);
    let y_name = if let [(one, _)] = series.as_slice() { quoted(one) } else { String::new() };
    let mut text = format!(
        "```mermaid\nxychart-beta\n  title \"{}\"\n  x-axis {}{} --> {}\n  y-axis {y_name}{} --> {}\n",
        plain(name),
        quoted(&curves.x_name),
        fixed(low, x),
        fixed(high, x),
        fixed(bottom, y),
        fixed(top, y)
    );
    for line in &lines {
        let heights: Vec<String> = line.iter().map(|&height| fixed(height, y)).collect();
        text.push_str(&format!("  line [{}]\n", heights.join(", ")));
    }
    text.push_str("```\n");
    if curves.unit {
        text.push_str("\nThe straight line is what guessing gives.\n");
    } else if series.len() > 1 {
        let names: Vec<String> = series.iter().map(|(name, _)| code(name)).collect();
        text.push_str(&format!("\nLines in this order: {}.\n", names.join(", ")));
    }
    Ok(text)
}

/// Returns the place of the `nth` of `steps` between two ends.
fn between(low: f64, high: f64, nth: usize, steps: usize) -> f64 {
    low + (high - low) * (nth as f64 / steps as f64)
}

/// Tells whether points stand at even distances already, and are few enough.
fn is_even(xs: &[f64]) -> bool {
    let (low, high) = (xs[0], xs[xs.len() - 1]);
    let steps = xs.len() - 1;
    let near = |(nth, x): (usize, &f64)| (x - between(low, high, nth, steps)).abs() <= (high - low) * 1e-6;
    xs.len() <= POINTS && xs.iter().enumerate().all(near)
}

/// Returns the height of a curve between its points, which stand in order; of several at one place that of the last.
fn height(points: &[(f64, f64)], x: f64) -> f64 {
    let behind = points.partition_point(|(at, _)| *at <= x);
    match (behind.checked_sub(1).map(|before| points[before]), points.get(behind)) {
        (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * ((x - x0) / (x1 - x0)),
        (Some((_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => 0.0,
    }
}

/// Writes a number as Mermaid reads it, which knows no exponents.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Leaves of a name what means nothing to Mermaid between quotes.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || " _-.,()[]/".contains(*c)).take(60).collect()
}

/// Writes the name of an axis; an empty one would be an error to Mermaid.
fn quoted(name: &str) -> String {
    let name = plain(name);
    if name.trim().is_empty() { String::new() } else { format!("\"{name}\" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confusion_matrix_is_a_table_in_which_text_stays_text() {
        let text = marked("e.c", b"actual,predicted,count\n0,0,90\n0,1,10\n1,0,3\n1,1,9\n").expect("drawn");
        insta::assert_snapshot!(text, @r"
        | actual \\ predicted | `0` | `1` |
        |---|---:|---:|
        | `0` | 90 (90 %) | 10 (10 %) |
        | `1` | 3 (25 %) | 9 (75 %) |
        ");
        let foul = marked("e.c", b"actual,predicted\n@you|`<b>`,@you|`<b>`\n").expect("drawn");
        assert!(foul.contains("`` @you\\|`<b>` ``"), "{foul}");
        assert!(marked("e.c", b"actual,predicted,count\n0,0,-1\n").is_err());
        let classes: String = (0..30).map(|class| format!("{class},{class}\n")).collect();
        let many = marked("e.c", format!("actual,predicted\n{classes}").as_bytes());
        assert_eq!(many, Err("it has 30 classes, and 24 are the most".to_owned()));
    }

    #[test]
    fn a_roc_curve_is_resampled_and_stands_beside_what_guessing_gives() {
        let text = marked("e.roc", b"fpr,tpr\n0,0\n0,0.4\n0.1,0.8\n1,1\n").expect("drawn");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..5],
            [
                "```mermaid",
                "xychart-beta",
                "  title \"e.roc\"",
                "  x-axis \"false positive rate\" 0 --> 1",
                "  y-axis \"true positive rate\" 0 --> 1"
            ]
        );
        assert!(lines[5].starts_with("  line [0.4, 0.6, 0.8, 0.81"), "{text}");
        assert_eq!(lines[5].split(", ").count(), POINTS);
        assert!(lines[6].starts_with("  line [0, 0.05, 0.1") && lines[7] == "```", "{text}");
        assert!(marked("e.roc", b"fpr,tpr\n0,0\n2,1\n").is_err());
    }

    #[test]
    fn few_even_points_stay_as_they_are_and_each_line_is_named() {
        let text = marked("t.c", b"epoch,loss,\"a\"\"`x\"\n1,3,1e-5\n2,2,2\n3,1.25,-3\n").expect("drawn");
        insta::assert_snapshot!(text, @r#"
        ```mermaid
        xychart-beta
          title "t.c"
          x-axis "epoch" 1 --> 3
          y-axis -3 --> 3
          line [3, 2, 1.25]
          line [0, 2, -3]
        ```

        Lines in this order: `loss`, `` a"`x ``.
        "#);
        let flat = marked("t.c", b"epoch,loss\n1,3\n2,3\n").expect("drawn");
        let unnamed = marked("t.c", b"$,loss\n1,3\n2,3\n").expect("drawn");
        assert!(unnamed.contains("\n  x-axis 1 --> 2\n"), "{unnamed}");
        assert!(flat.contains("y-axis \"loss\" 2.5 --> 3.5"), "{flat}");
    }

    #[test]
    fn what_is_no_curve_is_said_and_not_drawn() {
        let why = |text: &str| marked("t.c", text.as_bytes()).expect_err(text);
        assert_eq!(why("epoch,loss\n1,2\n2,NaN\n"), "`loss` has a point that is no finite number");
        assert_eq!(why("epoch,loss\n1,2\n2,1e300\n"), "`loss` has a number beyond 1e12");
        assert_eq!(why("epoch,loss\n1,2e-20\n2,3e-20\n"), "its numbers are too near to each other");
        assert_eq!(why("epoch,loss\n1,2\n"), "it has no two points beside each other");
        assert_eq!(why("name\nada\n"), "no two columns of it are numbers");
        assert_eq!(marked("t.c", b"\x89PNG\r\n"), Err("it is a picture, `image/png`".to_owned()));
        assert_eq!(plain("a\"b`\n%%{x}"), "abx");
    }
}
