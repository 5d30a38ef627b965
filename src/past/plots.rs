//! Outputs of type `Plot` as drawings: curves and confusion matrices out of CSV or JSON, pictures as they are.

use serde::Serialize;
use serde_json::Value;

use super::svg::{Chart, chart, cut};

/// What a file of type `Plot` holds.
pub(super) struct Held {
    pub(super) what: What,
    /// What of it is left out.
    pub(super) note: Option<String>,
}

/// In which form it is read.
pub(super) enum What {
    /// A picture, by its media type.
    Picture(&'static str),
    Matrix(Matrix),
    Curves(Curves),
}

/// Series of points over one axis.
pub(super) struct Curves {
    pub(super) x_name: String,
    pub(super) series: Vec<(String, Vec<(f64, f64)>)>,
    /// Both axes go from 0 to 1, and guessing gives the line from corner to corner.
    pub(super) unit: bool,
}

/// A plot, in one of the forms that the report draws.
#[derive(Debug, Default, Serialize)]
pub(super) struct Plot {
    pub(super) name: String,
    pub(super) chart: Option<Chart>,
    pub(super) matrix: Option<Matrix>,
    /// A picture, as a `data:` address.
    pub(super) picture: Option<String>,
}

/// How often what was taken for what.
#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    pub(super) labels: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Cell {
    pub(super) count: f64,
    /// Its share of its row, in percent: how strongly it is coloured.
    pub(super) share: u32,
}

/// Largest picture that is taken in, in bytes.
const PICTURE: usize = 2 << 20;

/// Classes of a confusion matrix beyond which it is no picture any more.
const CLASSES: usize = 24;

/// Rows of a table that are looked at.
const ROWS: usize = 100_000;

struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Rows that there are beside.
    left_out: usize,
}

/// Makes a drawing of a file; nothing where it can't be drawn.
pub(super) fn plot(name: &str, bytes: &[u8]) -> Option<Plot> {
    let found = Plot { name: name.to_owned(), ..Plot::default() };
    match read(bytes).ok()?.what {
        What::Picture(kind) => {
            let picture = (bytes.len() <= PICTURE).then(|| format!("data:{kind};base64,{}", base64(bytes)))?;
            Some(Plot { picture: Some(picture), ..found })
        }
        What::Matrix(matrix) => Some(Plot { matrix: Some(matrix), ..found }),
        What::Curves(curves) => chart(name, &curves.x_name, &curves.series, curves.unit, false)
            .map(|chart| Plot { chart: Some(chart), ..found }),
    }
}

/// Reads a file by what it holds; `Err` says in words why nothing is drawn of it.
pub(super) fn read(bytes: &[u8]) -> Result<Held, String> {
    if let Some(kind) = picture(bytes) {
        return Ok(Held { what: What::Picture(kind), note: None });
    }
    let unknown = || "it holds no table".to_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| "it is neither text nor a picture".to_owned())?;
    let table = match text.trim_start().chars().next() {
        Some('[' | '{') => {
            let json = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
            from_json(&json).ok_or_else(unknown)?
        }
        _ => from_csv(text).ok_or_else(unknown)?,
    };
    let rows = |count: usize| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let note = (table.left_out > 0).then(|| format!("{} of it left out", rows(table.left_out)));
    let what = match confusion(&table) {
        Some(matrix) => What::Matrix(matrix?),
        None => What::Curves(curves(&table).ok_or_else(|| "no two columns of it are numbers".to_owned())?),
    };
    Ok(Held { what, note })
}

fn picture(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG") {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
    // As a picture, what is in it neither runs nor fetches.
    (head.trim_start().starts_with('<') && head.contains("<svg")).then_some("image/svg+xml")
}

fn from_csv(text: &str) -> Option<Table> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    let separator = if first.contains('\t') && !first.contains(',') { '\t' } else { ',' };
    let columns = fields(first, separator);
    let (mut rows, mut left_out) = (Vec::new(), 0);
    for line in lines {
        let row = if rows.len() < ROWS { fields(line, separator) } else { Vec::new() };
        if row.len() == columns.len() {
            rows.push(row);
        } else {
            left_out += 1;
        }
    }
    (!rows.is_empty()).then_some(Table { columns, rows, left_out })
}

fn fields(line: &str, separator: char) -> Vec<String> {
    let (mut found, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => found.push(std::mem::take(&mut field).trim().to_owned()),
            c => field.push(c),
        }
    }
    found.push(field.trim().to_owned());
    found
}

/// Takes a list of records, or the first one that a field of an object holds.
fn from_json(json: &Value) -> Option<Table> {
    let records = match json {
        Value::Array(records) => records,
        Value::Object(fields) => match columns_of(fields) {
            Some(table) => return Some(table),
            None => {
                fields.values().find_map(|value| value.as_array().filter(|list| list.iter().all(Value::is_object)))?
            }
        },
        _ => return None,
    };
    let columns: Vec<String> = records.first()?.as_object()?.keys().cloned().collect();
    let cell = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let rows = records.iter().take(ROWS).map(|record| columns.iter().map(|column| cell(record.get(column))).collect());
    Some(Table { rows: rows.collect(), columns, left_out: records.len().saturating_sub(ROWS) })
}

/// Takes `{"fpr": [0, 1], "tpr": [0, 1]}`.
fn columns_of(fields: &serde_json::Map<String, Value>) -> Option<Table> {
    let lists: Vec<(&String, &Vec<Value>)> = fields
        .iter()
        .filter_map(|(name, value)| {
            Some((name, value.as_array().filter(|list| !list.is_empty() && list.iter().all(Value::is_number))?))
        })
        .collect();
    let length = lists.first()?.1.len();
    let lists: Vec<_> = lists.into_iter().filter(|(_, list)| list.len() == length).collect();
    (lists.len() >= 2).then(|| Table {
        columns: lists.iter().map(|(name, _)| (*name).clone()).collect(),
        rows: (0..length).map(|row| lists.iter().map(|(_, list)| list[row].to_string()).collect()).collect(),
        left_out: 0,
    })
}

