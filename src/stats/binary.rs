//! Metrics of a classifier of two classes, from counts or from one score a row. None where nothing is to be divided by.

use libm::log;

/// The least probability that a logarithm is taken of: the distance of 1 to the next f64, as scikit-learn's `log_loss` does.
const CLIP: f64 = f64::EPSILON;

/// How often decision and label are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Decided 1, labelled 1.
    pub true_positive: u64,
    /// Decided 1, labelled 0.
    pub false_positive: u64,
    /// Decided 0, labelled 0.
    pub true_negative: u64,
    /// Decided 0, labelled 1.
    pub false_negative: u64,
}

/// Some of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Returns the share, 0 to 1; none of nothing.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }
}

impl Confusion {
    /// Counts `rows` rows of one label and decision.
    pub fn add(&mut self, label: bool, decision: bool, rows: u64) {
        *match (label, decision) {
            (true, true) => &mut self.true_positive,
            (false, true) => &mut self.false_positive,
            (false, false) => &mut self.true_negative,
            (true, false) => &mut self.false_negative,
        } += rows;
    }

    /// Returns the rows labelled 1.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.true_positive + self.false_negative
    }

    /// Returns the rows labelled 0.
    #[must_use]
    pub fn negatives(&self) -> u64 {
        self.true_negative + self.false_positive
    }

    /// Returns the rows decided 1.
    #[must_use]
    pub fn selected(&self) -> u64 {
        self.true_positive + self.false_positive
    }

    /// Returns all rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// (TP + TN) / n
    #[must_use]
    pub fn accuracy(&self) -> Share {
        Share { hits: self.true_positive + self.true_negative, of: self.rows() }
    }

    /// TP / (TP + FP)
    #[must_use]
    pub fn precision(&self) -> Share {
        Share { hits: self.true_positive, of: self.selected() }
    }

    /// TP / (TP + FN), the true positive rate or sensitivity
    #[must_use]
    pub fn recall(&self) -> Share {
        Share { hits: self.true_positive, of: self.positives() }
    }

    /// TN / (TN + FP), the true negative rate
    #[must_use]
    pub fn specificity(&self) -> Share {
        Share { hits: self.true_negative, of: self.negatives() }
    }

    /// FP / (FP + TN), the false positive rate
    #[must_use]
    pub fn fpr(&self) -> Share {
        Share { hits: self.false_positive, of: self.negatives() }
    }

    /// (TP + FP) / n
    #[must_use]
    pub fn selection_rate(&self) -> Share {
        Share { hits: self.selected(), of: self.rows() }
    }

    /// 2TP / (2TP + FP + FN), the harmonic mean of precision and recall
    #[must_use]
    pub fn f1(&self) -> Share {
        let hits = 2 * self.true_positive;
        Share { hits, of: hits + self.false_positive + self.false_negative }
    }
}

/// Returns what one row adds to the logarithmic loss: −ln of the probability that its label was given, clipped at 2⁻⁵².
#[must_use]
pub fn log_loss(label: bool, score: f64) -> f64 {
    let score = score.clamp(CLIP, 1.0 - CLIP);
    -log(if label { score } else { 1.0 - score })
}

/// Returns what one row adds to the score of Brier (1950): the square of score − label.
#[must_use]
pub fn brier(label: bool, score: f64) -> f64 {
    let difference = score - f64::from(u8::from(label));
    difference * difference
}

/// Returns the mean; none of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
