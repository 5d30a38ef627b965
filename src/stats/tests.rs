//! Against the values of scipy and statsmodels in `tests/fixtures/stats/reference.json`.

use serde_json::Value;

use super::special::*;
use super::*;

fn reference() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/stats/reference.json")).expect("JSON")
}

fn close(found: f64, wanted: f64, what: &str) {
    let scale = wanted.abs().max(1e-12);
    assert!((found - wanted).abs() / scale < 1e-9 || (found - wanted).abs() < 1e-15, "{what}: {found} is not {wanted}");
}

/// Holds a function of the first numbers of each row against the row's last.
fn rows(name: &str, of: impl Fn(&[f64]) -> f64) {
    let reference = reference();
    let table = reference[name].as_array().expect(name);
    assert!(table.len() > 5);
    for row in table {
        let row: Vec<f64> = row.as_array().expect("a row").iter().map(|v| v.as_f64().expect("a number")).collect();
        let (wanted, arguments) = row.split_last().expect("a value");
        close(of(arguments), *wanted, &format!("{name}{arguments:?}"));
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|value| value.as_u64().expect("a count")).collect()
}

#[test]
fn special_functions_are_those_of_scipy() {
    rows("normal_quantile", |a| normal_quantile(a[0]));
    rows("student_quantile", |a| student_quantile(a[0], a[1]));
    rows("chi_square_sf", |a| chi_square_sf(a[0], a[1]));
    rows("chi_square_critical", |a| chi_square_critical(a[0], a[1]));
    rows("kolmogorov_sf", |a| kolmogorov_sf(a[0]));
    rows("binomial_half", |a| binomial_half(a[0] as u64, a[1] as u64));
    close(student_cdf(student_quantile(0.9, 7.0), 7.0), 0.9, "there and back");
    assert_eq!(student_quantile(0.1, 7.0), -student_quantile(0.9, 7.0));
}

/// Labels, the candidate's scores and the baseline's of `tests/fixtures/stats/predictions.py`, and its reference values.
fn predictions() -> (Vec<bool>, Vec<f64>, Vec<f64>, Value) {
    let reference: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/stats/predictions.json")).expect("JSON");
    let rows = reference["rows"].as_array().expect("rows").clone();
    let column = |index: usize| rows.iter().map(move |row| row[index].as_f64().expect("a number")).collect::<Vec<_>>();
    let labels = column(1).iter().map(|label| *label == 1.0).collect();
    (labels, column(2), column(3), reference)
}

#[test]
fn metrics_of_two_classes_are_those_of_sklearn_and_fairlearn() {
    let (labels, candidate, baseline, reference) = predictions();
    for (which, scores) in [("candidate", candidate), ("baseline", baseline)] {
        let mut confusion = binary::Confusion::default();
        labels.iter().zip(&scores).for_each(|(label, score)| confusion.add(*label, *score >= 0.5, 1));
        let rows = |of: fn(bool, f64) -> f64| {
            binary::mean(&labels.iter().zip(&scores).map(|(label, score)| of(*label, *score)).collect::<Vec<_>>())
        };
        let found = [
            ("accuracy", confusion.accuracy().value()),
            ("precision", confusion.precision().value()),
            ("recall", confusion.recall().value()),
            ("specificity", confusion.specificity().value()),
            ("fpr", confusion.fpr().value()),
            ("selection_rate", confusion.selection_rate().value()),
            ("f1", confusion.f1().value()),
            ("auc_roc", Area::of(&labels, &scores).map(|area| area.auc)),
            ("log_loss", rows(binary::log_loss)),
            ("brier", rows(binary::brier)),
        ];
        for (name, found) in found {
            close(found.expect(name), reference[which][name].as_f64().expect(name), name);
        }
    }
    // sklearn.metrics.log_loss([1, 0], [0.0, 0.5], labels=[0, 1]) clips at the distance of 1 to the next f64.
    close(binary::log_loss(true, 0.0), 36.043_653_389_117_15, "a probability of zero");
    assert_eq!(binary::Confusion::default().recall().value(), None);
}

