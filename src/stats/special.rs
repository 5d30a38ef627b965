//! The special functions behind p-values and intervals, with the source of each. Checked against scipy in the tests.
//!
//! Everything goes through `libm`: the same bits on every platform, so that a report can be recomputed anywhere.

use libm::{erfc, exp, fabs, lgamma, log, log1p, sqrt};

/// Returns the distribution function of the standard normal distribution.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// Returns the quantile of the standard normal distribution, by Newton's method on [`normal_cdf`].
///
/// The first guess is of Abramowitz & Stegun 26.2.23.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 || p >= 1.0 {
        return if p == 0.0 {
            f64::NEG_INFINITY
        } else if p == 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let tail = p.min(1.0 - p);
    let t = sqrt(-2.0 * log(tail));
    let guess =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let mut x = if p < 0.5 { -guess } else { guess };
    for _ in 0..6 {
        // The smaller tail keeps its digits.
        let error = if x < 0.0 { normal_cdf(x) - p } else { (1.0 - p) - normal_cdf(-x) };
        let density = exp(-0.5 * x * x) / 2.506_628_274_631_000_5;
        x -= error / density;
    }
    x
}

/// Returns the upper tail of the chi-square distribution: `Q(df/2, x/2)`, the regularised incomplete gamma function.
#[must_use]
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { gamma_q(0.5 * df, 0.5 * x) }
}

/// Returns where the upper tail of the chi-square distribution is `alpha`, by bisection on [`chi_square_sf`].
#[must_use]
pub fn chi_square_critical(alpha: f64, df: f64) -> f64 {
    bisect(|x| chi_square_sf(x, df) > alpha, 0.0, df + 10.0)
}

/// Returns the regularised upper incomplete gamma function: its series below `a + 1`, Lentz's continued fraction above
/// (Numerical Recipes, 3rd edition, 6.2).
#[must_use]
pub fn gamma_q(a: f64, x: f64) -> f64 {
    let scale = exp(-x + a * log(x) - lgamma(a));
    if x < a + 1.0 {
        let (mut sum, mut term, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..10_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if fabs(term) < fabs(sum) * 1e-17 {
                break;
            }
        }
        return 1.0 - sum * scale;
    }
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if fabs(d) < TINY { TINY } else { d };
        c = b + an / c;
        c = if fabs(c) < TINY { TINY } else { c };
        let step = c * d;
        fraction *= step;
        if fabs(step - 1.0) < 1e-16 {
            break;
        }
    }
    fraction * scale
}

/// Returns the regularised incomplete beta function by Lentz's continued fraction (Numerical Recipes, 3rd edition, 6.4).
#[must_use]
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |value: f64| if fabs(value) < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        let step = d * c;
        fraction *= step;
        if fabs(step - 1.0) < 1e-16 {
            break;
        }
    }
    fraction
}

/// Returns the distribution function of Student's t: `1 − I(df/(df+t²); df/2, 1/2) / 2` for t ≥ 0.
#[must_use]
pub fn student_cdf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * beta_inc(0.5 * df, 0.5, df / (df + t * t));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// Returns the quantile of Student's t for `p` of at least one half, by bisection.
#[must_use]
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if p < 0.5 {
        return -student_quantile(1.0 - p, df);
    }
    let tail = 1.0 - p;
    bisect(|t| 0.5 * beta_inc(0.5 * df, 0.5, df / (df + t * t)) > tail, 0.0, 4.0)
}

/// Returns the upper tail of Kolmogorov's distribution: `2 Σ (−1)^(k−1) exp(−2k²x²)`, and for small x its other form,
/// `1 − √(2π)/x Σ exp(−(2k−1)²π²/(8x²))`.
#[must_use]
pub fn kolmogorov_sf(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        let sum: f64 = (1..=20)
            .map(|k| {
                let odd = f64::from(2 * k - 1);
                exp(-odd * odd * PI * PI / (8.0 * x * x))
            })
            .sum();
        return (1.0 - sqrt(2.0 * PI) / x * sum).clamp(0.0, 1.0);
    }
    let sum: f64 = (1..=20)
        .map(|k| {
            let k = f64::from(k);
            let sign = if k % 2.0 == 1.0 { 1.0 } else { -1.0 };
            sign * exp(-2.0 * k * k * x * x)
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Returns the two-sided exact p-value of `successes` of `n` at probability one half: twice the smaller tail, at most 1.
#[must_use]
pub fn binomial_half(successes: u64, n: u64) -> f64 {
    let k = successes.min(n - successes) as f64;
    if 2.0 * k == n as f64 {
        return 1.0;
    }
    // P(X ≤ k) = I(1/2; n − k, k + 1)
    (2.0 * beta_inc(n as f64 - k, k + 1.0, 0.5)).min(1.0)
}

/// Returns the chance of at least so many successes of `n` at probability one half: `I(1/2; k, n − k + 1)`.
#[must_use]
pub fn binomial_half_upper(successes: u64, n: u64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    if successes > n {
        return 0.0;
    }
    let k = successes as f64;
    beta_inc(k, n as f64 - k + 1.0, 0.5)
}

/// Returns where `above` turns false: from `low`, in steps that double, then by halves down to the last bit.
fn bisect(above: impl Fn(f64) -> bool, low: f64, first: f64) -> f64 {
    let (mut low, mut high) = (low, first);
    while above(high) && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) { low = middle } else { high = middle }
    }
    high
}
