//! Logs and metrics. Neither holds personal data: heights, digests, counts, keys of validators, codes of organisations.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, stderr},
    sync::atomic::Ordering::Relaxed,
};

use tracing_subscriber::{EnvFilter, fmt};
use zhulian_gateway::{NodeStatus, Peer, Phase};
use zhulian_modules::{governance::Power, identity::Uscc};
use zhulian_primitives::quorum;

use crate::{
    config::Log,
    index::Progress,
    mempool::{Intake, Mempool, Owner},
};

/// Starts logging to the standard error stream, once for the process. A broken filter is replaced by the default one.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new(Log::default().filter));
    // A log that cannot be written, on a disk that is full, is no reason to end the node in the middle of a word.
    let subscriber = fmt().with_env_filter(filter).with_writer(stderr).with_target(true).log_internal_errors(false);
    // Colours are for eyes, not for journals and files.
    let subscriber = subscriber.with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // A second start, as in tests, leaves the first one in place.
    let _ = if log.json { subscriber.json().try_init() } else { subscriber.try_init() };
}

/// What the node knows of itself and the others, in the text format of Prometheus.
pub(crate) fn status(status: &NodeStatus) -> String {
    let network = status.network(status.epoch);
    let mut text = String::new();
    let out = &mut text;
    let labels = format!("{{version=\"{}\"}}", label(&status.version));
    labelled(out, "zhulian_build_info", "The node's version", "gauge", [(labels, 1)]);
    gauge(out, "zhulian_running", "Whether the node has caught up and votes", u8::from(status.phase == Phase::Running));
    gauge(out, "zhulian_stalled", "Whether no block has come for long", u8::from(status.stall.is_some()));
    gauge(out, "zhulian_height", "The last finalised block", status.height.unwrap_or(0));
    let seconds = status.time.unwrap_or(status.genesis_time) as f64 / 1_000.0;
    gauge(out, "zhulian_block_timestamp_seconds", "Time of the last finalised block", seconds);
    gauge(out, "zhulian_view", "The view that consensus is in", status.view);
    gauge(out, "zhulian_epoch", "The epoch that the validators decide", status.epoch);
    let protocol = status.protocol();
    gauge(out, "zhulian_protocol", "The protocol that the next block follows", protocol.in_force);
    gauge(out, "zhulian_protocol_known", "The newest protocol that this node executes", protocol.known);
    if let Some(next) = protocol.next {
        gauge(out, "zhulian_protocol_next", "The protocol that was voted to follow", next.protocol);
        gauge(out, "zhulian_protocol_next_height", "The height at which it begins", next.height);
    }
    gauge(out, "zhulian_validators", "Validators of the epoch", network.validators.len());
    gauge(out, "zhulian_quorum", "Validators whose votes finalise a block", quorum(network.validators.len()));
    let power = Power::counted(network.validators.iter().filter_map(|it| Uscc::parse(&it.organisation).ok()));
    gauge(out, "zhulian_validators_greatest", "Validators of the organisation that runs most", power.greatest());
    gauge(out, "zhulian_nakamoto_coefficient", "Organisations that can stop the network together", power.nakamoto());
    let level = power.concentration() as u8;
    gauge(out, "zhulian_power_concentration", "1 when an organisation runs a quarter of the validators, 2 a third", level);
    gauge(out, "zhulian_damaged_records", "Stored records that failed their check and are not served", status.damage.len());
    let failing = status.archive.as_ref().is_some_and(|archive| archive.problem.is_some());
    gauge(out, "zhulian_archive_failing", "Whether old blocks cannot be archived", u8::from(failing));
    if let Some(archive) = &status.archive {
        gauge(out, "zhulian_archived_height", "The last block in the archive of old blocks", archive.archived);
    }
    if let Some(disk) = &status.disk {
        gauge(out, "zhulian_disk_used_bytes", "Bytes that the node uses on its disk", disk.used_bytes);
        gauge(out, "zhulian_disk_free_bytes", "Bytes that are free on the node's disk", disk.free_bytes);
        if let Some(days) = disk.full_in_days {
            let seconds = days * 86_400;
            gauge(
                out,
                "zhulian_disk_full_in_seconds",
                "Time until the disk is full at the growth of the last days",
                seconds,
            );
        }
    }
    let due = |days: i64| status.keys_due.iter().filter(|key| key.days_left <= days).count();
    let samples = [90, 30, 7, 0].map(|days| (format!("{{within_days=\"{days}\"}}"), due(days)));
    labelled(out, "zhulian_keys_due", "Keys of the node's organisation that are due for replacement", "gauge", samples);
    let samples = status.calendars.iter().map(|it| (format!("{{pack=\"{}\"}}", label(&it.pack)), it.days_left));
    labelled(out, "zhulian_calendar_days_left", "Days that a calendar of working days still holds", "gauge", samples);
    let peer = |peer: &Peer| {
        let name = network.validators.iter().find(|it| it.public_key == peer.public_key).map(|it| it.name.as_str());
        format!("{{validator=\"{}\"}}", label(name.unwrap_or("?")))
    };
    let mut peers = |name: &str, help: &str, kind: &str, value: &dyn Fn(&Peer) -> Option<f64>| {
        labelled(out, name, help, kind, status.peers.iter().filter_map(|it| Some((peer(it), value(it)?))));
    };
    peers("zhulian_peer_connected", "Whether a validator was heard lately", "gauge", &|it| {
        Some(f64::from(u8::from(it.connected)))
    });
    // One that has not said its height has none, rather than 0.
    peers("zhulian_peer_height", "The last block that a validator has executed", "gauge", &|it| Some(it.height? as f64));
    let skew = |it: &Peer| Some(if it.connected { it.clock_skew_ms as f64 / 1_000.0 } else { 0.0 });
    peers("zhulian_peer_clock_skew_seconds", "A validator's clock minus this node's", "gauge", &skew);
    peers("zhulian_peer_misbehaviour_total", "Contradictory votes that a validator signed", "counter", &|it| {
        Some(it.misbehaviour as f64)
    });
    text
}

/// The text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The metrics of mempool and index, in the text format of Prometheus.
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

fn gauge(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    family(text, name, help, "gauge", value);
}

fn family(text: &mut String, name: &str, help: &str, kind: &str, value: impl std::fmt::Display) {
    labelled(text, name, help, kind, [(String::new(), value)]);
}

fn labelled<V: std::fmt::Display>(
    text: &mut String,
    name: &str,
    help: &str,
    kind: &str,
    samples: impl IntoIterator<Item = (String, V)>,
) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writing to a string cannot fail");
    for (labels, value) in samples {
        writeln!(text, "{name}{labels} {value}").expect("writing to a string cannot fail");
    }
}
