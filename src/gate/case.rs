//! What a kind of requirement sees of the facts: numbers, or the reason why there are none.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::facts::{Champion, Facts, Found};
use super::json::{self, Json};
use super::junit::{self, Counts};
use super::kinds::tests_metric;
use super::number;
use super::predicted::{self, Predicted};
use super::{Gate, Measure, MetricRef, TableRef};
use crate::data::{Frozen, Predictions, Summary};
use crate::types::{self, Artifact, Direction, MetricsType, Origin, Range, Type, Value};

/// A gate with its facts, read once.
#[derive(Debug)]
pub struct Case<'a> {
    gate: &'a Gate,
    metrics: &'a [MetricsType],
    facts: &'a Facts,
    evidence: Vec<Result<Content, Undecided>>,
    baseline: BTreeMap<usize, Result<Content, Undecided>>,
    references: BTreeMap<String, Result<Frozen, Undecided>>,
    seed: u64,
    drawn: Cell<bool>,
}

/// Why a requirement has no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// Something is wrong; the sentence says what.
    Error(String),
    /// There is too little to decide.
    Inconclusive(String),
    /// The evidence was skipped.
    Skipped(String),
    /// There is no baseline yet: `on no_baseline` decides.
    NoBaseline,
    /// Today's code can't score the baseline: `on unscorable` decides.
    Unscorable(String),
}

#[derive(Debug, Clone)]
enum Content {
    Metrics(Json),
    Tests(Counts),
    Other,
}

impl<'a> Case<'a> {
    /// Reads the facts of a gate.
    #[must_use]
    pub fn new(gate: &'a Gate, metrics: &'a [MetricsType], facts: &'a Facts) -> Self {
        let evidence = gate.evidence.iter().enumerate().map(|(index, evidence)| match facts.evidence.get(index) {
            Some(found) => content(found, &evidence.path, &evidence.ty),
            None => Err(Undecided::Error(format!("nobody looked for `{}`", evidence.path))),
        });
        let references = super::survey::frozen(&facts.references);
        let references = references.into_iter().map(|(path, read)| (path, read.map_err(Undecided::Error))).collect();
        let mut case = Self {
            gate,
            metrics,
            facts,
            evidence: evidence.collect(),
            baseline: BTreeMap::new(),
            references,
            seed: seed(facts),
            drawn: Cell::new(false),
        };
        case.baseline = case.read_baseline();
        case
    }

    fn read_baseline(&self) -> BTreeMap<usize, Result<Content, Undecided>> {
        let Some(baseline) = &self.gate.baseline else { return BTreeMap::new() };
        if baseline.recorded {
            return self.read_recorded();
        }
        let scored = match &self.facts.champion {
            Some(Champion::Known { scored: Ok(scored), .. }) => scored.as_slice(),
            _ => return BTreeMap::new(),
        };
        let mut contents = BTreeMap::new();
        for (index, measured) in baseline.evidence.iter().enumerate() {
            let Some(evidence) = self.gate.evidence.get(measured.evidence) else { continue };
            let read = match scored.get(index) {
                Some(found) => content(found, &measured.path, &evidence.ty),
                None => Err(Undecided::Error(format!("nobody looked for `{}`", measured.path))),
            };
            contents.insert(measured.evidence, read);
        }
        contents
    }

    /// Takes the numbers that were registered with the baseline for its numbers (`baseline … recorded`).
    fn read_recorded(&self) -> BTreeMap<usize, Result<Content, Undecided>> {
        let Some(Champion::Known { recorded, version, .. }) = &self.facts.champion else { return BTreeMap::new() };
        let read = self.gate.evidence.iter().enumerate().map(|(index, evidence)| {
            let none = || Undecided::Error(format!("no `{}` was registered with `{version}`", evidence.origin));
            let found = recorded.get(&evidence.origin).ok_or_else(none);
            (index, found.and_then(|found| content(found, &format!("{} of {version}", evidence.path), &evidence.ty)))
        });
        read.collect()
    }

