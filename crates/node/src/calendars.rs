//! How long the calendars of working days in force still hold: the next year's days off are announced in the November before, and
//! have to be voted in before periods that end in that year can be reckoned.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
    time::Duration,
};

use zhulian_engine as engine;
use zhulian_gateway::{CalendarDue, NodeStatus};
use zhulian_ledger::{Key, Loaded, Missing};
use zhulian_modules::rulepack::{CalendarEnd, calendar_ends, day_of};

/// How often it is looked at, and how soon again when there was no answer.
const EVERY: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_secs(5);

/// Notes in the status how long the calendars hold.
pub(crate) async fn watch(handle: engine::Handle, status: Arc<RwLock<NodeStatus>>) {
    loop {
        let again = match due(&handle).await {
            Some(due) => {
                status.write().unwrap_or_else(|poisoned| poisoned.into_inner()).calendars = due;
                EVERY
            }
            None => SOON,
        };
        tokio::time::sleep(again).await;
    }
}

/// The calendars, the one that ends first before the others; `None` while there is no state.
async fn due(handle: &engine::Handle) -> Option<Vec<CalendarDue>> {
    let mut keys = BTreeSet::<Key>::new();
    loop {
        let asked: Vec<Key> = keys.iter().copied().collect();
        let (header, values) = handle.get(asked.clone()).await.ok()?;
        let loaded: Loaded = asked.into_iter().zip(values).collect();
        match zhulian_modules::query(&loaded, |source| calendar_ends(&source, header.time)) {
            Ok(ends) => {
                let today = day_of(header.time)?.days();
                let due = |CalendarEnd { pack, last, .. }: CalendarEnd| CalendarDue {
                    pack: pack.to_string(),
                    last_day: last.to_string(),
                    days_left: last.days() - today,
                };
                let mut all: Vec<CalendarDue> = ends.into_iter().map(due).collect();
                all.sort_by_key(|it| it.days_left);
                return Some(all);
            }
            Err(Missing(more)) => keys.extend(more),
        }
    }
}
