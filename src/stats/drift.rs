//! How far two samples are apart: of counts in the same bins, or of cumulative counts at the same points.

use libm::{fabs, log, log2, sqrt};

use super::special::{chi_square_sf, kolmogorov_sf};

/// Shares below this are taken for this: a logarithm of zero says nothing.
const CLIP: f64 = 1e-6;

/// Returns the shares of counts; zeros where there is nothing.
#[must_use]
pub fn shares(counts: &[u64]) -> Vec<f64> {
    let total: u64 = counts.iter().sum();
    counts.iter().map(|&count| if total == 0 { 0.0 } else { count as f64 / total as f64 }).collect()
}

/// Returns the bins that anything is in, on either side.
fn filled(reference: &[u64], current: &[u64]) -> usize {
    reference.iter().zip(current).filter(|(one, other)| **one + **other > 0).count()
}

/// Returns the population stability index: Σ (Q − P)·ln(Q / P), P of the reference, Q of what is looked at, shares
/// clipped at 1e-6.
#[must_use]
pub fn psi(reference: &[u64], current: &[u64]) -> f64 {
    let (p, q) = (shares(reference), shares(current));
    let terms = p.iter().zip(&q).map(|(p, q)| {
        let (p, q) = (p.max(CLIP), q.max(CLIP));
        (q - p) * log(q / p)
    });
    terms.sum()
}

/// Returns the index that noise alone gives on average: (B − 1)(1/n + 1/m), over the bins that anything is in.
#[must_use]
pub fn psi_noise(reference: &[u64], current: &[u64]) -> f64 {
    (filled(reference, current).saturating_sub(1)) as f64 * scale(reference, current)
}

/// Returns the chance of an index of this size where nothing has changed: it is (1/n + 1/m)·χ² with B − 1 degrees of
/// freedom (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index").
#[must_use]
pub fn psi_p(reference: &[u64], current: &[u64]) -> f64 {
    let bins = filled(reference, current);
    if bins < 2 { 1.0 } else { chi_square_sf(psi(reference, current) / scale(reference, current), (bins - 1) as f64) }
}

fn scale(reference: &[u64], current: &[u64]) -> f64 {
    let rows = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    1.0 / rows(reference) + 1.0 / rows(current)
}

/// Returns the Jensen–Shannon distance in base 2, 0 to 1: the root of the mean divergence from the mixture.
#[must_use]
pub fn jensen_shannon(reference: &[u64], current: &[u64]) -> f64 {
    let part = |p: f64, mixed: f64| if p > 0.0 { p * log2(p / mixed) } else { 0.0 };
    let (p, q) = (shares(reference), shares(current));
    let terms = p.iter().zip(&q).map(|(&p, &q)| {
        let mixed = 0.5 * (p + q);
        0.5 * (part(p, mixed) + part(q, mixed))
    });
    sqrt(terms.sum::<f64>().max(0.0))
}

/// Returns the distance that noise alone gives: the root of (B − 1)(1/n + 1/m) / (8 ln 2), which is the divergence's mean.
#[must_use]
pub fn jensen_shannon_noise(reference: &[u64], current: &[u64]) -> f64 {
    sqrt(psi_noise(reference, current) / (8.0 * std::f64::consts::LN_2))
}

/// A chi-square test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// Its p-value.
    pub p: f64,
    /// The smallest count that was to be expected.
    pub least: f64,
    /// The share of expected counts below five.
    pub below_five: f64,
}

/// Tests whether two tables fill the same bins alike (homogeneity). Bins that nothing is in are left out.
#[must_use]
pub fn chi_square(reference: &[u64], current: &[u64]) -> ChiSquare {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let (mut statistic, mut least, mut bins) = (0.0, f64::INFINITY, 0_u32);
    let mut few = 0.0;
    for (&one, &other) in reference.iter().zip(current) {
        let both = (one + other) as f64;
        if both == 0.0 {
            continue;
        }
        bins += 1;
        for (count, rows) in [(one, n), (other, m)] {
            let expected = both * rows / (n + m);
            least = least.min(expected);
            few += if expected < 5.0 { 1.0 } else { 0.0 };
            statistic += (count as f64 - expected) * (count as f64 - expected) / expected;
        }
    }
    let df = f64::from(bins.saturating_sub(1));
    let p = if df == 0.0 { 1.0 } else { chi_square_sf(statistic, df) };
    ChiSquare { statistic, df, p, least, below_five: few / (2.0 * f64::from(bins.max(1))) }
}

/// Returns D, the largest distance between two distribution functions that are known at the same points, and its p-value:
/// Kolmogorov's distribution of (√N + 0.12 + 0.11/√N)·D with N = nm/(n+m) (Stephens 1970).
///
/// `reference` and `current` are how many values are at or below each point; `n` and `m` how many there are.
#[must_use]
pub fn kolmogorov_smirnov(reference: &[u64], n: u64, current: &[u64], m: u64) -> (f64, f64) {
    let (n, m) = (n as f64, m as f64);
    let pairs = reference.iter().zip(current);
    let d = pairs.map(|(&one, &other)| fabs(one as f64 / n - other as f64 / m)).fold(0.0, f64::max);
    let root = sqrt(n * m / (n + m));
    (d, kolmogorov_sf((root + 0.12 + 0.11 / root) * d))
}

/// A point at which two distribution functions are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Where it is.
    pub at: f64,
    /// The share of the reference at or below it.
    pub reference: f64,
    /// The share of what is looked at, at or below it.
    pub current: f64,
}

/// Returns the first Wasserstein distance, ∫|F − G|, between the first and the last point: the difference is a straight
/// line between two points.
#[must_use]
pub fn wasserstein(points: &[Jump]) -> f64 {
    let cells = points.windows(2).map(|pair| {
        let width = pair[1].at - pair[0].at;
        let difference = |jump: &Jump| jump.current - jump.reference;
        width * fabs(difference(&pair[0]))
    });
    cells.sum()
}
