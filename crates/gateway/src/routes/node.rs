//! The network and the node.

use axum::{Json, extract::State};
use zhulian_api::{
    ErrorCode,
    diagnosis::{Diagnosis, diagnose},
    view,
};
use zhulian_modules::{
    governance::{self, Parameter, Power},
    identity::Uscc,
};
use zhulian_primitives::{Network, Validator, quorum};

use crate::{Failure, Shared, backend, show, state};

/// The network: identity, parameters, genesis time
#[utoipa::path(get, path = "/v1/network", tag = "network", operation_id = "network",
    responses((status = 200, description = "The network", body = view::NetworkView)))]
pub async fn network(State(gateway): State<Shared>) -> Result<Json<view::NetworkView>, Failure> {
    let network = gateway.backend.network();
    let identity = view::NetworkIdentity {
        format: zhulian_verify::NETWORK_FORMAT.into(),
        name: network.name.clone(),
        chain: network.chain.into(),
        validators: network.validators.iter().map(identity_validator).collect(),
    };
    let status = gateway.backend.status();
    let parameters = match state::query(&*gateway.backend, |source, _| governance::parameters(&source)).await {
        Ok((_, parameters)) => Parameter::ALL.iter().map(|it| (it.name(), parameters.get(*it))).collect(),
        // Whom the network consists of is known all the same, and a client needs it first.
        Err(failure) if failure.code() == ErrorCode::NotReady => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let parameter = |(name, value): (&str, u64)| view::ParameterView { name: name.into(), value };
    Ok(Json(view::NetworkView {
        identity,
        genesis_time_ms: status.genesis_time,
        protocol_version: status.protocol().in_force,
        parameters: parameters.into_iter().map(parameter).collect(),
    }))
}

/// How the node is
#[utoipa::path(get, path = "/v1/status", tag = "network", operation_id = "status",
    responses((status = 200, description = "The node's status", body = view::StatusView)))]
pub async fn status(State(gateway): State<Shared>) -> Json<view::StatusView> {
    Json(status_view(&gateway))
}

/// What keeps the network from going on, or soon may
#[utoipa::path(get, path = "/v1/diagnosis", tag = "network", operation_id = "diagnosis",
    responses((status = 200, description = "What is wrong, the worst first, with remedies", body = Diagnosis)))]
pub async fn diagnosis(State(gateway): State<Shared>) -> Json<Diagnosis> {
    let status = gateway.backend.status();
    Json(diagnose(&status_view(&gateway), quorum(status.network(status.epoch).validators.len())))
}

fn status_view(gateway: &Shared) -> view::StatusView {
    let status = gateway.backend.status();
    let protocol = status.protocol();
    let network = status.network(status.epoch);
    let peer = |peer: &backend::Peer| view::PeerView {
        name: show::validator_name(network, &peer.public_key),
        public_key: peer.public_key.into(),
        connected: peer.connected,
        height: peer.height.unwrap_or(0),
        height_known: peer.height.is_some(),
        last_seen_ms: peer.last_seen,
        clock_skew_ms: peer.clock_skew_ms,
    };
    view::StatusView {
        phase: match status.phase {
            backend::Phase::Starting => view::Phase::Starting,
            backend::Phase::Syncing => view::Phase::Syncing,
            backend::Phase::Running => view::Phase::Running,
        },
        chain: network.chain.into(),
        public_key: status.public_key.map(Into::into),
        height: status.height.unwrap_or(0),
        time_ms: status.time,
        block: status.block.map(Into::into),
        indexed_height: status.indexed_height,
        epoch: status.epoch,
        view: status.view,
        leader: status.leader.map(|key| show::validator_name(network, &key)),
        peers: status.peers.iter().map(peer).collect(),
        settling: status.settling,
        mempool_transactions: status.mempool_transactions,
        mempool_bytes: status.mempool_bytes,
        mempool_bytes_max: status.mempool_bytes_max,
        transactions: status.transactions,
        evidence: status.evidence,
        damage: status.damage,
        disk: status.disk.map(|disk| view::DiskView {
            used_bytes: disk.used_bytes,
            free_bytes: disk.free_bytes,
            full_in_days: disk.full_in_days,
        }),
        archive: status
            .archive
            .map(|archive| view::ArchiveView { archived_height: archive.archived, problem: archive.problem }),
        calendars: status
            .calendars
            .iter()
            .map(|it| view::CalendarDueView {
                pack: it.pack.clone(),
                last_day: it.last_day.clone(),
                days_left: it.days_left,
            })
            .collect(),
        keys_due: status
            .keys_due
            .iter()
            .map(|it| view::KeyDueView {
                public_key: it.key.to_string(),
                member: it.member.clone(),
                days_left: it.days_left,
            })
            .collect(),
        protocol,
        stall: status.stall,
        version: status.version,
    }
}