fn column(table: &Table, names: &[&str]) -> Option<usize> {
    table.columns.iter().position(|column| names.contains(&column.to_lowercase().as_str()))
}

/// Reads a confusion matrix, where the columns are those of one; `Err` where it has too many classes, or a count is none.
fn confusion(table: &Table) -> Option<Result<Matrix, String>> {
    let actual = column(table, &["actual", "actual_class", "truth", "y_true", "label", "true"])?;
    let predicted = column(table, &["predicted", "predicted_class", "prediction", "y_pred", "pred"])?;
    let count = column(table, &["count", "n"]);
    let mut labels: Vec<String> =
        table.rows.iter().flat_map(|row| [row[actual].clone(), row[predicted].clone()]).collect();
    labels.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    });
    labels.dedup();
    if labels.len() > CLASSES {
        return Some(Err(format!("it has {} classes, and {CLASSES} are the most", labels.len())));
    }
    let mut counts = vec![vec![0.0; labels.len()]; labels.len()];
    for row in &table.rows {
        let at = |text: &String| labels.iter().position(|label| label == text);
        let (Some(actual), Some(predicted)) = (at(&row[actual]), at(&row[predicted])) else { continue };
        let number = count.map_or(Ok(1.0), |count| row[count].parse::<f64>());
        match number {
            Ok(number) if number.is_finite() && number >= 0.0 => counts[actual][predicted] += number,
            _ => return Some(Err("a count of it is no number from 0 on".to_owned())),
        }
    }
    let rows = counts
        .into_iter()
        .map(|row| {
            let total: f64 = row.iter().sum();
            let share = |count: f64| if total > 0.0 { (count / total * 100.0).round() as u32 } else { 0 };
            row.into_iter().map(|count| Cell { count, share: share(count) }).collect()
        })
        .collect();
    Some(Ok(Matrix { labels: labels.iter().map(|label| cut(label, 18)).collect(), rows }))
}

/// Reads the first column of numbers against the others; a ROC curve against what guessing gives.
fn curves(table: &Table) -> Option<Curves> {
    let numbers = |at: usize| -> Option<Vec<f64>> { table.rows.iter().map(|row| row[at].parse().ok()).collect() };
    if let (Some(fpr), Some(tpr)) = (column(table, &["fpr"]), column(table, &["tpr"])) {
        let points = numbers(fpr)?.into_iter().zip(numbers(tpr)?).collect();
        let series = vec![("true positive rate".to_owned(), points)];
        return Some(Curves { x_name: "false positive rate".to_owned(), series, unit: true });
    }
    let all: Vec<(usize, Vec<f64>)> = (0..table.columns.len()).filter_map(|at| Some((at, numbers(at)?))).collect();
    let x = column(table, &["step", "epoch", "iteration", "x"]).and_then(|at| all.iter().find(|(have, _)| *have == at));
    let first = x.or_else(|| all.first().filter(|_| all.len() > 1));
    let (x_name, xs) = match first {
        Some((at, xs)) => (table.columns[*at].clone(), xs.clone()),
        None => ("row".to_owned(), (0..table.rows.len()).map(|row| row as f64).collect()),
    };
    let series: Vec<(String, Vec<(f64, f64)>)> = all
        .iter()
        .filter(|(at, _)| first.is_none_or(|(x, _)| x != at))
        .take(6)
        .map(|(at, ys)| (cut(&table.columns[*at], 24), xs.iter().copied().zip(ys.iter().copied()).collect()))
        .collect();
    (!series.is_empty()).then_some(Curves { x_name, series, unit: false })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        for digit in 0..4 {
            if digit <= chunk.len() {
                text.push(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_everywhere() {
        assert_eq!([&b""[..], b"f", b"fo", b"foo", b"foob"].map(base64), ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn files_become_what_their_columns_say() {
        let matrix = plot("m", b"actual,predicted\n1,1\n1,0\n0,0\n10,10\n").expect("drawn").matrix.expect("a matrix");
        assert_eq!(matrix.labels, ["0", "1", "10"]);
        assert_eq!((matrix.rows[1][0].count, matrix.rows[1][1].share), (1.0, 50));
        let roc = plot("r", br#"{"roc": [{"fpr": 0, "tpr": 0}, {"fpr": 0.2, "tpr": 0.9}, {"fpr": 1, "tpr": 1}]}"#)
            .expect("drawn");
        assert!(roc.chart.expect("a chart").diagonal);
        let curve = plot("c", b"epoch,loss,\"a,b\"\n1,3,1\n2,2,1\n").expect("drawn").chart.expect("a chart");
        assert_eq!(curve.series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(), ["loss", "a,b"]);
        assert_eq!(
            plot("p", b"\x89PNG\r\n").expect("drawn").picture.expect("a picture"),
            "data:image/png;base64,iVBORw0K"
        );
        let broken = plot("m", b"actual,predicted,count\n1,1,NaN\n0,0,2\n");
        assert!(broken.is_none(), "a count that is no number is not drawn as none");
        assert!(read(b"a,b\n1,2\n3\n").expect("a table").note.is_some_and(|note| note == "1 row of it left out"));
        assert!(plot("x", b"\x00\x01").is_none() && plot("x", b"name\nada\n").is_none());
    }
}
