//! What a seed stands for.

use std::{fmt, time::Duration};

use commonware_p2p::simulated::Link;
use commonware_utils::Probability;

use crate::{city::VALIDATORS, random::Random};

/// The quality of the links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    /// One way, in milliseconds.
    pub latency: u64,
    /// Give or take, in milliseconds.
    pub jitter: u64,
    /// Messages lost, in percent.
    pub loss: u64,
    /// Messages overtaken by the next one on their channel, in percent.
    pub reordered: u64,
}

impl Links {
    /// Those of a data centre.
    pub const NEAR: Self = Self { latency: 2, jitter: 1, loss: 0, reordered: 0 };

    /// The simulated network's form.
    pub fn link(self) -> Link {
        Link {
            latency: Duration::from_millis(self.latency),
            jitter: Duration::from_millis(self.jitter),
            success_rate: Probability::new(100 - self.loss, 100).expect("below one"),
        }
    }
}

/// What an invalid block says that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The state is not what the transactions make it.
    State,
    /// A receipt is not what execution gave.
    Receipt,
    /// A transaction is malformed.
    Malformed,
    /// A transaction's signature is forged.
    Forged,
    /// Not a lie in itself: transactions of earlier blocks again.
    Again,
}

/// Who is faulty, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adversary {
    /// Nobody.
    None,
    /// Runs twice under the same key: double proposals, double votes.
    Equivocator,
    /// Votes, but never proposes.
    SilentLeader,
    /// Proposes what is not so.
    InvalidBlocks(Lie),
    /// Falsifies states, blocks and certificates that it sends to those that catch up.
    SyncLiar,
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

    /// Its name in the counts of faults.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Equivocator => "equivocator",
            Self::SilentLeader => "silent_leader",
            Self::InvalidBlocks(_) => "invalid_blocks",
            Self::SyncLiar => "sync_liar",
            Self::Clock(_) => "clock_skew",
            Self::Garbage => "garbage",
        })
    }
}

/// Something that happens to honest nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Killed, and restarted after so many milliseconds.
    Kill(usize, u64),
    /// Killed at the so-manieth write from now, what was not synced is lost; restarted after so many milliseconds.
    CrashAtWrite(usize, u64, u64),
    /// Killed and its store deleted, restarted after so many milliseconds.
    Wipe(usize, u64),
    /// Its disk is full for so many milliseconds; then it is restarted.
    DiskFull(usize, u64),
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
    /// The power goes at the so-manieth write of all nodes, if that comes before the segment's end.
    pub cut: Option<u64>,
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
    /// A node that joins with an empty store when the others have been at work.
    pub late: Option<(usize, u64)>,
    /// A department that floods the mempools.
    pub flood: Option<usize>,
    /// From this time on, in milliseconds, a fifth validator is voted in, and then the faulty one, or whoever stands in its place, out.
    pub change: Option<u64>,
    /// Bytes of unsynced writes that a power cut keeps, in percent, and whether they are a prefix of each write.
    pub kept: (u64, bool),
    /// The segments; each but the last ends in a power cut.
    pub segments: Vec<Segment>,
}

/// Seeds from here on stand for a power cut at one write point each, in an otherwise quiet life.
pub const WRITE_POINTS: u64 = 1_000_000_000;

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        if seed >= WRITE_POINTS {
            return Self::at_write_point(seed - WRITE_POINTS);
        }
        let mut random = Random::new(seed);
        let links = links(&mut random);
        let adversary = adversary(&mut random);
        let faulty = random.below(VALIDATORS as u64) as usize;
        let kept = (*random.pick(&[0, 50, 100]), random.chance(50));
        let late = (adversary == Adversary::SyncLiar || random.chance(8)).then(|| {
            let node = (faulty + 1 + random.below(VALIDATORS as u64 - 1) as usize) % VALIDATORS;
            (node, 2_000 + random.below(3_000))
        });
        let flood = random.chance(10).then(|| random.below(VALIDATORS as u64) as usize);
        // At most one validator may ever be faulty, and one that forgets its votes is.
        let mut forgetful = adversary.is_byzantine() || late.is_some();
        let count = if late.is_some() { 1 } else { 1 + random.below(3) as usize };
        let mut segments: Vec<Segment> = (0..count).map(|_| segment(&mut random, &mut forgetful, late.is_some())).collect();
        // After the last one everything is made good.
        segments[count - 1].cut = None;
        let change = (late.is_none() && random.chance(12)).then(|| 300 + random.below(3_000));
        Self { seed, links, adversary, faulty, late, flood, change, kept, segments }
    }

    /// The power goes at this write, counted over all nodes from the start of an empty city; then it comes back.
    fn at_write_point(point: u64) -> Self {
        let segment = |length, cut| Segment { length, mishaps: Vec::new(), cut };
        Self {
            seed: WRITE_POINTS + point,
            links: Links::NEAR,
            adversary: Adversary::None,
            faulty: 0,
            late: None,
            flood: None,
            change: None,
            kept: ([0, 50, 100][point as usize % 3], point.is_multiple_of(2)),
            segments: vec![segment(2_500, Some(point)), segment(500, None)],
        }
    }

    /// How many nodes there may be.
    pub fn nodes(&self) -> usize {
        VALIDATORS + usize::from(self.change.is_some())
    }

    /// Whether a node breaks the protocol.
    pub fn is_byzantine(&self, index: usize) -> bool {
        self.adversary.is_byzantine() && index == self.faulty
    }

    /// Whether a disk is ever full, so that tasks of nodes end.
    pub fn has_full_disk(&self) -> bool {
        self.segments.iter().flat_map(|segment| &segment.mishaps).any(|(_, it)| matches!(it, Mishap::DiskFull(..)))
    }

    /// Whether an honest node may forget what it has taken and not yet put into a block.
    pub fn has_crashes(&self) -> bool {
        let stops = |it: &Mishap| !matches!(it, Mishap::Isolate(..) | Mishap::Split(..));
        self.segments.len() > 1 || self.segments.iter().flat_map(|segment| &segment.mishaps).any(|(_, it)| stops(it))
    }
}

