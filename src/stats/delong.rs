//! The area under the ROC curve, and the covariance of such areas over the same rows: DeLong, DeLong and Clarke-Pearson,
//! "Comparing the areas under two or more correlated receiver operating characteristic curves: a nonparametric approach",
//! Biometrics 44 (1988), by the ranks of Sun and Xu, "Fast implementation of DeLong's algorithm for comparing the areas
//! under correlated receiver operating characteristic curves", IEEE Signal Processing Letters 21 (2014).

/// An area, with what each row adds to its spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// The area: how often a row labelled 1 scores above one labelled 0, ties by half.
    pub auc: f64,
    /// For each row labelled 1, the share of the others that it scores above.
    above: Vec<f64>,
    /// For each row labelled 0, the share of the others that it scores below.
    below: Vec<f64>,
}

impl Area {
    /// Returns the area; none where one of the labels is missing.
    #[must_use]
    pub fn of(labels: &[bool], scores: &[f64]) -> Option<Self> {
        let of = |wanted: bool| -> Vec<f64> {
            let rows = labels.iter().zip(scores).filter(|(label, _)| **label == wanted);
            rows.map(|(_, score)| *score).collect()
        };
        let (ones, zeros) = (of(true), of(false));
        let (m, n) = (ones.len() as f64, zeros.len() as f64);
        if ones.is_empty() || zeros.is_empty() {
            return None;
        }
        let all: Vec<f64> = ones.iter().chain(&zeros).copied().collect();
        let (among_all, among_ones, among_zeros) = (midranks(&all), midranks(&ones), midranks(&zeros));
        let (first, second) = among_all.split_at(ones.len());
        // Ranks are halves of whole numbers, so the sum is exact.
        let auc = (first.iter().sum::<f64>() - m * (m + 1.0) / 2.0) / (m * n);
        let above = first.iter().zip(&among_ones).map(|(all, own)| (all - own) / n).collect();
        let below = second.iter().zip(&among_zeros).map(|(all, own)| 1.0 - (all - own) / m).collect();
        Some(Self { auc, above, below })
    }

    /// Returns the variance of the area; none with fewer than two rows of either label.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        self.covariance(self)
    }

    /// Returns the covariance with an area over the same rows.
    #[must_use]
    pub fn covariance(&self, other: &Self) -> Option<f64> {
        let ones = covariance(&self.above, &other.above)? / self.above.len() as f64;
        Some(ones + covariance(&self.below, &other.below)? / self.below.len() as f64)
    }

    /// Returns the variance of the difference to an area over the same rows; never below zero.
    #[must_use]
    pub fn variance_of_difference(&self, other: &Self) -> Option<f64> {
        // Of the differences themselves, where nothing cancels out: two areas that are one have none.
        let differences =
            |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one - other).collect::<Vec<f64>>();
        let (above, below) = (differences(&self.above, &other.above), differences(&self.below, &other.below));
        let ones = covariance(&above, &above)? / above.len() as f64;
        Some(ones + covariance(&below, &below)? / below.len() as f64)
    }
}

fn covariance(one: &[f64], other: &[f64]) -> Option<f64> {
    let n = one.len();
    if n < 2 || n != other.len() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let (first, second) = (mean(one), mean(other));
    let sum: f64 = one.iter().zip(other).map(|(one, other)| (one - first) * (other - second)).sum();
    Some(sum / (n - 1) as f64)
}

/// Returns the rank of each value from 1; equal ones share the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let same = order[start..].iter().take_while(|&&index| values[index] == value).count();
        let rank = start as f64 + (same as f64 + 1.0) / 2.0;
        for &index in &order[start..start + same.max(1)] {
            ranks[index] = rank;
        }
        start += same.max(1);
    }
    ranks
}
