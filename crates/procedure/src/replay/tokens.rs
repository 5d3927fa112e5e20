//! Playing one case: exactly, to see whether it fits, and with tokens put where they are missing, to see how far it is off.

use super::{
    log::LogCase,
    net::{Label, Marking, Net, Place, Transition},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Markings that are looked at for one event.
const MARKINGS_MAX: usize = 2_000;

/// Tokens counted in a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub produced: u64,
    pub consumed: u64,
    pub missing: u64,
    pub remaining: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self, times: u64) {
        self.produced += other.produced * times;
        self.consumed += other.consumed * times;
        self.missing += other.missing * times;
        self.remaining += other.remaining * times;
    }

    /// `½ (1 − missing / consumed) + ½ (1 − remaining / produced)`, in millionths.
    pub fn fitness(&self) -> u32 {
        let share = |part: u64, whole: u64| {
            if whole == 0 {
                0
            } else {
                500_000 - u32::try_from(500_000 * u128::from(part.min(whole)) / u128::from(whole)).unwrap_or(0)
            }
        };
        share(self.missing, self.consumed) + share(self.remaining, self.produced)
    }
}

/// What the replay of one variant found.
pub(super) struct Verdict {
    pub counts: Counts,
    pub fits: bool,
    pub refused_at: Option<usize>,
}

/// Plays the activities of a case.
pub(super) fn play(net: &Net, activities: &[&str]) -> Verdict {
    let labels: Vec<Option<Label>> = activities.iter().map(|name| net.label(name)).collect();
    let (fits, refused_at) = exactly(net, &labels);
    Verdict { counts: with_tokens(net, &labels), fits, refused_at }
}

/// All markings that come about by themselves.
fn closure(net: &Net, from: BTreeSet<Marking>) -> BTreeSet<Marking> {
    let (mut seen, mut queue) = (from.clone(), from.into_iter().collect::<Vec<_>>());
    while let Some(marking) = queue.pop() {
        for transition in net.transitions.iter().filter(|it| it.label.is_none() && net.enabled(it, &marking)) {
            let after = net.fire(transition, &marking);
            if seen.len() < MARKINGS_MAX && seen.insert(after.clone()) {
                queue.push(after);
            }
        }
    }
    seen
}

/// Whether some run gives exactly these activities; else the place of the first that none allows.
fn exactly(net: &Net, labels: &[Option<Label>]) -> (bool, Option<usize>) {
    let mut markings = closure(net, BTreeSet::from([net.start()]));
    for (at, label) in labels.iter().enumerate() {
        let mut after = BTreeSet::new();
        for transition in net.transitions.iter().filter(|it| it.label.is_some() && it.label == *label) {
            let moved = markings.iter().filter(|marking| net.enabled(transition, marking));
            after.extend(moved.map(|marking| net.fire(transition, marking)));
        }
        if after.is_empty() {
            return (false, Some(at));
        }
        markings = closure(net, after);
    }
    (markings.iter().any(|marking| net.is_end(marking)), None)
}

/// The shortest way by itself from a marking to one that is wanted: the transitions of the way.
fn way(net: &Net, from: &Marking, wanted: impl Fn(&Marking) -> bool) -> Option<Vec<usize>> {
    if wanted(from) {
        return Some(Vec::new());
    }
    let mut before: BTreeMap<Marking, Option<(Marking, usize)>> = BTreeMap::from([(from.clone(), None)]);
    let mut queue = VecDeque::from([from.clone()]);
    while let Some(marking) = queue.pop_front() {
        for (number, transition) in net.transitions.iter().enumerate() {
            if transition.label.is_some() || !net.enabled(transition, &marking) {
                continue;
            }
            let after = net.fire(transition, &marking);
            if before.len() >= MARKINGS_MAX || before.contains_key(&after) {
                continue;
            }
            let found = wanted(&after);
            before.insert(after.clone(), Some((marking.clone(), number)));
            if found {
                let (mut path, mut at) = (Vec::new(), after);
                while let Some(Some((earlier, number))) = before.get(&at).cloned() {
                    path.push(number);
                    at = earlier;
                }
                path.reverse();
                return Some(path);
            }
            queue.push_back(after);
        }
    }
    None
}

