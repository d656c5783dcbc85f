//! Many measurements of one thing, and the few numbers that are told of them.

/// Measurements in any order.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.0.extend(values);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that `percent` of all do not exceed (nearest rank); 0 without any.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted
            .get(rank.clamp(1, sorted.len().max(1)) - 1)
            .copied()
            .unwrap_or(0.0)
    }

    pub(super) fn median(&self) -> f64 {
        self.percentile(50.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut samples = Samples::default();
        assert_eq!(samples.median(), 0.0);
        samples.extend((1..=100).rev().map(f64::from));
        assert_eq!(samples.percentile(50.0), 50.0);
        assert_eq!(samples.percentile(99.0), 99.0);
        assert_eq!(samples.percentile(100.0), 100.0);
        let mut one = Samples::default();
        one.push(7.0);
        assert_eq!(
            (one.median(), one.percentile(99.0), one.count()),
            (7.0, 7.0, 1)
        );
    }
}
