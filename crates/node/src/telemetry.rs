//! Logs and metrics. Neither holds personal data: heights, digests, counts, keys of validators, codes of organisations.

use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

use tracing_subscriber::{EnvFilter, fmt};

use zhulian_modules::{governance::Power, identity::Uscc};
use zhulian_primitives::Network;

use crate::{
    config::Log,
    index::Progress,
    mempool::{Intake, Mempool, Owner},
};

/// Starts logging to the standard error stream, once for the process. A broken filter is replaced by the default one.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new(Log::default().filter));
    let subscriber = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    // A second start, as in tests, leaves the first one in place.
    let _ = if log.json { subscriber.json().try_init() } else { subscriber.try_init() };
}

/// The node's metrics in the text format of Prometheus.
pub(crate) fn metrics(mempool: &Mempool, intake: &Intake, index: Option<&Progress>) -> String {
    let mut text = String::new();
    {
        let pool = mempool.lock();
        gauge(&mut text, "zhulian_mempool_transactions", "Transactions that wait", pool.count());
        gauge(&mut text, "zhulian_mempool_bytes", "Bytes of the transactions that wait", pool.bytes());
        gauge(&mut text, "zhulian_mempool_transactions_max", "Transactions that may wait", pool.limits().count_max);
        gauge(&mut text, "zhulian_mempool_bytes_max", "Bytes of transactions that may wait", pool.limits().bytes_max);
        let nobody = pool.counts().find(|(owner, _)| **owner == Owner::Nobody).map_or(0, |(_, count)| count);
        gauge(&mut text, "zhulian_mempool_organisations", "Organisations with waiting transactions", pool.counts().count());
        gauge(&mut text, "zhulian_mempool_unregistered", "Waiting transactions by keys that are not registered", nobody);
        gauge(&mut text, "zhulian_finalised_height", "The last finalised block that the mempool knows", pool.height());
    }
    let counters = intake.counters();
    let all = [
        ("taken", "Transactions taken into the mempool, or known already", &counters.taken),
        ("refused", "Clients' transactions refused with a code", &counters.refused),
        ("full", "Clients' transactions for which there was no room", &counters.full),
        ("peers_refused", "Peers' transactions that were not taken", &counters.peers_refused),
        ("peers_dropped", "Peers' transactions dropped unread", &counters.peers_dropped),
        ("unsent_batches", "Batches of transactions not passed on to other validators", &counters.unsent),
    ];
    for (name, help, counter) in all {
        let name = format!("zhulian_intake_{name}_total");
        family(&mut text, &name, help, "counter", counter.load(Relaxed));
    }
    if let Some(index) = index {
        gauge(&mut text, "zhulian_index_height", "The last block in the query index", index.height());
        gauge(&mut text, "zhulian_index_failing", "Whether writing the index fails", u8::from(index.failing()));
        let (transactions, evidence) = index.totals();
        gauge(&mut text, "zhulian_index_transactions", "Transactions in the query index", transactions);
        gauge(&mut text, "zhulian_index_evidence", "Pieces of evidence in the query index", evidence);
    }
    text
}

/// The validators, and how power is spread over those who run them.
pub(crate) fn power(text: &mut String, epoch: u64, network: &Network) {
    let codes = network.validators.iter().filter_map(|it| Uscc::parse(&it.organisation).ok());
    let power = Power::counted(codes);
    gauge(text, "zhulian_epoch", "The epoch of the validators", epoch);
    gauge(text, "zhulian_validators", "Validators of the epoch", power.total);
    gauge(text, "zhulian_validators_greatest", "Validators of the organisation that runs most", power.greatest());
    gauge(text, "zhulian_nakamoto_coefficient", "Organisations that can stop the network together", power.nakamoto());
    let level = power.concentration() as u8;
    gauge(
        text,
        "zhulian_power_concentration",
        "0 spread, 1 an organisation runs a quarter or more, 2 a third or more",
        level,
    );
}

fn gauge(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    family(text, name, help, "gauge", value);
}

fn family(text: &mut String, name: &str, help: &str, kind: &str, value: impl std::fmt::Display) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}").expect("writing to a string cannot fail");
}
