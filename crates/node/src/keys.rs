//! Which keys of this node's organisation are due for replacement. The ledger lets a key count until its holder replaces or an
//! administrator ends it, so this is a reminder by the organisation's own rule (`gateway.key_days`), and nobody is locked out by a date.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use zhulian_crypto::PublicKey;
use zhulian_engine as engine;
use zhulian_gateway::{KeyDue, NodeStatus};
use zhulian_ledger::Key as StateKey;
use zhulian_modules::identity::{self, MemberKey};
use zhulian_primitives::{Height, Network, Timestamp};

use crate::index::{IndexError, Queries};

/// How often it is looked at, and how soon again when there was no answer.
const EVERY: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_secs(5);
/// Days before a key is due, from which on it is said.
const DAYS_AHEAD: i64 = 90;
/// Keys read from the state at once.
const AT_ONCE: usize = 1_024;
const DAY_MS: u64 = 86_400_000;

/// A live key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Live {
    key: PublicKey,
    member: String,
    since: Timestamp,
}

/// What is looked at.
pub(crate) struct Watch {
    pub handle: engine::Handle,
    pub queries: Arc<Queries>,
    /// The node's own key, by which its organisation is found: it may become a validator long after its start.
    pub me: [u8; 32],
    pub genesis_time: Timestamp,
    /// Days after which a key is due.
    pub days: u32,
}

/// Notes in the status which keys are due.
pub(crate) async fn watch(watch: Watch, status: Arc<RwLock<NodeStatus>>) {
    let watch = Arc::new(watch);
    loop {
        let organisation = organisation(&status.read().unwrap_or_else(|poisoned| poisoned.into_inner()).sets, &watch.me);
        let live = match organisation {
            Some(organisation) => live(&watch, organisation).await,
            None => None,
        };
        let again = match live {
            Some(live) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
                let due = due(live, watch.days, now);
                status.write().unwrap_or_else(|poisoned| poisoned.into_inner()).keys_due = due;
                EVERY
            }
            None => SOON,
        };
        tokio::time::sleep(again).await;
    }
}

/// Whose validator has this key, by the newest set that has it.
fn organisation(sets: &[Network], me: &[u8; 32]) -> Option<String> {
    let own = sets.iter().rev().flat_map(|set| &set.validators).find(|it| it.public_key == *me);
    own.map(|it| it.organisation.clone())
}

/// The organisation's keys without an end; `None` while state or index cannot tell.
async fn live(watch: &Arc<Watch>, organisation: String) -> Option<Vec<Live>> {
    let asked = watch.clone();
    let keys = tokio::task::spawn_blocking(move || asked.queries.keys_of(&organisation)).await.ok()?.ok()?;
    let mut records = Vec::new();
    for keys in keys.chunks(AT_ONCE) {
        let wanted: Vec<StateKey> = keys.iter().map(|key| identity::key_state_key(&MemberKey(*key))).collect();
        let (_, values) = watch.handle.get(wanted.clone()).await.ok()?;
        let found: HashMap<_, _> = wanted.into_iter().zip(values).collect();
        let source = |key: &StateKey| found.get(key).cloned().flatten();
        records.extend(keys.iter().filter_map(|key| Some((*key, identity::key(&source, &MemberKey(*key))?))));
    }
    records.retain(|(_, record)| record.until.is_none());
    let (asked, genesis_time) = (watch.clone(), watch.genesis_time);
    let with_times = move || -> Result<Vec<Live>, IndexError> {
        let mut times: HashMap<Height, Option<Timestamp>> = HashMap::from([(0, Some(genesis_time))]);
        let mut live = Vec::new();
        for (key, record) in records {
            let since = match times.get(&record.from) {
                Some(since) => *since,
                None => *times.entry(record.from).or_insert(asked.queries.time_of(record.from)?),
            };
            // Of a block that this node's index does not have, the time is not known.
            let Some(since) = since else { continue };
            live.push(Live { key, member: record.member.as_str().into(), since });
        }
        Ok(live)
    };
    tokio::task::spawn_blocking(with_times).await.ok()?.ok()
}

/// Keys that are due within [`DAYS_AHEAD`] days or overdue, the most urgent first.
fn due(live: Vec<Live>, days: u32, now: Timestamp) -> Vec<KeyDue> {
    let mut due: Vec<KeyDue> = live
        .into_iter()
        .map(|it| {
            let left_ms = (it.since + u64::from(days) * DAY_MS) as i64 - now as i64;
            KeyDue { key: it.key, member: it.member, days_left: left_ms.div_euclid(DAY_MS as i64) }
        })
        .filter(|it| it.days_left <= DAYS_AHEAD)
        .collect();
    due.sort_by(|a, b| (a.days_left, &a.member, a.key.as_bytes()).cmp(&(b.days_left, &b.member, b.key.as_bytes())));
    due
}

#[cfg(test)]
mod tests {
    use zhulian_crypto::{Algorithm, SigningKey};
    use zhulian_primitives::Validator;

    use super::*;

    #[test]
    fn the_organisation_is_that_of_the_newest_set_with_the_node_in_it() {
        let set = |epoch, members: &[(u8, &str)]| Network {
            name: "city".into(),
            chain: [0; 32],
            epoch,
            validators: members
                .iter()
                .map(|(key, code)| Validator { name: "n".into(), organisation: (*code).into(), public_key: [*key; 32] })
                .collect(),
        };
        let mut sets = vec![set(0, &[(1, "one")])];
        assert_eq!(organisation(&sets, &[2; 32]), None);
        sets.push(set(3, &[(1, "one"), (2, "two")]));
        assert_eq!(organisation(&sets, &[2; 32]).as_deref(), Some("two"));
        // Whoever left is its organisation's still.
        sets.push(set(5, &[(2, "two")]));
        assert_eq!(organisation(&sets, &[1; 32]).as_deref(), Some("one"));
    }

    #[test]
    fn keys_are_said_to_be_due_from_ninety_days_before_on_and_the_most_urgent_first() {
        let key = |n: u8| SigningKey::from_secret(Algorithm::EdDsa, &[n; 32]).unwrap().public_key();
        let now = 10_000 * DAY_MS;
        let live = |n: u8, days_old: u64| Live { key: key(n), member: format!("clerk-{n}"), since: now - days_old * DAY_MS };
        let all = vec![live(1, 0), live(2, 274), live(3, 275), live(4, 358), live(5, 365), live(6, 400)];
        let said: Vec<(String, i64)> = due(all, 365, now).into_iter().map(|it| (it.member, it.days_left)).collect();
        let wanted = [("clerk-6", -35), ("clerk-5", 0), ("clerk-4", 7), ("clerk-3", 90)];
        assert_eq!(said, wanted.map(|(member, days)| (member.to_owned(), days)));
        // An hour too old is overdue.
        let old = Live { since: now - 365 * DAY_MS - 3_600_000, ..live(7, 0) };
        assert_eq!(due(vec![old], 365, now)[0].days_left, -1);
    }
}
