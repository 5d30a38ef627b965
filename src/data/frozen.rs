//! A data baseline: what a table looked like when it was good, frozen in a file. `mlpc baseline` writes it, drift is
//! measured against it. The same table gives the same bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cell, Fold, Problem};

/// Version of the file's format.
pub const FORMAT: u32 = 2;

/// Bins of a column of numbers.
const BINS: usize = 10;
/// Points at which the distribution of a column of numbers is kept.
const POINTS: usize = 1000;
/// A column with more texts than this is one of names or notes: it has no distribution that drifts.
pub const MAX_CATEGORIES: usize = 1000;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The digest of the table that it was made of.
    pub digest: String,
    /// Its rows.
    pub rows: u64,
    /// Its columns in their order.
    pub columns: Vec<FrozenColumn>,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    /// The digest of the rest: numbers that were edited no longer are what the table looked like.
    seal: String,
    digest: String,
    rows: u64,
    columns: Vec<FrozenColumn>,
}

/// One column of a data baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenColumn {
    /// Its name.
    pub name: String,
    /// Rows without a value.
    pub nulls: u64,
    /// What its values are.
    pub kind: Kind,
}

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Numbers.
    Numbers {
        /// The bins.
        bins: Bins,
        /// Values in each bin.
        counts: Vec<u64>,
        /// Points of the distribution, the smallest and the largest value among them.
        points: Vec<f64>,
        /// Values at or below each point.
        below: Vec<u64>,
        /// Standard deviation (n − 1).
        stddev: f64,
    },
    /// Texts of a short list.
    Categories {
        /// The texts, sorted.
        values: Vec<String>,
        /// How often each stands.
        counts: Vec<u64>,
    },
    /// Texts of no list: names, notes, keys.
    Open {},
}

/// How numbers are put into bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bins {
    /// Quantiles of the table: a bin ends at each edge, which is in it; the first and the last bin are open.
    Edges(Vec<f64>),
    /// Few values: one bin for each.
    Values(Vec<f64>),
}

impl Bins {
    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Edges(edges) => edges.len() + 1,
            Self::Values(values) => values.len(),
        }
    }

    /// Returns the bin of a number; none where it is none of the few values.
    #[must_use]
    pub fn of(&self, number: f64) -> Option<usize> {
        match self {
            Self::Edges(edges) => Some(edges.partition_point(|edge| *edge < number)),
            Self::Values(values) => values.iter().position(|value| *value == number),
        }
    }
}

impl Frozen {
    /// Tells whether a text is such a file, of whatever format and however damaged its numbers are.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        json.is_some_and(|json| json["format"].is_u64() && json["rows"].is_u64() && json["columns"].is_array())
    }

    /// Returns the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FrozenColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns its text, with the digest of its own content in it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { format, digest, rows, columns } = self.clone();
        let written = Written { format, seal: self.seal(), digest, rows, columns };
        let mut text = serde_json::to_string_pretty(&written).expect("a baseline has finite numbers only");
        text.push('\n');
        text
    }

    /// Returns the digest of what is in it, however the text is laid out.
    fn seal(&self) -> String {
        let text = serde_json::to_string(self).expect("a baseline has finite numbers only");
        format!("blake3:{}", blake3::hash(text.as_bytes()).to_hex())
    }

    /// Reads its text.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let none = |error: serde_json::Error| format!("it is no data baseline: {error}");
        let Version { format } = serde_json::from_slice(bytes).map_err(none)?;
        if format != FORMAT {
            return Err(format!(
                "it is a data baseline of format {format}; this mlpc reads {FORMAT}: `mlpc baseline` writes it anew"
            ));
        }
        let Written { format, seal, digest, rows, columns } = serde_json::from_slice(bytes).map_err(none)?;
        let frozen = Self { format, digest, rows, columns };
        if seal != frozen.seal() {
            return Err(
                "it was edited: its content has another digest than it says; `mlpc baseline` writes it anew".into()
            );
        }
        if frozen.rows == 0 {
            return Err("it is a baseline of no rows".to_owned());
        }
        let mut names = std::collections::BTreeSet::new();
        for column in &frozen.columns {
            if !names.insert(&column.name) {
                return Err(format!("it has `{}` twice", column.name));
            }
            column.check(frozen.rows).map_err(|why| format!("its column `{}` does not add up: {why}", column.name))?;
        }
        Ok(frozen)
    }
}