#[test]
fn areas_spread_as_delong_says() {
    let (labels, candidate, baseline, reference) = predictions();
    let wanted = |name: &str| reference["delong"][name].as_f64().expect(name);
    let (mine, theirs) = (Area::of(&labels, &candidate).expect("both"), Area::of(&labels, &baseline).expect("both"));
    let variance = mine.variance_of_difference(&theirs).expect("many");
    close((mine.auc - theirs.auc) / variance.sqrt(), wanted("z"), "z");
    close(mine.auc - normal_quantile(0.95) * mine.variance().expect("many").sqrt(), wanted("lower auc 95"), "lower");
    // The variance of a difference is that of both less twice their covariance.
    let parts = mine.variance().expect("many") + theirs.variance().expect("many")
        - 2.0 * mine.covariance(&theirs).expect("many");
    close(parts, variance, "the parts");
    assert_eq!(mine.variance_of_difference(&mine), Some(0.0));
    assert_eq!(Area::of(&[true, true], &[0.1, 0.2]), None);
    assert_eq!(Area::of(&[true, false], &[0.1, 0.2]).expect("one each").variance(), None);
    assert_eq!(Area::of(&[true, false, false], &[0.5, 0.5, 0.1]).expect("a tie").auc, 0.75);
}

#[test]
fn one_sided_binomial_is_that_of_scipy() {
    let (.., reference) = predictions();
    for name in ["accuracy", "recall", "specificity"] {
        let row = numbers(&reference["mcnemar"][name]);
        close(binomial_half_upper(row[0] as u64, (row[0] + row[1]) as u64), row[2], name);
    }
    // scipy.stats.binomtest(k, n, 0.5, alternative="greater").pvalue
    for (k, n, wanted) in [(0, 0, 1.0), (0, 9, 1.0), (3, 3, 0.125), (9, 10, 0.0107421875), (5, 10, 0.623046875)] {
        close(binomial_half_upper(k, n), wanted, "small");
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    let reference = reference();
    let found = holm(&numbers(&reference["holm"][0]));
    for (found, wanted) in found.iter().zip(numbers(&reference["holm"][1])) {
        close(*found, wanted, "holm");
    }
}

#[test]
fn distances_of_binned_counts_are_those_of_scipy() {
    let reference = reference();
    let bins = &reference["bins"];
    let (one, other) = (counts(&bins["reference"]), counts(&bins["current"]));
    close(psi(&one, &other), bins["psi"].as_f64().expect("psi"), "psi");
    close(jensen_shannon(&one, &other), bins["jensen_shannon"].as_f64().expect("js"), "js");
    let (test, wanted) = (chi_square(&one, &other), numbers(&bins["chi_square"]));
    close(test.statistic, wanted[0], "chi-square");
    close(test.p, wanted[1], "p of chi-square");
    assert_eq!(test.df, wanted[2]);
    assert_eq!(psi(&one, &one), 0.0);
    assert_eq!(jensen_shannon(&[1, 0], &[0, 1]), 1.0, "nothing in common");
}

#[test]
fn noise_of_an_index_is_what_sampling_gives() {
    // A bin that nothing is in has no noise.
    assert_eq!(psi_noise(&[500, 500, 0], &[60, 40, 0]), 1.0 / 1000.0 + 1.0 / 100.0);
    assert_eq!(psi_noise(&[1000, 0], &[100, 0]), 0.0);
}

#[test]
fn distances_of_distribution_functions_are_those_of_scipy() {
    let reference = reference();
    let samples = &reference["samples"];
    let (one, other) = (numbers(&samples["reference"]), numbers(&samples["current"]));
    let mut points: Vec<f64> = one.iter().chain(&other).copied().collect();
    points.sort_by(f64::total_cmp);
    points.dedup();
    let below = |of: &[f64], at: f64| of.iter().filter(|value| **value <= at).count() as u64;
    let first: Vec<u64> = points.iter().map(|at| below(&one, *at)).collect();
    let second: Vec<u64> = points.iter().map(|at| below(&other, *at)).collect();
    let (n, m) = (one.len() as u64, other.len() as u64);
    let (d, p) = kolmogorov_smirnov(&first, n, &second, m);
    let wanted = numbers(&samples["ks"]);
    close(d, wanted[0], "D");
    // scipy takes the distribution for a finite sample, this one corrects the limit as Stephens does.
    assert!((p - wanted[1]).abs() < 0.15 * wanted[1], "{p} is far from {}", wanted[1]);
    let share = |count: u64, of: u64| count as f64 / of as f64;
    let jumps: Vec<Jump> = points
        .iter()
        .zip(first.iter().zip(&second))
        .map(|(at, (one, other))| Jump { at: *at, reference: share(*one, n), current: share(*other, m) })
        .collect();
    close(wasserstein(&jumps), samples["wasserstein"].as_f64().expect("a distance"), "wasserstein");
}

#[test]
fn bounds_of_runs_and_shares_are_those_of_scipy_and_statsmodels() {
    let reference = reference();
    let runs = &reference["runs"];
    let wanted = |name: &str| runs[name].as_f64().expect(name);
    let spread = Spread::of(&numbers(&runs["values"]));
    close(spread.mean, wanted("mean"), "mean");
    close(spread.stddev, wanted("stddev"), "stddev");
    close(spread.mean - spread.reach(0.95), wanted("low_one_sided_95"), "one-sided");
    close(spread.mean - spread.reach(0.975), wanted("low_two_sided_95"), "two-sided");
    for row in reference["wilson"].as_array().expect("rows") {
        let row = numbers(row);
        let (low, high) = wilson(row[0], row[1], row[2]);
        close(low, row[3], "Wilson, lower");
        close(high, row[4], "Wilson, upper");
    }
}

/// Rows of a label and two scores with many ties, at least two of either label.
fn scored() -> impl proptest::strategy::Strategy<Value = Vec<(bool, f64, f64)>> {
    use proptest::prelude::*;
    let row = (any::<bool>(), 0..8_u8, 0..8_u8);
    proptest::collection::vec(row, 4..60).prop_map(|rows| {
        let mut rows: Vec<_> =
            rows.into_iter().map(|(label, one, other)| (label, f64::from(one), f64::from(other))).collect();
        let fixed = [true, true, false, false];
        rows.iter_mut().zip(fixed).for_each(|(row, label)| row.0 = label);
        rows
    })
}

proptest::proptest! {
    #[test]
    fn an_area_and_its_variance_are_what_every_pair_says(rows in scored()) {
        let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let (one, other): (Vec<f64>, Vec<f64>) = rows.iter().map(|row| (row.1, row.2)).unzip();
        let (mine, theirs) = (Area::of(&labels, &one).expect("both"), Area::of(&labels, &other).expect("both"));
        // By the definition of 1988: the kernel over every pair, and the variance of its means.
        let kernel = |high: f64, low: f64| if high > low { 1.0 } else if high == low { 0.5 } else { 0.0 };
        let of = |wanted: bool| (0..labels.len()).filter(|row| labels[*row] == wanted).collect::<Vec<_>>();
        let (ones, zeros) = (of(true), of(false));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let above = |scores: &[f64], row: &usize| mean(&zeros.iter().map(|zero| kernel(scores[*row], scores[*zero])).collect::<Vec<_>>());
        let below = |scores: &[f64], row: &usize| mean(&ones.iter().map(|one| kernel(scores[*one], scores[*row])).collect::<Vec<_>>());
        let auc = mean(&ones.iter().map(|row| above(&one, row)).collect::<Vec<_>>());
        proptest::prop_assert!((mine.auc - auc).abs() < 1e-12, "{} is not {auc}", mine.auc);
        let spread = |values: Vec<f64>| {
            let middle = mean(&values);
            values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (values.len() - 1) as f64 / values.len() as f64
        };
        let wanted = spread(ones.iter().map(|row| above(&one, row) - above(&other, row)).collect())
            + spread(zeros.iter().map(|row| below(&one, row) - below(&other, row)).collect());
        let found = mine.variance_of_difference(&theirs).expect("two of each");
        proptest::prop_assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
        proptest::prop_assert!(found >= 0.0);
    }

    #[test]
    fn the_same_rows_in_another_order_have_the_same_area(rows in scored()) {
        let area = |rows: &[(bool, f64, f64)]| {
            let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
            Area::of(&labels, &rows.iter().map(|row| row.1).collect::<Vec<_>>()).expect("both").auc
        };
        let turned: Vec<_> = rows.iter().rev().copied().collect();
        proptest::prop_assert_eq!(area(&rows), area(&turned));
    }
}
