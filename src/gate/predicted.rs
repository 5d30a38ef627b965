//! Metrics that are computed from predictions: which there are, what each is computed of, and what has to be read for it.
//!
//! Their names are those of scikit-learn and of the fairness literature; nothing else is taken for one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::case::Undecided;
use super::{Gate, Measure};
use crate::data::{self, Predictions, PredictionsWanted};
use crate::stats::Area;
use crate::stats::binary::{Confusion, Share, brier, log_loss, mean};
use crate::types::{Artifact, Bound, Direction, PredictionsType, Range, Type};

/// Fewer rows than this are too few for a group, or to compare two models by, unless `min_n` says otherwise.
pub(crate) const MIN_N: u64 = 30;

/// A metric of predictions.
#[derive(Debug)]
pub struct Predicted {
    /// Its name.
    pub name: &'static str,
    /// What else people call it.
    pub also: &'static [&'static str],
    /// What is better; none for what is neither.
    pub direction: Option<Direction>,
    /// What it is computed of.
    pub of: Of,
    /// Which rows it is over, in words.
    pub over: &'static str,
}

/// What a metric is computed of.
#[derive(Debug)]
pub enum Of {
    /// A share of rows.
    Share(fn(&Confusion) -> Share),
    /// Counts that are no share of rows.
    Counts(fn(&Confusion) -> Share),
    /// The order of the scores.
    Ranks,
    /// The mean of what each row's label and probability give.
    Rows(fn(bool, f64) -> f64),
}

use Direction::{Higher, Lower};

static ALL: &[Predicted] = &[
    Predicted {
        name: "accuracy",
        also: &["acc"],
        direction: Some(Higher),
        of: Of::Share(Confusion::accuracy),
        over: "rows",
    },
    Predicted {
        name: "auc_roc",
        also: &["auc", "roc_auc", "auroc"],
        direction: Some(Higher),
        of: Of::Ranks,
        over: "rows of the rarer label",
    },
    Predicted {
        name: "brier",
        also: &["brier_score", "brier_score_loss"],
        direction: Some(Lower),
        of: Of::Rows(brier),
        over: "rows",
    },
    Predicted {
        name: "f1",
        also: &["f1_score"],
        direction: Some(Higher),
        of: Of::Counts(Confusion::f1),
        over: "rows that are labelled or decided 1",
    },
    Predicted {
        name: "fpr",
        also: &["false_positive_rate"],
        direction: Some(Lower),
        of: Of::Share(Confusion::fpr),
        over: "rows labelled 0",
    },
    Predicted {
        name: "log_loss",
        also: &["logloss", "cross_entropy"],
        direction: Some(Lower),
        of: Of::Rows(log_loss),
        over: "rows",
    },
    Predicted {
        name: "precision",
        also: &["ppv"],
        direction: Some(Higher),
        of: Of::Share(Confusion::precision),
        over: "rows decided 1",
    },
    Predicted {
        name: "recall",
        also: &["tpr", "true_positive_rate", "sensitivity"],
        direction: Some(Higher),
        of: Of::Share(Confusion::recall),
        over: "rows labelled 1",
    },
    Predicted {
        name: "selection_rate",
        also: &["positive_rate"],
        direction: None,
        of: Of::Share(Confusion::selection_rate),
        over: "rows",
    },
    Predicted {
        name: "specificity",
        also: &["tnr", "true_negative_rate"],
        direction: Some(Higher),
        of: Of::Share(Confusion::specificity),
        over: "rows labelled 0",
    },
];

/// Iterates over all metrics in alphabetical order.
pub fn all() -> impl Iterator<Item = &'static Predicted> {
    ALL.iter()
}

/// Returns the metric of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Predicted> {
    all().find(|metric| metric.name == name)
}