impl FrozenColumn {
    fn check(&self, rows: u64) -> Result<(), String> {
        let values = rows.checked_sub(self.nulls).ok_or("more nulls than rows")?;
        let rising = |numbers: &[f64]| numbers.windows(2).all(|pair| pair[0] < pair[1]);
        let adds_up = |counts: &[u64]| {
            let sum = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
            if sum == Some(values) { Ok(()) } else { Err(format!("its counts are not of {values} values")) }
        };
        match &self.kind {
            Kind::Numbers { bins, counts, points, below, stddev } => {
                adds_up(counts)?;
                let (Bins::Edges(edges) | Bins::Values(edges)) = bins;
                if counts.len() != bins.count() || !rising(edges) {
                    return Err("its bins are in disorder".to_owned());
                }
                let grows = below.windows(2).all(|pair| pair[0] <= pair[1]);
                if points.len() != below.len() || !rising(points) || !grows || stddev.is_nan() || *stddev < 0.0 {
                    return Err("its points are in disorder".to_owned());
                }
                if below.last().copied().unwrap_or(0) != values {
                    return Err("its last point is not its largest value".to_owned());
                }
                Ok(())
            }
            Kind::Categories { values: texts, counts } => {
                adds_up(counts)?;
                let sorted = texts.windows(2).all(|pair| pair[0] < pair[1]);
                if texts.len() == counts.len() && sorted { Ok(()) } else { Err("its values are in disorder".into()) }
            }
            Kind::Open {} => Ok(()),
        }
    }
}

/// Gathers a table for a baseline. It holds the table's numbers, eight bytes each.
#[derive(Debug)]
pub struct Builder {
    names: Vec<String>,
    columns: Vec<Gathered>,
    rows: u64,
}

#[derive(Debug)]
struct Gathered {
    /// The schema says that it is one of texts.
    text: bool,
    numbers: Vec<f64>,
    empty: u64,
    /// Words for a missing value, which are texts where anything else is.
    words: BTreeMap<String, u64>,
    /// Every value by its text, as long as they are few; it is read where one of them is no number.
    texts: Option<BTreeMap<String, u64>>,
    numeric: bool,
}

impl Builder {
    /// Begins with the columns of a table; those of `texts` are of texts even where they look like numbers.
    #[must_use]
    pub fn new(names: &[String], texts: &[String]) -> Self {
        let columns = names.iter().map(|name| Gathered {
            text: texts.contains(name),
            numbers: Vec::new(),
            empty: 0,
            words: BTreeMap::new(),
            texts: Some(BTreeMap::new()),
            numeric: !texts.contains(name),
        });
        Self { names: names.to_vec(), columns: columns.collect(), rows: 0 }
    }

    /// Returns the baseline.
    ///
    /// # Errors
    /// There are no rows.
    pub fn finish(self, digest: String) -> Result<Frozen, Problem> {
        if self.rows == 0 {
            return Err(Problem::whole("there are no rows under the header"));
        }
        let columns = self.names.into_iter().zip(self.columns).map(|(name, gathered)| gathered.finish(name));
        Ok(Frozen { format: FORMAT, digest, rows: self.rows, columns: columns.collect() })
    }
}

impl Fold for Builder {
    fn row(&mut self, _: u64, cells: &[Cell<'_>]) -> Result<(), Problem> {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.take(cell);
        }
        Ok(())
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        self.rows += later.rows;
        for (column, later) in self.columns.iter_mut().zip(later.columns) {
            column.join(later);
        }
        Ok(())
    }
}

