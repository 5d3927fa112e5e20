//! What a seed stands for.

use std::{fmt, time::Duration};

use commonware_p2p::simulated::Link;
use commonware_utils::Probability;

use crate::machine::Lie;

/// A small generator, so that a scenario depends on nothing but its seed.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Validators of every scenario.
pub const VALIDATORS: usize = 4;

/// The quality of the links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    /// One way, in milliseconds.
    pub latency: u64,
    /// Give or take, in milliseconds.
    pub jitter: u64,
    /// Messages lost, in percent.
    pub loss: u64,
}

impl Links {
    /// The simulated network's form.
    pub fn link(self) -> Link {
        Link {
            latency: Duration::from_millis(self.latency),
            jitter: Duration::from_millis(self.jitter),
            success_rate: Probability::new(100 - self.loss, 100).expect("below one"),
        }
    }
}

/// Who is faulty, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adversary {
    /// Nobody.
    None,
    /// Runs twice under the same key.
    Twin,
    /// Proposes what is not so.
    Liar(Lie),
    /// A clock off by so many milliseconds.
    Clock(i64),
    /// Sends random bytes and nothing else.
    Garbage,
}

impl Adversary {
    /// Whether the validator itself breaks the protocol; a wrong clock does not.
    pub fn is_byzantine(self) -> bool {
        !matches!(self, Self::None | Self::Clock(_))
    }
}

/// Something that happens to honest nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Killed, and restarted after so many milliseconds.
    Kill(usize, u64),
    /// Killed and its store deleted, restarted after so many milliseconds.
    Wipe(usize, u64),
    /// Cut off for so many milliseconds.
    Isolate(usize, u64),
    /// Two against two for so many milliseconds: the node and its follower against the others.
    Split(usize, u64),
}

/// Life between two power cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// In milliseconds.
    pub length: u64,
    /// When what happens, in order of time.
    pub mishaps: Vec<(u64, Mishap)>,
}

/// One life of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Where all of it comes from.
    pub seed: u64,
    /// The links.
    pub links: Links,
    /// The faulty validator's fault.
    pub adversary: Adversary,
    /// Its index.
    pub faulty: usize,
    /// Bytes of unsynced writes that a power cut keeps, in percent, and whether they are a prefix of each write.
    pub kept: (u64, bool),
    /// The segments; each but the last ends in a power cut.
    pub segments: Vec<Segment>,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let links = match random.below(3) {
            0 => Links { latency: 1 + random.below(5), jitter: random.below(2), loss: 0 },
            1 => Links { latency: 20 + random.below(40), jitter: random.below(20), loss: 0 },
            _ => Links { latency: 5 + random.below(20), jitter: random.below(10), loss: 2 + random.below(13) },
        };
        let adversary = match random.below(10) {
            0 | 1 => Adversary::None,
            2 | 3 => Adversary::Twin,
            4 => Adversary::Liar(Lie::State),
            5 => Adversary::Liar(Lie::Receipt),
            6 => Adversary::Liar(Lie::Transaction),
            7 => Adversary::Clock([-4_000, -300, 300, 1_500, 60_000][random.below(5) as usize]),
            8 => Adversary::Clock(random.below(2_000) as i64),
            _ => Adversary::Garbage,
        };
        let faulty = random.below(VALIDATORS as u64) as usize;
        let kept = ([0, 50, 100][random.below(3) as usize], random.chance(50));
        let mut wiped = adversary.is_byzantine();
        let mut segments = Vec::new();
        for _ in 0..1 + random.below(3) {
            let length = 4_000 + random.below(6_000);
            let mut mishaps = Vec::new();
            for _ in 0..random.below(4) {
                let (at, node, time) =
                    (random.below(length - 500), random.below(VALIDATORS as u64) as usize, 300 + random.below(3_500));
                let mishap = match random.below(5) {
                    0 | 1 => Mishap::Kill(node, time),
                    2 => Mishap::Isolate(node, time),
                    3 => Mishap::Split(node, time),
                    // At most one validator may ever be faulty, and one that forgets its votes is.
                    _ if !wiped => {
                        wiped = true;
                        Mishap::Wipe(node, time)
                    }
                    _ => Mishap::Kill(node, time),
                };
                mishaps.push((at, mishap));
            }
            mishaps.sort_by_key(|(at, _)| *at);
            segments.push(Segment { length, mishaps });
        }
        Self { seed, links, adversary, faulty, kept, segments }
    }

    /// Whether a node breaks the protocol.
    pub fn is_byzantine(&self, index: usize) -> bool {
        self.adversary.is_byzantine() && index == self.faulty
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Links { latency, jitter, loss } = self.links;
        write!(f, "{latency}±{jitter} ms, {loss}% lost; ")?;
        match self.adversary {
            Adversary::None => write!(f, "nobody faulty"),
            Adversary::Twin => write!(f, "node {} twinned", self.faulty),
            Adversary::Liar(lie) => write!(f, "node {} lies ({lie:?})", self.faulty),
            Adversary::Clock(skew) => write!(f, "node {} clock {skew:+} ms", self.faulty),
            Adversary::Garbage => write!(f, "node {} sends garbage", self.faulty),
        }?;
        let mishaps: usize = self.segments.iter().map(|segment| segment.mishaps.len()).sum();
        write!(f, "; {mishaps} mishaps, {} power cuts", self.segments.len() - 1)
    }
}