/// The validators
#[utoipa::path(get, path = "/v1/validators", tag = "network", operation_id = "validators",
    responses((status = 200, description = "The validators of the epoch, and how power is spread over them", body = view::Validators)))]
pub async fn validators(State(gateway): State<Shared>) -> Result<Json<view::Validators>, Failure> {
    let status = gateway.backend.status();
    let network = status.network(status.epoch);
    let item = |validator: &Validator| {
        let this_node = status.public_key == Some(validator.public_key);
        let mut heard = status.peers.iter().chain(&status.followers);
        let peer = heard.find(|peer| peer.public_key == validator.public_key);
        view::ValidatorView {
            name: validator.name.clone(),
            organisation: validator.organisation.clone(),
            public_key: validator.public_key.into(),
            this_node,
            connected: this_node || peer.is_some_and(|peer| peer.connected),
            height: if this_node { status.height.unwrap_or(0) } else { peer.and_then(|peer| peer.height).unwrap_or(0) },
            misbehaviour: peer.map_or(0, |peer| peer.misbehaviour),
        }
    };
    let read = state::query(&*gateway.backend, |source, _| (governance::network(&source), governance::seats(&source)));
    let (record, seats) = match read.await {
        Ok((_, found)) => found,
        Err(failure) if failure.code() == ErrorCode::NotReady => (None, None),
        Err(failure) => return Err(failure),
    };
    let blocks = record.map_or(0, |record| record.epoch_blocks);
    let pending = seats.filter(|seats| seats.is_pending(status.epoch)).map(|seats| view::PendingValidators {
        epoch: seats.epoch,
        height: seats.epoch * blocks,
        items: seats.seats.iter().map(|seat| item(&seat.validator())).collect(),
    });
    Ok(Json(view::Validators {
        epoch: status.epoch,
        quorum: quorum(network.validators.len()) as u32,
        epoch_ends: (status.epoch + 1) * blocks.max(1) - 1,
        items: network.validators.iter().map(item).collect(),
        pending,
        power: power(network),
    }))
}

fn identity_validator(validator: &Validator) -> view::IdentityValidator {
    view::IdentityValidator {
        name: validator.name.clone(),
        organisation: validator.organisation.clone(),
        public_key: validator.public_key.into(),
    }
}

fn power(network: &Network) -> view::PowerView {
    let codes = network.validators.iter().filter_map(|validator| Uscc::parse(&validator.organisation).ok());
    let power = Power::counted(codes);
    let held = |(code, count): &(Uscc, usize)| {
        let runs = network.validators.iter().find(|validator| validator.organisation == code.as_str());
        view::PowerHeld {
            organisation: code.to_string(),
            name: runs.map(|validator| validator.name.clone()).unwrap_or_default(),
            validators: *count as u32,
            percent: (count * 100 / power.total.max(1)) as u32,
        }
    };
    view::PowerView {
        concentration: power.concentration().name().into(),
        nakamoto: power.nakamoto() as u32,
        organisations: power.held.iter().map(held).collect(),
    }
}