/// Plays with tokens that are missing put there, as far as needed.
fn with_tokens(net: &Net, labels: &[Option<Label>]) -> Counts {
    let mut counts = Counts { produced: 1, ..Counts::default() };
    let mut marking = net.start();
    let fire = |marking: &mut Marking, transition: &Transition, counts: &mut Counts| {
        for place in &transition.from {
            let tokens = &mut marking[usize::from(*place)];
            counts.missing += u64::from(*tokens == 0);
            *tokens = (*tokens).max(1);
        }
        let all = marking.iter().map(|tokens| u64::from(*tokens)).sum();
        counts.consumed += if transition.clears { all } else { transition.from.len() as u64 };
        counts.produced += transition.to.len() as u64;
        *marking = net.fire(transition, marking);
    };
    for label in labels {
        // An activity that the procedure does not have is counted apart; no token can be missing for it.
        let Some(label) = label else { continue };
        let of: Vec<&Transition> = net.transitions.iter().filter(|it| it.label == Some(*label)).collect();
        let can = |marking: &Marking| of.iter().any(|it| net.enabled(it, marking));
        for number in way(net, &marking, can).unwrap_or_default() {
            fire(&mut marking, &net.transitions[number], &mut counts);
        }
        let lacks = |it: &&&Transition| it.from.iter().filter(|place| marking[usize::from(**place)] == 0).count();
        if let Some(transition) = of.iter().min_by_key(lacks) {
            fire(&mut marking, transition, &mut counts);
        }
    }
    // What can still come to the end by itself does; of what cannot, as much as possible.
    let path = way(net, &marking, |marking| net.is_end(marking))
        .or_else(|| way(net, &marking, |marking| marking[usize::from(net.sink)] > 0))
        .unwrap_or_default();
    for number in path {
        fire(&mut marking, &net.transitions[number], &mut counts);
    }
    let arrived = u64::from(std::mem::take(&mut marking[usize::from(net.sink)]));
    counts.consumed += arrived.max(1);
    counts.missing += u64::from(arrived == 0);
    counts.remaining += marking.iter().map(|tokens| u64::from(*tokens)).sum::<u64>();
    counts
}

/// Length of a case that fits, and how much shorter it would have been had each step begun when it could. `None` without times.
pub(super) fn saved(net: &Net, run: &[usize], case: &LogCase) -> Option<(i64, i64)> {
    let times: Vec<i64> = case.events.iter().map(|event| event.at).collect::<Option<_>>()?;
    let first = *times.first()?;
    // When each token came to be, could everything have begun at once.
    let mut since: BTreeMap<Place, Vec<i64>> = BTreeMap::from([(net.source, vec![first])]);
    let (mut event, mut end, mut before) = (0, first, first);
    for number in run {
        let transition = &net.transitions[*number];
        let mut begin = i64::MIN;
        for place in &transition.from {
            // Tokens of a place are taken in the order in which they came.
            let tokens = since.get_mut(place)?;
            begin = begin.max(if tokens.is_empty() { return None } else { tokens.remove(0) });
        }
        if transition.label.is_some() {
            let at = *times.get(event)?;
            begin += at - before;
            (before, event) = (at, event + 1);
            end = end.max(begin);
        }
        transition.to.iter().for_each(|place| since.entry(*place).or_default().push(begin));
    }
    let length = times.last()? - first;
    Some((length, (length - (end - first)).max(0)))
}

/// The transitions of a run that gives exactly these activities and comes to the end.
pub(super) fn run(net: &Net, activities: &[&str]) -> Option<Vec<usize>> {
    let labels: Vec<Option<Label>> = activities.iter().map(|name| net.label(name)).collect();
    // Breadth first over markings and how many activities are done; the first way to the end is one of the shortest.
    type State = (Marking, usize);
    let begin: State = (net.start(), 0);
    let mut before: BTreeMap<State, Option<(State, usize)>> = BTreeMap::from([(begin.clone(), None)]);
    let mut queue = VecDeque::from([begin]);
    while let Some(state) = queue.pop_front() {
        let (marking, done) = &state;
        if *done == labels.len() && net.is_end(marking) {
            let (mut path, mut at) = (Vec::new(), state);
            while let Some(Some((earlier, number))) = before.get(&at).cloned() {
                path.push(number);
                at = earlier;
            }
            path.reverse();
            return Some(path);
        }
        for (number, transition) in net.transitions.iter().enumerate() {
            let step = match transition.label {
                None => 0,
                Some(label) if labels.get(*done) == Some(&Some(label)) => 1,
                Some(_) => continue,
            };
            if !net.enabled(transition, marking) {
                continue;
            }
            let after = (net.fire(transition, marking), done + step);
            if before.len() < MARKINGS_MAX * 16 && !before.contains_key(&after) {
                before.insert(after.clone(), Some((state.clone(), number)));
                queue.push_back(after);
            }
        }
    }
    None
}