fn links(random: &mut Random) -> Links {
    match random.below(4) {
        0 => Links { latency: 1 + random.below(5), jitter: random.below(2), loss: 0, reordered: 0 },
        1 => Links { latency: 20 + random.below(60), jitter: random.below(20), loss: 0, reordered: 0 },
        2 => Links { latency: 2 + random.below(20), jitter: 1 + random.below(10), loss: 0, reordered: 5 + random.below(20) },
        _ => Links {
            latency: 5 + random.below(20),
            jitter: random.below(10),
            loss: 2 + random.below(13),
            reordered: random.below(5),
        },
    }
}

fn adversary(random: &mut Random) -> Adversary {
    let lies = [Lie::State, Lie::Receipt, Lie::Malformed, Lie::Forged, Lie::Again];
    match random.below(14) {
        0..=2 => Adversary::None,
        3 | 4 => Adversary::Equivocator,
        5 => Adversary::SilentLeader,
        6..=8 => Adversary::InvalidBlocks(*random.pick(&lies)),
        9 | 10 => Adversary::SyncLiar,
        11 => Adversary::Clock(*random.pick(&[-4_000, -300, 300, 1_500, 60_000])),
        12 => Adversary::Clock(random.below(2_000) as i64),
        _ => Adversary::Garbage,
    }
}

fn segment(random: &mut Random, forgetful: &mut bool, late: bool) -> Segment {
    let length = if late { 7_000 } else { 3_000 } + random.below(4_000);
    let mut mishaps = Vec::new();
    for _ in 0..random.below(4) {
        let at = random.below(length - 500);
        let node = random.below(VALIDATORS as u64) as usize;
        let time = 300 + random.below(3_000);
        let mishap = match random.below(8) {
            0 | 1 => Mishap::Kill(node, time),
            2 => Mishap::Isolate(node, time),
            3 => Mishap::Split(node, time),
            4 => Mishap::DiskFull(node, time),
            5 | 6 => Mishap::CrashAtWrite(node, random.below(80), time),
            _ if !*forgetful => {
                *forgetful = true;
                Mishap::Wipe(node, time)
            }
            _ => Mishap::Kill(node, time),
        };
        mishaps.push((at, mishap));
    }
    mishaps.sort_by_key(|(at, _)| *at);
    let cut = random.chance(50).then(|| random.below(800));
    Segment { length, mishaps, cut }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Links { latency, jitter, loss, reordered } = self.links;
        write!(f, "{latency}±{jitter} ms, {loss}% lost, {reordered}% overtaken; ")?;
        match self.adversary {
            Adversary::None => write!(f, "nobody faulty"),
            Adversary::Equivocator => write!(f, "node {} equivocates", self.faulty),
            Adversary::SilentLeader => write!(f, "node {} never proposes", self.faulty),
            Adversary::InvalidBlocks(lie) => write!(f, "node {} proposes invalid blocks ({lie:?})", self.faulty),
            Adversary::SyncLiar => write!(f, "node {} lies to those that catch up", self.faulty),
            Adversary::Clock(skew) => write!(f, "node {} has its clock off by {skew:+} ms", self.faulty),
            Adversary::Garbage => write!(f, "node {} sends garbage", self.faulty),
        }?;
        if let Some((node, at)) = self.late {
            write!(f, "; node {node} joins at {at} ms")?;
        }
        if let Some(department) = self.flood {
            write!(f, "; department {department} floods")?;
        }
        if let Some(at) = self.change {
            write!(f, "; from {at} ms on a fifth is voted in, and node {} out", self.faulty)?;
        }
        let mishaps: usize = self.segments.iter().map(|segment| segment.mishaps.len()).sum();
        write!(f, "; {mishaps} mishaps, {} power cuts", self.segments.len() - 1)
    }
}
