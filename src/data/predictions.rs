//! Predictions: a label, a score and a decision for each row, kept whole, since tests compare two models row by row.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use super::numeral::{numeral, respelt};
use super::{Cell, Fold, Format, Problem, read};
use crate::types::{PredictionsType, THRESHOLD};

/// More groups than this are no groups.
const MAX_GROUPS: usize = 1_000;

/// What is wanted of a file of predictions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PredictionsWanted {
    /// The labels.
    pub label: bool,
    /// The scores.
    pub score: bool,
    /// The scores are probabilities.
    pub probability: bool,
    /// The decisions.
    pub decision: bool,
    /// The columns that rows are grouped by.
    pub groups: BTreeSet<String>,
}

/// A file of predictions; each list has one entry a row, and is empty where it was not wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// How many rows there are.
    pub rows: usize,
    /// The ids, where the type names their column: none twice.
    pub ids: Vec<String>,
    /// The labels.
    pub labels: Vec<bool>,
    /// The scores; finite.
    pub scores: Vec<f64>,
    /// What was decided.
    pub decisions: Vec<bool>,
    /// Of each column that was asked for, the group of each row.
    pub groups: Vec<Grouped>,
}

/// The rows by the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped {
    /// The column.
    pub column: String,
    /// The groups in the order of their names.
    pub names: Vec<String>,
    /// The index of each row's group.
    pub of: Vec<u32>,
    /// The names in the one spelling of their numbers, where the column is one of numbers.
    pub numbers: Option<Vec<String>>,
}

impl Grouped {
    /// Returns the index of the group that is called so: of a number in whatever spelling.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let number = self.numbers.as_ref().and_then(|_| numeral(name));
        let name = number.as_deref().unwrap_or(name);
        self.keys().iter().position(|known| known == name)
    }

    /// Returns what tells the groups from each other, here and in other files.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        self.numbers.as_deref().unwrap_or(&self.names)
    }
}

impl Predictions {
    /// Returns some of the rows, in the order given; without their groups.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        fn some<T: Clone>(of: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().filter_map(|row| of.get(*row).cloned()).collect()
        }
        Self {
            rows: rows.len(),
            ids: some(&self.ids, rows),
            labels: some(&self.labels, rows),
            scores: some(&self.scores, rows),
            decisions: some(&self.decisions, rows),
            groups: Vec::new(),
        }
    }

    /// Returns the groups of a column, by their names, with their rows.
    #[must_use]
    pub fn grouped(&self, column: &str) -> Option<Vec<(&str, Vec<usize>)>> {
        let grouped = self.groups.iter().find(|grouped| grouped.column == column)?;
        let mut groups: Vec<(&str, Vec<usize>)> =
            grouped.names.iter().map(|name| (name.as_str(), Vec::new())).collect();
        for (row, group) in grouped.of.iter().enumerate() {
            groups[*group as usize].1.push(row);
        }
        Some(groups)
    }

    /// Returns the rows in the order of their ids.
    #[must_use]
    pub fn by_id(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_by(|&one, &other| self.ids[one].cmp(&self.ids[other]));
        order
    }
}

/// Reads predictions.
///
/// # Errors
/// The first thing that is wrong with them: a column that is not there, a label or a class that is neither 0 nor 1, a score
/// that is no finite number, an id that stands twice, a row without a group.
pub fn predictions(
    input: &mut dyn Read,
    ty: &PredictionsType,
    wanted: &PredictionsWanted,
) -> Result<Predictions, Problem> {
    let start = |names: &[String]| Reading::new(names, ty, wanted);
    let reading: Reading<'_> = read(Format::Csv, super::Input::Stream(input), &start)?;
    reading.finish()
}

/// The fold.
struct Reading<'w> {
    ty: &'w PredictionsType,
    id: Option<usize>,
    label: Option<usize>,
    score: Option<usize>,
    prediction: Option<usize>,
    probability: bool,
    decides: bool,
    groups: Vec<Group<'w>>,
    read: Predictions,
}