    /// Returns the candidate's number, in the base unit of the metric's type.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn number(&self, metric: &MetricRef) -> Result<f64, Undecided> {
        if let Some(predicted) = self.predicted(metric) {
            return predicted.value(self.predictions(metric.evidence)?);
        }
        let path = self.gate.evidence.get(metric.evidence).map_or("", |evidence| evidence.path.as_str());
        match self.evidence.get(metric.evidence) {
            Some(Ok(content)) => self.pick(content, metric, path),
            Some(Err(undecided)) => Err(undecided.clone()),
            None => Err(Undecided::Error(format!("`{}` is of an evidence that the gate does not have", metric.name))),
        }
    }

    /// Returns the same number of the baseline, measured in this run on the same data.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn baseline_number(&self, metric: &MetricRef) -> Result<f64, Undecided> {
        if let Some(predicted) = self.predicted(metric) {
            return predicted.value(self.baseline_predictions(metric.evidence)?).map_err(of_baseline);
        }
        self.champion()?;
        let path = self.baseline_path(metric.evidence);
        match self.baseline.get(&metric.evidence) {
            Some(Ok(content)) => {
                let number = self.pick(content, metric, path).map_err(of_baseline)?;
                self.same_machine(metric).map(|()| number)
            }
            Some(Err(undecided)) => Err(of_baseline(undecided.clone())),
            None => Err(Undecided::Error(format!("the baseline's `{}` was not measured", metric.name))),
        }
    }

    /// Says why there is no baseline that was scored.
    fn champion(&self) -> Result<(), Undecided> {
        match &self.facts.champion {
            None => Err(Undecided::Error(self.nobody_looked())),
            Some(Champion::Absent) => Err(Undecided::NoBaseline),
            Some(Champion::Unreachable(why)) => Err(Undecided::Error(why.clone())),
            Some(Champion::Skipped(why)) => Err(Undecided::Skipped(why.clone())),
            Some(Champion::Known { scored: Err(why), .. }) => Err(Undecided::Unscorable(why.clone())),
            Some(Champion::Known { scored: Ok(_), .. }) => Ok(()),
        }
    }

    /// Returns the metric of this name, where it is computed from predictions.
    #[must_use]
    pub fn predicted(&self, metric: &MetricRef) -> Option<&'static Predicted> {
        match self.gate.evidence.get(metric.evidence)?.ty {
            Artifact::Predictions(_) => predicted::find(&metric.name),
            _ => None,
        }
    }

    /// Returns the candidate's predictions.
    ///
    /// # Errors
    /// The reason why there are none.
    pub fn predictions(&self, evidence: usize) -> Result<&'a Predictions, Undecided> {
        if let Some(Err(undecided)) = self.evidence.get(evidence) {
            return Err(undecided.clone());
        }
        let path = self.gate.evidence.get(evidence).map_or("", |evidence| evidence.path.as_str());
        read(self.facts.predictions.get(&evidence), path)
    }

    /// Returns the baseline's predictions, made in this run over the same data.
    ///
    /// # Errors
    /// The reason why there are none.
    pub fn baseline_predictions(&self, evidence: usize) -> Result<&'a Predictions, Undecided> {
        self.champion()?;
        match self.baseline.get(&evidence) {
            Some(Ok(_)) => {}
            Some(Err(undecided)) => return Err(of_baseline(undecided.clone())),
            None => return Err(Undecided::Error("the baseline's predictions were not made".to_owned())),
        }
        read(self.facts.baseline_predictions.get(&evidence), self.baseline_path(evidence)).map_err(of_baseline)
    }

    /// Says that predictions with ids are not about the same rows as the baseline's.
    pub(super) fn same_rows(&self, metric: &MetricRef) -> Result<(), Undecided> {
        match self.predicted(metric) {
            Some(_) if !self.predictions(metric.evidence)?.ids.is_empty() => {
                super::paired::paired(self, metric).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Returns the seed of resampling: it is made of the digests of all evidence, the baseline's too.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.drawn.set(true);
        self.seed
    }

    /// Returns the seed, where anything was drawn.
    #[must_use]
    pub(super) fn drawn(&self) -> Option<u64> {
        self.drawn.get().then_some(self.seed)
    }

    /// Makes sure that a time is compared with one of the same class of machine.
    fn same_machine(&self, metric: &MetricRef) -> Result<(), Undecided> {
        if self.ty(metric) != Type::Duration {
            return Ok(());
        }
        let candidate = self.gate.evidence.get(metric.evidence).and_then(|one| self.facts.machines.get(&one.origin));
        let baseline = self.baseline_machine(metric.evidence);
        if candidate.is_some() && candidate == baseline {
            return Ok(());
        }
        let text =
            |class: Option<&String>| class.map_or("a machine of unknown class".into(), |class| format!("`{class}`"));
        Err(Undecided::Inconclusive(format!(
            "`{}` of the candidate was measured on {}, that of the baseline on {}: times compare on one class of machine only",
            metric.name,
            text(candidate),
            text(baseline),
        )))
    }

    /// Returns the class of machine that the baseline's numbers were measured on.
    fn baseline_machine(&self, evidence: usize) -> Option<&'a String> {
        let baseline = self.gate.baseline.as_ref()?;
        if baseline.recorded {
            return self.recorded_machine(evidence);
        }
        let measured = baseline.evidence.iter().find(|measured| measured.evidence == evidence)?;
        self.facts.machines.get(&measured.origin)
    }

    fn recorded_machine(&self, evidence: usize) -> Option<&'a String> {
        let Some(Champion::Known { machines, .. }) = &self.facts.champion else { return None };
        machines.get(&self.gate.evidence.get(evidence)?.origin)
    }

    fn nobody_looked(&self) -> String {
        match &self.gate.baseline {
            Some(baseline) => format!("nobody looked for `{}@{}` in this run", baseline.registry, baseline.pointer),
            None => "the gate has no baseline".to_owned(),
        }
    }

    fn baseline_path(&self, evidence: usize) -> &str {
        let measured = self.gate.baseline.iter().flat_map(|baseline| &baseline.evidence);
        measured
            .filter(|measured| measured.evidence == evidence)
            .map(|measured| measured.path.as_str())
            .next()
            .unwrap_or("")
    }

    /// Returns the number that was registered with the baseline, where the registry has it and it is one that its
    /// number of now compares with.
    #[must_use]
    pub fn recorded_number(&self, metric: &MetricRef) -> Option<f64> {
        let Some(Champion::Known { recorded, .. }) = &self.facts.champion else { return None };
        let evidence = self.gate.evidence.get(metric.evidence)?;
        let (then, now) = (self.recorded_machine(metric.evidence), self.baseline_machine(metric.evidence));
        if self.ty(metric) == Type::Duration && (then.is_none() || then != now) {
            return None;
        }
        let content = content(recorded.get(&evidence.origin)?, "", &evidence.ty).ok()?;
        self.pick(&content, metric, "").ok()
    }

    /// Returns the evidences that are named together with this one: the legs of a fan-out. None for a plain one.
    #[must_use]
    pub fn legs(&self, first: usize) -> Vec<usize> {
        let legs = self.gate.evidence.iter().enumerate().filter(|(_, evidence)| evidence.list == Some(first));
        legs.map(|(index, _)| index).collect()
    }

    /// Returns on how many rows the candidate's number was measured, as its file says.
    ///
    /// # Errors
    /// The file does not say it.
    pub fn rows(&self, metric: &MetricRef) -> Result<f64, Undecided> {
        let rows = rows_metric(self.declared(metric)?)?;
        let path = self.gate.evidence.get(metric.evidence).map_or("", |evidence| evidence.path.as_str());
        match self.evidence.get(metric.evidence) {
            Some(Ok(Content::Metrics(json))) => number::read(json, &rows, path).map_err(Undecided::Error),
            Some(Err(undecided)) => Err(undecided.clone()),
            _ => Err(Undecided::Error(format!("`{path}` holds no metrics"))),
        }
    }

    /// Tells whether a metric was measured on as many rows as `min_n` asks for, the baseline's too where there is one.
    ///
    /// # Errors
    /// There are too few, or it is not known how many there are.
    pub fn enough(&self, measure: &Measure) -> Result<(), Undecided> {
        let least = match measure.options.get("min_n") {
            Some(Value::Int(least)) => *least as f64,
            _ => return Ok(()),
        };
        let none = || Undecided::Error(format!("`{}` names no metric", measure.kind));
        let metric = measure.metric.as_ref().ok_or_else(none)?;
        if let Some(predicted) = self.predicted(metric) {
            predicted.enough(self.predictions(metric.evidence)?, least as u64, "")?;
            return match self.facts.baseline_predictions.get(&metric.evidence) {
                Some(Ok(baseline)) => predicted.enough(baseline, least as u64, " of the baseline"),
                _ => Ok(()),
            };
        }
        let rows = rows_metric(self.declared(metric)?)?;
        let candidate = self.evidence.get(metric.evidence);
        let path = self.gate.evidence.get(metric.evidence).map_or("", |evidence| evidence.path.as_str());
        let both = [(candidate, path), (self.baseline.get(&metric.evidence), self.baseline_path(metric.evidence))];
        for (content, path) in both {
            let Some(Ok(Content::Metrics(json))) = content else { continue };
            let n = number::read(json, &rows, path).map_err(Undecided::Error)?;
            if n < least {
                let why = format!("`{}` was measured on {n} rows in `{path}`, fewer than {least}", metric.name);
                return Err(Undecided::Inconclusive(why));
            }
        }
        Ok(())
    }

    /// Returns what is known of a table.
    ///
    /// # Errors
    /// The reason why it is not known.
    pub fn table(&self, table: &TableRef) -> Result<&'a Summary, Undecided> {
        if let Some(Err(undecided)) = self.evidence.get(table.evidence) {
            return Err(undecided.clone());
        }
        let path = self.gate.evidence.get(table.evidence).map_or("", |evidence| evidence.path.as_str());
        match self.facts.tables.get(&table.evidence) {
            Some(Ok(summary)) => Ok(summary),
            Some(Err(why)) => Err(Undecided::Error(format!("`{path}`: {why}"))),
            None => Err(Undecided::Error(format!("nobody read `{path}`"))),
        }
    }

    /// Returns a data baseline.
    ///
    /// # Errors
    /// The reason why it is not there.
    pub fn frozen(&self, path: &str) -> Result<&Frozen, Undecided> {
        match self.references.get(path) {
            Some(Ok(frozen)) => Ok(frozen),
            Some(Err(undecided)) => Err(undecided.clone()),
            None => Err(Undecided::Error(format!("nobody looked for `{path}`"))),
        }
    }

    /// Returns the size of an artifact in bytes.
    ///
    /// # Errors
    /// The reason why it is not known.
    pub fn size(&self, artifact: &Origin) -> Result<u64, Undecided> {
        match self.facts.artifacts.get(artifact) {
            Some(Found::Present { size, .. }) => Ok(*size),
            Some(Found::Missing) => Err(Undecided::Error(format!("`{artifact}` is missing"))),
            Some(Found::Unreadable(why)) => Err(Undecided::Error(format!("`{artifact}` can't be read: {why}"))),
            Some(Found::Stale(why)) => Err(Undecided::Error(format!("`{artifact}` is no evidence: {why}"))),
            Some(Found::Skipped(why)) => Err(Undecided::Skipped(format!("`{artifact}` was not made: {why}"))),
            None => Err(Undecided::Error(format!("nobody looked for `{artifact}`"))),
        }
    }

    /// Returns the direction of a metric.
    ///
    /// # Errors
    /// It has none, or there is no such metric.
    pub fn direction(&self, metric: &MetricRef) -> Result<Direction, Undecided> {
        let none =
            || Undecided::Error(format!("`{}` has no direction: neither higher nor lower is better", metric.name));
        match self.predicted(metric) {
            Some(predicted) => predicted.direction.ok_or_else(none),
            None => self.declared(metric)?.direction.ok_or_else(none),
        }
    }

    /// Returns the type of a metric.
    #[must_use]
    pub fn ty(&self, metric: &MetricRef) -> Type {
        if let Some(predicted) = self.predicted(metric) {
            return predicted.ty();
        }
        match self.declared(metric) {
            Ok(declared) => declared.ty.clone(),
            Err(_) => tests_metric(&metric.name).unwrap_or(Type::Float(Range::ANY)),
        }
    }

    fn declared(&self, metric: &MetricRef) -> Result<&'a types::Metric, Undecided> {
        let unknown = || Undecided::Error(format!("no metrics type of this gate declares `{}`", metric.name));
        match self.gate.evidence.get(metric.evidence).map(|evidence| &evidence.ty) {
            Some(Artifact::Metrics { name }) => {
                let ty = self.metrics.iter().find(|ty| ty.name == *name).ok_or_else(unknown)?;
                ty.metric(&metric.name).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    fn pick(&self, content: &Content, metric: &MetricRef, path: &str) -> Result<f64, Undecided> {
        match content {
            Content::Metrics(json) => number::read(json, self.declared(metric)?, path).map_err(Undecided::Error),
            Content::Tests(Counts { total: 0, .. }) => {
                Err(Undecided::Inconclusive(format!("`{path}` reports no test at all")))
            }
            Content::Tests(counts) => match counts.get(&metric.name) {
                Some(count) => Ok(count as f64),
                None => Err(Undecided::Error(format!("tests have no `{}`", metric.name))),
            },
            Content::Other => Err(Undecided::Error(format!("`{path}` holds no metrics"))),
        }
    }
}

/// Returns the seed: the first bits of BLAKE3 over the digests of the evidence and of the baseline's, as many as every reader
/// of JSON keeps.
fn seed(facts: &Facts) -> u64 {
    let scored = match &facts.champion {
        Some(Champion::Known { scored: Ok(scored), .. }) => scored.as_slice(),
        _ => &[],
    };
    let mut hasher = blake3::Hasher::new();
    for found in facts.evidence.iter().chain(scored) {
        let digest = found.digest().unwrap_or_default();
        hasher.update(&(digest.len() as u64).to_le_bytes());
        hasher.update(digest.as_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11
}

fn read<'p>(found: Option<&'p Result<Predictions, String>>, path: &str) -> Result<&'p Predictions, Undecided> {
    match found {
        Some(Ok(predictions)) => Ok(predictions),
        Some(Err(why)) => Err(Undecided::Error(format!("`{path}`: {why}"))),
        None => Err(Undecided::Error(format!("nobody read `{path}`"))),
    }
}

/// Returns the number of rows behind a metric, as a metric.
fn rows_metric(declared: &types::Metric) -> Result<types::Metric, Undecided> {
    let name = &declared.name;
    let Some(pointer) = &declared.n else {
        let why = format!("`{name}` does not say on how many rows it was measured, so `min_n` can't hold");
        return Err(Undecided::Error(why));
    };
    Ok(types::Metric {
        name: format!("n of {name}"),
        ty: Type::Int(Range { low: Some(types::Bound { at: 0.0, open: false }), high: None }),
        direction: None,
        from: Some(pointer.clone()),
        scale: None,
        n: None,
    })
}

fn of_baseline(undecided: Undecided) -> Undecided {
    match undecided {
        Undecided::Error(why) => Undecided::Error(format!("of the baseline: {why}")),
        other => other,
    }
}

fn content(found: &Found, path: &str, ty: &Artifact) -> Result<Content, Undecided> {
    let bytes = match found {
        Found::Present { bytes, .. } => bytes,
        Found::Missing => return Err(Undecided::Error(format!("`{path}` is missing"))),
        Found::Unreadable(why) => return Err(Undecided::Error(format!("`{path}` can't be read: {why}"))),
        Found::Stale(why) => return Err(Undecided::Error(format!("`{path}` is no evidence: {why}"))),
        Found::Skipped(why) => return Err(Undecided::Skipped(format!("`{path}` was not made: {why}"))),
    };
    match ty {
        Artifact::Metrics { .. } => match json::parse(bytes) {
            Ok(json) => Ok(Content::Metrics(json)),
            Err(error) => Err(Undecided::Error(format!("`{path}` is not JSON: {error}"))),
        },
        Artifact::Tests => match junit::count(bytes) {
            Ok(counts) => Ok(Content::Tests(counts)),
            Err(why) => Err(Undecided::Error(format!("`{path}` can't be read as JUnit XML: {why}"))),
        },
        _ => Ok(Content::Other),
    }
}
