//! Resampling of rows (Efron 1979), the same on every machine: each replicate has a stream of numbers of its own, so that
//! the outcome does not depend on how many threads draw.

/// Replicates that are drawn.
pub const REPLICATES: usize = 10_000;

/// More draws than this are shared among threads.
const ALONE: usize = 1 << 22;

/// Draws rows with replacement: xoshiro256++ of Blackman and Vigna (2019), seeded by splitmix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Draw {
    state: [u64; 4],
    rows: u64,
}

impl Draw {
    /// Begins the stream of one replicate over so many rows.
    #[must_use]
    pub fn new(seed: u64, replicate: u64, rows: usize) -> Self {
        let mut at = mixed(seed).wrapping_add(mixed(replicate ^ 0x5851_f42d_4c95_7f2d));
        let mut next = || {
            at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed(at)
        };
        let state = [next(), next(), next(), next()];
        Self { state, rows: rows as u64 }
    }

    /// Returns the next row. High bits of a product pick it (Lemire 2019): no row is likelier than another by more than
    /// rows / 2⁶⁴.
    pub fn row(&mut self) -> usize {
        ((u128::from(self.bits()) * u128::from(self.rows)) >> 64) as usize
    }

    /// Returns how often each kind of row is drawn in one replicate, where `kinds` says how many rows are of each: exactly
    /// what drawing row by row gives, at a hundredth of its cost.
    pub fn counts<const N: usize>(&mut self, kinds: &[u64; N]) -> [u64; N] {
        let mut counts = [0; N];
        let (mut rows, mut draws) = (kinds.iter().sum::<u64>(), self.rows);
        for (count, kind) in counts.iter_mut().zip(kinds) {
            *count = self.hits(draws, *kind, rows);
            draws -= *count;
            rows -= kind;
        }
        counts
    }

    /// Draws from the binomial distribution of `trials`, each a hit with the chance `of` in `rows`.
    ///
    /// Every trial compares a uniform number with that chance, a binary digit at a time and all trials at once: those whose
    /// digit is another one are decided, which is half of them (Farach-Colton and Tsai 2015). Whole numbers alone, so that it
    /// is exact, and the same on every machine.
    fn hits(&mut self, trials: u64, of: u64, rows: u64) -> u64 {
        if of >= rows {
            return if rows == 0 { 0 } else { trials };
        }
        let (mut open, mut hits, mut rest) = (trials, 0, u128::from(of));
        while open > 0 && rest > 0 {
            rest *= 2;
            let ones = self.ones(open);
            if rest >= u128::from(rows) {
                rest -= u128::from(rows);
                hits += open - ones;
                open = ones;
            } else {
                open -= ones;
            }
        }
        hits
    }

    /// Throws so many coins, and returns how many show a one.
    fn ones(&mut self, coins: u64) -> u64 {
        let whole: u64 = (0..coins / 64).map(|_| u64::from(self.bits().count_ones())).sum();
        match coins % 64 {
            0 => whole,
            left => whole + u64::from((self.bits() >> (64 - left)).count_ones()),
        }
    }

    /// Writes how often each row is drawn in one replicate.
    pub fn weights(&mut self, weights: &mut [u32]) {
        weights.fill(0);
        (0..weights.len()).for_each(|_| weights[self.row()] += 1);
    }

    fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (mut c, mut d) = (c ^ a, d ^ b);
        let (b_next, a_next) = (b ^ c, a ^ d);
        c ^= b << 17;
        d = d.rotate_left(45);
        self.state = [a_next, b_next, c, d];
        result
    }
}

/// The finaliser of splitmix64.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Replicates of a number, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    sorted: Vec<f64>,
    undefined: usize,
}