struct Group<'w> {
    column: &'w str,
    at: usize,
    names: Vec<String>,
    known: HashMap<String, u32>,
    of: Vec<u32>,
}

impl<'w> Reading<'w> {
    fn new(names: &[String], ty: &'w PredictionsType, wanted: &'w PredictionsWanted) -> Result<Self, Problem> {
        let find = |name: &str| names.iter().position(|known| known == name);
        for (_, name) in ty.columns() {
            if find(name).is_none() {
                return Err(Problem::at(1, format!("there is no column `{name}`")));
            }
        }
        let place = |name: &Option<String>, wanted: bool| name.as_deref().filter(|_| wanted).and_then(find);
        let by_score = wanted.decision && ty.prediction.is_none();
        let groups = wanted.groups.iter().map(|column| {
            let at =
                find(column).ok_or_else(|| Problem::at(1, format!("there is no column `{column}` to group by")))?;
            Ok(Group { column, at, names: Vec::new(), known: HashMap::new(), of: Vec::new() })
        });
        Ok(Self {
            ty,
            id: place(&ty.id, true),
            label: place(&ty.label, wanted.label),
            score: place(&ty.score, wanted.score || by_score),
            prediction: place(&ty.prediction, wanted.decision),
            probability: wanted.probability || (by_score && ty.threshold.is_none()),
            decides: wanted.decision,
            groups: groups.collect::<Result<_, Problem>>()?,
            read: Predictions::default(),
        })
    }

    fn finish(self) -> Result<Predictions, Problem> {
        let mut read = self.read;
        let settled = respelt(&read.ids);
        let mut ids: Vec<&str> = settled.as_deref().unwrap_or(&read.ids).iter().map(String::as_str).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            let (column, id) = (self.ty.id.as_deref().unwrap_or_default(), short(twice[0]));
            return Err(Problem::whole(format!("`{column}` is `{id}` in two rows, and an id stands once")));
        }
        read.groups = self.groups.into_iter().map(Group::finish).collect();
        Ok(read)
    }
}

impl Fold for Reading<'_> {
    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), Problem> {
        self.read.rows += 1;
        if let Some(at) = self.id {
            if cells[at].is_null() {
                let name = self.ty.id.as_deref().unwrap_or_default();
                return Err(Problem::at(line, format!("`{name}` is empty, and a row has an id")));
            }
            self.read.ids.push(cells[at].text().into_owned());
        }
        if let Some(at) = self.label {
            self.read.labels.push(class(line, &cells[at], self.ty.label.as_deref(), "a label")?);
        }
        let mut decision = None;
        if let Some(at) = self.score {
            let name = self.ty.score.as_deref().unwrap_or_default();
            let Some(score) = cells[at].number() else {
                let text = short(&cells[at].text()).to_owned();
                return Err(Problem::at(line, format!("`{name}` is `{text}`, and a score is a finite number")));
            };
            if self.probability && !(0.0..=1.0).contains(&score) {
                let ways = match self.ty.threshold {
                    None => "; without probabilities the type needs a `threshold`",
                    Some(_) => "",
                };
                return Err(Problem::at(line, format!("`{name}` is `{score}`, which is no probability{ways}")));
            }
            self.read.scores.push(score);
            decision = Some(score >= self.ty.threshold.unwrap_or(THRESHOLD));
        }
        if let Some(at) = self.prediction {
            decision = Some(class(line, &cells[at], self.ty.prediction.as_deref(), "a class")?);
        }
        if self.decides {
            let none = || Problem::whole("the type names neither a score nor a prediction");
            self.read.decisions.push(decision.ok_or_else(none)?);
        }
        self.groups.iter_mut().try_for_each(|group| group.take(line, &cells[group.at]))
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        let (mine, later_read) = (&mut self.read, later.read);
        mine.rows += later_read.rows;
        mine.ids.extend(later_read.ids);
        mine.labels.extend(later_read.labels);
        mine.scores.extend(later_read.scores);
        mine.decisions.extend(later_read.decisions);
        self.groups.iter_mut().zip(later.groups).try_for_each(|(mine, later)| mine.join(later))
    }
}