impl Gathered {
    fn take(&mut self, cell: &Cell<'_>) {
        if cell.is_null() {
            self.empty += 1;
            return;
        }
        if !self.text && cell.is_missing() {
            *self.words.entry(cell.text().into_owned()).or_default() += 1;
            return;
        }
        if self.numeric {
            match cell.number() {
                Some(number) => self.numbers.push(number),
                None => {
                    self.numeric = false;
                    self.numbers = Vec::new();
                }
            }
        }
        if let Some(texts) = &mut self.texts {
            let text = cell.text();
            match texts.get_mut(text.as_ref()) {
                Some(count) => *count += 1,
                None => drop(texts.insert(text.into_owned(), 1)),
            }
            if texts.len() > MAX_CATEGORIES {
                self.texts = None;
            }
        }
    }

    fn join(&mut self, later: Self) {
        self.empty += later.empty;
        for (word, count) in later.words {
            *self.words.entry(word).or_default() += count;
        }
        self.numeric &= later.numeric;
        if self.numeric {
            self.numbers.extend(later.numbers)
        } else {
            self.numbers = Vec::new()
        }
        self.texts = match (self.texts.take(), later.texts) {
            (Some(mut mine), Some(other)) => {
                for (text, count) in other {
                    *mine.entry(text).or_default() += count;
                }
                Some(mine).filter(|texts| texts.len() <= MAX_CATEGORIES)
            }
            _ => None,
        };
    }

    fn finish(self, name: String) -> FrozenColumn {
        let missing: u64 = self.words.values().sum();
        if self.numeric && !self.numbers.is_empty() {
            return FrozenColumn { name, nulls: self.empty + missing, kind: numbers(self.numbers) };
        }
        if self.numeric {
            // Nothing in it at all.
            let kind = Kind::Categories { values: Vec::new(), counts: Vec::new() };
            return FrozenColumn { name, nulls: self.empty + missing, kind };
        }
        let mut texts = self.texts;
        if let Some(texts) = &mut texts {
            for (word, count) in self.words {
                *texts.entry(word).or_default() += count;
            }
        }
        let kind = match texts.filter(|texts| texts.len() <= MAX_CATEGORIES) {
            Some(texts) => {
                let (values, counts) = texts.into_iter().unzip();
                Kind::Categories { values, counts }
            }
            None => Kind::Open {},
        };
        FrozenColumn { name, nulls: self.empty, kind }
    }
}

fn numbers(mut values: Vec<f64>) -> Kind {
    // −0 and 0 are one value.
    for value in &mut values {
        *value += 0.0;
    }
    values.sort_by(f64::total_cmp);
    let n = values.len();
    // The inverse of the distribution function: a quantile is one of the values.
    let quantile = |share: usize, of: usize| values[(n * share).div_ceil(of).clamp(1, n) - 1];
    let at_or_below = |number: f64| values.partition_point(|value| *value <= number) as u64;
    let mut distinct: Vec<f64> = Vec::new();
    for &value in &values {
        if distinct.last() != Some(&value) {
            distinct.push(value);
        }
        if distinct.len() > POINTS {
            break;
        }
    }
    let points: Vec<f64> = if distinct.len() <= POINTS {
        distinct.clone()
    } else {
        let mut points: Vec<f64> =
            std::iter::once(values[0]).chain((1..=POINTS).map(|i| quantile(i, POINTS))).collect();
        points.dedup();
        points
    };
    let bins = if distinct.len() <= BINS {
        Bins::Values(distinct)
    } else {
        let mut edges: Vec<f64> = (1..BINS).map(|i| quantile(i, BINS)).collect();
        edges.dedup();
        Bins::Edges(edges)
    };
    let mut counts = vec![0; bins.count()];
    for &value in &values {
        if let Some(bin) = bins.of(value) {
            counts[bin] += 1;
        }
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let stddev = if n < 2 { 0.0 } else { libm::sqrt(squares / (n - 1) as f64) };
    let below = points.iter().map(|point| at_or_below(*point)).collect();
    // Numbers so large that their squares overflow have no spread that anything is divided by.
    let stddev = if stddev.is_finite() { stddev } else { f64::MAX };
    Kind::Numbers { bins, counts, points, below, stddev }
}