impl Replicates {
    /// Draws [`REPLICATES`] replicates; `statistic` takes as many rows as there are, and returns none where its number is
    /// not defined on them.
    #[must_use]
    pub fn draw(seed: u64, rows: usize, statistic: &(dyn Fn(&mut Draw) -> Option<f64> + Sync)) -> Self {
        let one = |replicate: usize| statistic(&mut Draw::new(seed, replicate as u64, rows));
        let threads = if rows.saturating_mul(REPLICATES) > ALONE {
            std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 8)
        } else {
            1
        };
        let share = REPLICATES.div_ceil(threads);
        let drawn: Vec<Option<f64>> = if threads == 1 {
            (0..REPLICATES).map(one).collect()
        } else {
            let mut drawn = vec![None; REPLICATES];
            std::thread::scope(|scope| {
                for (part, slots) in drawn.chunks_mut(share).enumerate() {
                    let one = &one;
                    scope.spawn(move || {
                        for (index, slot) in slots.iter_mut().enumerate() {
                            *slot = one(part * share + index);
                        }
                    });
                }
            });
            drawn
        };
        Self::of(drawn)
    }

    fn of(drawn: Vec<Option<f64>>) -> Self {
        let all = drawn.len();
        let mut sorted: Vec<f64> = drawn.into_iter().flatten().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        Self { undefined: all - sorted.len(), sorted }
    }

    fn count(&self) -> usize {
        self.sorted.len() + self.undefined
    }

    fn rank(&self, level: f64) -> usize {
        // A hair below, so that a level of 0.95 of 10,000 is the 9,500th and not the one behind it.
        ((level * self.count() as f64 - 1e-9).ceil() as usize).clamp(1, self.count())
    }

    /// Returns the number that this share of the replicates does not exceed (percentile method; Efron and Tibshirani 1993,
    /// chapter 13); none where replicates without a number reach so far, as each counts for the worst.
    #[must_use]
    pub fn upper(&self, level: f64) -> Option<f64> {
        self.sorted.get(self.rank(level) - 1).copied()
    }

    /// Returns the number that this share of the replicates is not below; the mirror image of [`Replicates::upper`].
    #[must_use]
    pub fn lower(&self, level: f64) -> Option<f64> {
        let from_the_top = self.rank(level);
        self.sorted.len().checked_sub(from_the_top).and_then(|index| self.sorted.get(index)).copied()
    }

    /// Tells whether all replicates are one number: they say nothing about its spread.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.sorted.first() == self.sorted.last()
    }

    /// Returns the share of replicates above `limit`: at most 1 − level where [`Replicates::upper`] is at most the limit.
    #[must_use]
    pub fn above(&self, limit: f64) -> f64 {
        let at_most = self.sorted.partition_point(|value| *value <= limit);
        (self.count() - at_most) as f64 / self.count() as f64
    }

    /// Returns the share of replicates below `limit`.
    #[must_use]
    pub fn below(&self, limit: f64) -> f64 {
        let below = self.sorted.partition_point(|value| *value < limit);
        (below + self.undefined) as f64 / self.count() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        // The first outputs from the state 1, 2, 3, 4, by the reference implementation in C (prng.di.unimi.it).
        let mut draw = Draw { state: [1, 2, 3, 4], rows: 1 };
        let wanted = [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
        for wanted in wanted {
            assert_eq!(draw.bits(), wanted);
        }
    }

    /// Mean n·p and variance n·p·(1 − p), within six of their own standard errors over 20,000 draws.
    #[test]
    fn how_often_a_kind_is_drawn_is_binomial() {
        for (trials, of) in [(1, 1), (64, 1), (100, 33), (1_000, 999), (5_000, 2), (5_000, 1_234)] {
            let rows = 5_000.max(of + 1);
            let mut draw = Draw::new(3, trials, 1);
            let drawn: Vec<f64> = (0..20_000).map(|_| draw.hits(trials, of, rows) as f64).collect();
            let (p, n, all) = (of as f64 / rows as f64, trials as f64, drawn.len() as f64);
            let mean = drawn.iter().sum::<f64>() / all;
            let variance = drawn.iter().map(|hits| (hits - mean) * (hits - mean)).sum::<f64>() / all;
            let wanted = n * p * (1.0 - p);
            assert!((mean - n * p).abs() < 6.0 * (wanted / all).sqrt(), "{trials} {of}: {mean}");
            // The fourth central moment of a binomial is v (1 + 3 v (n − 2) / n).
            let fourth = wanted * (1.0 + 3.0 * wanted * (n - 2.0) / n);
            let error = ((fourth - wanted * wanted) / all).max(0.0).sqrt();
            assert!((variance - wanted).abs() < 6.0 * error + 1e-3, "{trials} {of}: {variance}, not {wanted}");
        }
        assert_eq!((Draw::new(1, 1, 1).hits(9, 0, 5), Draw::new(1, 1, 1).hits(9, 5, 5)), (0, 9));
        assert_eq!(Draw::new(1, 1, 1).hits(9, 0, 0), 0);
    }

    #[test]
    fn all_draws_are_of_some_kind_and_of_none_that_has_no_rows() {
        for replicate in 0..200 {
            let counts = Draw::new(5, replicate, 1_003).counts(&[3, 0, 900, 0, 100]);
            assert_eq!((counts.iter().sum::<u64>(), counts[1], counts[3]), (1_003, 0, 0));
        }
        let mut weights = [7; 31];
        Draw::new(5, 0, 31).weights(&mut weights);
        assert_eq!(weights.iter().sum::<u32>(), 31);
    }

    #[test]
    fn bounds_are_order_statistics_that_mirror_each_other() {
        let replicates = Replicates::of((0..10_000).map(|value| Some(f64::from(value))).collect());
        assert_eq!((replicates.upper(0.95), replicates.lower(0.95)), (Some(9_499.0), Some(500.0)));
        assert_eq!((replicates.upper(0.999_99), replicates.lower(0.999_99)), (Some(9_999.0), Some(0.0)));
        assert_eq!((replicates.above(9_499.0), replicates.below(500.0)), (0.05, 0.05));
    }

    #[test]
    fn a_replicate_without_a_number_counts_for_the_worst_on_either_side() {
        let some = |value: i32| (value >= 600).then(|| f64::from(value));
        let replicates = Replicates::of((0..10_000).map(some).collect());
        assert_eq!((replicates.upper(0.95), replicates.lower(0.95)), (None, None));
        assert_eq!(replicates.lower(0.5), Some(5_000.0));
        assert_eq!(Replicates::of(vec![None; 10_000]).upper(0.95), None);
    }

    #[test]
    fn what_is_drawn_depends_on_the_seed_alone() {
        let values: Vec<f64> = (0..500).map(f64::from).collect();
        let mean = |draw: &mut Draw| Some((0..values.len()).map(|_| values[draw.row()]).sum::<f64>() / 500.0);
        let shared = Replicates::draw(7, values.len(), &mean);
        let alone = Replicates::of((0..REPLICATES).map(|one| mean(&mut Draw::new(7, one as u64, 500))).collect());
        assert_eq!(shared, alone);
        assert_ne!(shared, Replicates::draw(8, values.len(), &mean));
        // The standard error of the mean of 0..500 is 144.3 / sqrt(500) = 6.455; its 95 % quantile is 10.62 above.
        let upper = shared.upper(0.95).expect("defined");
        assert!((upper - 249.5 - 10.62).abs() < 0.5, "{upper}");
    }
}