impl Predicted {
    /// Returns its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self.of {
            Of::Rows(_) => Type::Float(Range { low: Some(Bound { at: 0.0, open: false }), high: None }),
            _ => Type::Ratio(Range::ANY),
        }
    }

    /// Returns what is missing in a type for it, as a setting that would be added.
    #[must_use]
    pub fn missing(&self, ty: &PredictionsType) -> Option<&'static str> {
        let scores = matches!(self.of, Of::Ranks | Of::Rows(_));
        if ty.label.is_none() && self.needs_label() {
            return Some("label: \"y\"");
        }
        let decided = !scores && ty.prediction.is_some();
        (ty.score.is_none() && !decided).then_some("score: \"p\"")
    }

    fn needs_label(&self) -> bool {
        self.name != "selection_rate"
    }

    fn want(&self, wanted: &mut PredictionsWanted) {
        wanted.label |= self.needs_label();
        match self.of {
            Of::Share(_) | Of::Counts(_) => wanted.decision = true,
            Of::Ranks => wanted.score = true,
            Of::Rows(_) => (wanted.score, wanted.probability) = (true, true),
        }
    }

    /// Computes it.
    ///
    /// # Errors
    /// There are no rows that it is over.
    pub(super) fn value(&self, of: &Predictions) -> Result<f64, Undecided> {
        let value = match self.of {
            Of::Share(share) | Of::Counts(share) => share(&confusion(of)).value(),
            Of::Ranks => Area::of(&of.labels, &of.scores).map(|area| area.auc),
            Of::Rows(row) => mean(&rows(of, row)),
        };
        value.ok_or_else(|| {
            Undecided::Inconclusive(format!("`{}` is over {}, and there are none", self.name, self.over))
        })
    }

    /// Returns the number of rows that it is over.
    pub(super) fn rows(&self, of: &Predictions) -> u64 {
        match self.of {
            // Twice the true positives stand in the formula, and each is one row.
            Of::Counts(share) => share(&confusion(of)).of - confusion(of).true_positive,
            Of::Share(share) => share(&confusion(of)).of,
            Of::Ranks => {
                let ones = of.labels.iter().filter(|label| **label).count() as u64;
                ones.min(of.labels.len() as u64 - ones)
            }
            Of::Rows(_) => of.rows as u64,
        }
    }

    /// Says that it is over too few rows.
    pub(super) fn enough(&self, of: &Predictions, least: u64, whose: &str) -> Result<(), Undecided> {
        let rows = self.rows(of);
        if rows >= least {
            return Ok(());
        }
        let (name, over) = (self.name, self.over);
        Err(Undecided::Inconclusive(format!("`{name}` is over {rows} {over}{whose}, fewer than {least}")))
    }
}

/// Counts labels and decisions; without labels, as if all were 0.
pub(super) fn confusion(of: &Predictions) -> Confusion {
    let mut confusion = Confusion::default();
    for (row, decision) in of.decisions.iter().enumerate() {
        confusion.add(of.labels.get(row).copied().unwrap_or(false), *decision, 1);
    }
    confusion
}

/// Returns what each row gives.
pub(super) fn rows(of: &Predictions, row: fn(bool, f64) -> f64) -> Vec<f64> {
    of.labels.iter().zip(&of.scores).map(|(label, score)| row(*label, *score)).collect()
}

/// Returns the metric that a measure is about, where its evidence are predictions.
pub(super) fn of_predictions<'g>(
    gate: &'g Gate,
    measure: &Measure,
) -> Option<(usize, &'static Predicted, &'g PredictionsType)> {
    let metric = measure.metric.as_ref()?;
    let Artifact::Predictions(ty) = &gate.evidence.get(metric.evidence)?.ty else { return None };
    Some((metric.evidence, find(&metric.name)?, ty))
}

/// Returns which of a gate's evidences are predictions that requirements compute metrics of, and what is read of each.
#[must_use]
pub fn predicted(gate: &Gate) -> BTreeMap<usize, PredictionsWanted> {
    let mut all: BTreeMap<usize, PredictionsWanted> = BTreeMap::new();
    for requirement in &gate.requirements {
        let Some((first, metric, _)) = of_predictions(gate, &requirement.measure) else { continue };
        let legs = gate.evidence.iter().enumerate().filter(|(_, evidence)| evidence.list == Some(first));
        let evidences: BTreeSet<usize> = legs.map(|(index, _)| index).chain([first]).collect();
        for evidence in evidences {
            let wanted = all.entry(evidence).or_default();
            metric.want(wanted);
            wanted.groups.extend(requirement.measure.groups.iter().map(|groups| groups.column.clone()));
        }
    }
    all
}

/// Reads an evidence, or the baseline's in its place, for all requirements that compute metrics of it.
///
/// # Errors
/// The first mistake in it.
pub fn read_predictions(gate: &Gate, evidence: usize, input: &mut dyn Read) -> Result<Predictions, String> {
    let Some(Artifact::Predictions(ty)) = gate.evidence.get(evidence).map(|evidence| &evidence.ty) else {
        return Err("its type is not `Predictions`".to_owned());
    };
    let wanted = predicted(gate).remove(&evidence).unwrap_or_default();
    data::predictions(input, ty, &wanted).map_err(|problem| problem.to_string())
}
