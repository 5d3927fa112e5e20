//! Quantiles of latencies.

use std::time::Duration;

/// Measured latencies.
#[derive(Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The quantile, in milliseconds; `NaN` when nothing was measured.
    pub fn ms(&mut self, quantile: f64) -> f64 {
        self.0.sort_unstable();
        let index = ((self.0.len() as f64 - 1.0) * quantile).round() as usize;
        self.0.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}
