//! Intervals: of the mean of a few runs, and of a share of many rows.

use libm::sqrt;

use super::special::{normal_quantile, student_quantile};

/// The mean of a sample and its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation (n − 1).
    pub stddev: f64,
    /// How many there are.
    pub n: usize,
}

impl Spread {
    /// Returns mean and standard deviation of at least two numbers.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { mean, stddev: sqrt(squares / (n - 1) as f64), n }
    }

    /// Returns how far the bound at this level lies from the mean: t(level, n − 1)·s/√n (Student 1908).
    #[must_use]
    pub fn reach(&self, level: f64) -> f64 {
        student_quantile(level, (self.n - 1) as f64) * self.stddev / sqrt(self.n as f64)
    }
}

/// Returns the lower and the upper bound of a share of `n` rows, each at this level (Wilson 1927).
#[must_use]
pub fn wilson(share: f64, n: f64, level: f64) -> (f64, f64) {
    let z = normal_quantile(level);
    let z2 = z * z / n;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let reach = z * sqrt(share * (1.0 - share) / n + z2 / (4.0 * n)) / (1.0 + z2);
    ((middle - reach).max(0.0), (middle + reach).min(1.0))
}