impl Group<'_> {
    fn number(&mut self, name: &str) -> Result<u32, Problem> {
        if let Some(number) = self.known.get(name) {
            return Ok(*number);
        }
        if self.names.len() == MAX_GROUPS {
            let column = self.column;
            return Err(Problem::whole(format!("`{column}` has more than {MAX_GROUPS} values, which are no groups")));
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.known.insert(name.to_owned(), number);
        Ok(number)
    }

    fn take(&mut self, line: u64, cell: &Cell<'_>) -> Result<(), Problem> {
        if cell.is_null() {
            return Err(Problem::at(line, format!("`{}` is empty, so the row is in no group", self.column)));
        }
        let number = self.number(&cell.text())?;
        self.of.push(number);
        Ok(())
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        let numbers: Vec<u32> = later.names.iter().map(|name| self.number(name)).collect::<Result<_, _>>()?;
        self.of.extend(later.of.into_iter().map(|group| numbers[group as usize]));
        Ok(())
    }

    /// Puts the groups in the order of their names; two spellings of a number are one group, then called by their one spelling.
    fn finish(self) -> Grouped {
        let keys = respelt(&self.names);
        let is_numbers = keys.is_some();
        let keys = keys.unwrap_or_else(|| self.names.clone());
        let mut shown: BTreeMap<&str, &str> = BTreeMap::new();
        for (key, name) in keys.iter().zip(&self.names) {
            shown.entry(key).and_modify(|shown| *shown = key).or_insert(name);
        }
        let mut named: Vec<(&str, &str)> = shown.into_iter().map(|(key, name)| (name, key)).collect();
        named.sort_unstable();
        let places: HashMap<&str, u32> = named.iter().enumerate().map(|(at, (_, key))| (*key, at as u32)).collect();
        let of = self.of.iter().filter_map(|group| places.get(keys[*group as usize].as_str()).copied()).collect();
        Grouped {
            column: self.column.to_owned(),
            names: named.iter().map(|(name, _)| (*name).to_owned()).collect(),
            of,
            numbers: is_numbers.then(|| named.iter().map(|(_, key)| (*key).to_owned()).collect()),
        }
    }
}

/// Reads a class of two.
fn class(line: u64, cell: &Cell<'_>, column: Option<&str>, what: &str) -> Result<bool, Problem> {
    let number = cell.number();
    match (number, cell.truth()) {
        (Some(number), _) if number == 0.0 || number == 1.0 => Ok(number == 1.0),
        (None, Some(truth)) => Ok(truth),
        _ => {
            let (column, text) = (column.unwrap_or_default(), short(&cell.text()).to_owned());
            Err(Problem::at(line, format!("`{column}` is `{text}`, and {what} is 0 or 1")))
        }
    }
}

