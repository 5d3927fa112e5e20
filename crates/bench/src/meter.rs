//! Who used the processors while something was measured, so that a figure shows by itself whether the machine was quiet.

use std::time::{Duration, Instant};

use zhulian_primitives::Height;

use crate::{network::Validators, process};

/// A measurement under way.
pub struct Meter {
    begun: Instant,
    nodes: Duration,
    own: Duration,
    machine: Duration,
    height: Height,
}

impl Meter {
    /// Begins.
    pub async fn start(network: &Validators) -> anyhow::Result<Self> {
        Ok(Self {
            begun: Instant::now(),
            nodes: network.cpu()?,
            own: process::cpu(std::process::id())?,
            machine: process::cpu_of_machine()?,
            height: network.height().await?,
        })
    }

    /// Processor time of all nodes since the start.
    pub fn nodes(&self, network: &Validators) -> anyhow::Result<Duration> {
        Ok(network.cpu()?.saturating_sub(self.nodes))
    }

    /// One line: the share of each in the processors, and blocks made.
    pub async fn line(&self, network: &Validators) -> anyhow::Result<String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let all = self.begun.elapsed().as_secs_f64() * cores;
        let share = |time: Duration| time.as_secs_f64() / all * 100.0;
        let nodes = share(self.nodes(network)?);
        let own = share(process::cpu(std::process::id())?.saturating_sub(self.own));
        let machine = share(process::cpu_of_machine()?.saturating_sub(self.machine));
        let blocks = network.height().await? - self.height;
        Ok(format!(
            "   processors: nodes {nodes:.0} %, this client {own:.0} %, others {:.0} %; {blocks} blocks, one in {:.0} ms",
            (machine - nodes - own).max(0.0),
            self.begun.elapsed().as_secs_f64() * 1e3 / blocks.max(1) as f64,
        ))
    }
}
