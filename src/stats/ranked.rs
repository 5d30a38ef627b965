//! The area under the ROC curve of rows that are drawn again and again: sorted once, counted at each draw.

/// Rows in the order of one model's scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Each row by ascending score.
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    index: u32,
    label: bool,
    /// The last of those with the same score.
    last: bool,
}

impl Ranked {
    /// Sorts rows by their scores; none where there are more of them than 32 bits count.
    #[must_use]
    pub fn of(labels: &[bool], scores: &[f64]) -> Option<Self> {
        u32::try_from(scores.len()).ok()?;
        let mut order: Vec<usize> = (0..scores.len().min(labels.len())).collect();
        order.sort_by(|&one, &other| scores[one].total_cmp(&scores[other]));
        let next = order.iter().skip(1).map(|&index| Some(scores[index])).chain([None]);
        let rows = order.iter().zip(next).map(|(&index, next)| Row {
            index: index as u32,
            label: labels[index],
            last: next != Some(scores[index]),
        });
        Some(Self { rows: rows.collect() })
    }

    /// Returns how often a row labelled 1 scores above one labelled 0, ties by half, where each row stands `weights` times
    /// among them; none where one of the labels is missing.
    #[must_use]
    pub fn area(&self, weights: &[u32]) -> Option<f64> {
        // Twice the area in whole numbers: nothing is rounded before the division.
        let (mut doubled, mut below, mut ones) = (0_u128, 0_u64, 0_u64);
        let (mut ones_here, mut zeros_here) = (0_u64, 0_u64);
        for row in &self.rows {
            let weight = u64::from(weights[row.index as usize]);
            if row.label {
                ones_here += weight;
            } else {
                zeros_here += weight;
            }
            if row.last {
                doubled += u128::from(ones_here) * u128::from(2 * below + zeros_here);
                (ones, below) = (ones + ones_here, below + zeros_here);
                (ones_here, zeros_here) = (0, 0);
            }
        }
        (ones > 0 && below > 0).then(|| doubled as f64 / (2.0 * ones as f64 * below as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Area;
    use super::*;

    /// A row that counts twice is two rows.
    #[test]
    fn the_area_of_weighted_rows_is_that_of_the_rows_repeated() {
        let labels = [true, false, true, false, false, true, false, true];
        let scores = [0.9, 0.1, 0.4, 0.4, 0.3, 0.3, 0.8, 0.4];
        let ranked = Ranked::of(&labels, &scores).expect("few rows");
        for weights in [[1, 1, 1, 1, 1, 1, 1, 1], [2, 0, 1, 3, 0, 1, 1, 4], [0, 5, 1, 0, 0, 0, 0, 0]] {
            let again = |index: usize| std::iter::repeat_n(index, weights[index] as usize);
            let rows: Vec<usize> = (0..8).flat_map(again).collect();
            let labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
            let scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
            let wanted = Area::of(&labels, &scores).expect("both labels").auc;
            assert!((ranked.area(&weights).expect("both labels") - wanted).abs() < 1e-15, "{weights:?}");
        }
        assert_eq!(ranked.area(&[1, 0, 1, 0, 0, 1, 0, 1]), None);
    }
}