fn short(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty() -> PredictionsType {
        PredictionsType {
            id: Some("row".into()),
            label: Some("y".into()),
            score: Some("p".into()),
            ..PredictionsType::default()
        }
    }

    fn all() -> PredictionsWanted {
        PredictionsWanted {
            label: true,
            score: true,
            probability: false,
            decision: true,
            groups: BTreeSet::from(["region".to_owned()]),
        }
    }

    fn read_as(ty: &PredictionsType, wanted: &PredictionsWanted, text: &str) -> Result<Predictions, String> {
        predictions(&mut text.as_bytes(), ty, wanted).map_err(|problem| problem.to_string())
    }

    #[test]
    fn rows_are_read_with_their_groups() {
        let read = read_as(&ty(), &all(), "row,y,p,region\nb,1,0.9,syd\na,0,0.5,nord\nc,1.0,0.1,syd\n").expect("read");
        assert_eq!((read.rows, read.by_id()), (3, vec![1, 0, 2]));
        assert_eq!((read.labels.as_slice(), read.scores.as_slice()), (&[true, false, true][..], &[0.9, 0.5, 0.1][..]));
        // From the threshold on it is 1.
        assert_eq!(read.decisions, [true, true, false]);
        assert_eq!(read.grouped("region").expect("asked"), [("nord", vec![1]), ("syd", vec![0, 2])]);
        assert_eq!(read.grouped("row"), None);
    }

    #[test]
    fn ids_and_groups_that_are_numbers_are_one_where_the_numbers_are() {
        let read = |text: &str| read_as(&ty(), &all(), text);
        let numbers = read("row,y,p,region\n1.0,1,0.9,01\n02,0,0.5,2\n3,0,0.5,1.0\n").expect("read");
        assert_eq!(numbers.ids, ["1.0", "02", "3"], "shown as written");
        assert_eq!(numbers.grouped("region").expect("asked"), [("1", vec![0, 2]), ("2", vec![1])]);
        assert_eq!((numbers.groups[0].find("1.0"), numbers.groups[0].find("3")), (Some(0), None));
        let said = read("row,y,p,region\n1,1,0.9,n\n01,1,0.9,n\n").expect_err("one row twice");
        assert_eq!(said, "`row` is `1` in two rows, and an id stands once");
        let texts = read("row,y,p,region\n1,1,0.9,1\n01,0,0.5,1.0\nx,0,0.5,x\n").expect("texts");
        assert_eq!(texts.ids, ["1", "01", "x"]);
        assert_eq!(
            (texts.groups[0].names.as_slice(), texts.groups[0].find("01")),
            (&["1", "1.0", "x"].map(String::from)[..], None)
        );
    }

    #[test]
    fn the_decision_is_a_column_or_a_threshold() {
        let decided = PredictionsType { prediction: Some("c".into()), ..ty() };
        let text = "row,y,p,c,region\na,0,7.5,False,n\nb,1,-3,1,n\n";
        assert_eq!(read_as(&decided, &all(), text).expect("read").decisions, [false, true]);
        let raw = PredictionsType { threshold: Some(2.0), ..ty() };
        assert_eq!(read_as(&raw, &all(), text).expect("read").decisions, [true, false]);
        let said = read_as(&ty(), &all(), text).expect_err("no probability");
        assert_eq!(
            said,
            "line 2: `p` is `7.5`, which is no probability; without probabilities the type needs a `threshold`"
        );
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let cases = [
            ("row,y,region\n", "line 1: there is no column `p`"),
            ("row,y,p\n", "line 1: there is no column `region` to group by"),
            ("row,y,p,region\na,2,0.1,n\n", "line 2: `y` is `2`, and a label is 0 or 1"),
            ("row,y,p,region\na,,0.1,n\n", "line 2: `y` is ``, and a label is 0 or 1"),
            ("row,y,p,region\na,1,0.1,n\nb,1,nan,n\n", "line 3: `p` is `nan`, and a score is a finite number"),
            ("row,y,p,region\na,1,inf,n\n", "line 2: `p` is `inf`, and a score is a finite number"),
            ("row,y,p,region\na,1,0.1,\n", "line 2: `region` is empty, so the row is in no group"),
            ("row,y,p,region\n,1,0.1,n\n", "line 2: `row` is empty, and a row has an id"),
            ("row,y,p,region\na,1,0.1,n\na,1,0.2,n\n", "`row` is `a` in two rows, and an id stands once"),
            ("row,y,p,region\na,1,0.1\n", "line 2: 3 fields under a header of 4"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read_as(&ty(), &all(), text).expect_err(text), wanted);
        }
    }

    #[test]
    fn a_large_file_is_the_same_whoever_reads_it() {
        let mut text = "row,y,p,region\n".to_owned();
        for row in 0..120_000 {
            text += &format!("{row:07},{},0.{:03},{}\n", row % 2, row % 1000, ["syd", "nord", "öst"][row % 3]);
        }
        let read = read_as(&ty(), &all(), &text).expect("read");
        assert_eq!(read.rows, 120_000);
        assert!(read.ids.iter().enumerate().all(|(row, id)| *id == format!("{row:07}")), "in the file's order");
        let groups = read.grouped("region").expect("asked");
        assert_eq!(
            groups.iter().map(|(name, rows)| (*name, rows[0])).collect::<Vec<_>>(),
            [("nord", 1), ("syd", 0), ("öst", 2)]
        );
    }
}
