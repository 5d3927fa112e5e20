//! Who takes part, and how they decide.

use axum::{Json, extract::State};
use serde_json::json;
use zhulian_api::{ErrorCode, HexBytes, view};
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    governance::{self, Action, Upgrade},
    identity::{self, Organisation, Uscc},
};
use zhulian_primitives::Height;

use crate::{
    Failure, Shared, cursor, refusals,
    request::{Params, Segment, organisation_code},
    state,
};

fn standing(active: bool) -> String {
    if active { "active" } else { "suspended" }.into()
}

/// Organisations in the order in which they were admitted
#[utoipa::path(get, path = "/v1/organisations", tag = "organisations", operation_id = "organisations",
    params(
        ("cursor" = Option<crate::openapi::OrganisationCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The organisations", body = view::OrganisationList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::OrganisationList>, Failure> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit()?;
    let from = params.text("cursor").map(|text| cursor::read_number('o', text)).transpose()?.unwrap_or(0);
    let (_, mut found) =
        state::query(&*gateway.backend, |source, _| identity::organisations(&source, from, limit + 1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = more.then(|| cursor::write_number('o', from + limit as u32));
    Ok(Json(view::OrganisationList { items: found.into_iter().map(|(code, found)| row(&code, found)).collect(), next }))
}

fn row(code: &Uscc, organisation: Organisation) -> view::OrganisationRow {
    view::OrganisationRow {
        uscc: code.to_string(),
        name: organisation.zh.to_string(),
        name_en: organisation.en.as_ref().map(ToString::to_string),
        class: organisation.class.name().into(),
        status: standing(organisation.is_active()),
        votes: organisation.votes,
        admitted_height: organisation.admitted,
        members: organisation.members,
    }
}

/// Members shown of one organisation at most.
const MEMBERS_MAX: usize = 200;

/// An organisation with its members, roles and keys
///
/// Members are pseudonyms; the first 200 are shown.
#[utoipa::path(get, path = "/v1/organisations/{uscc}", tag = "organisations", operation_id = "organisation",
    params(("uscc" = crate::openapi::OrganisationCode, Path, description = "Unified social credit code")),
    responses((status = 200, description = "The organisation", body = view::OrganisationView)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::OrganisationView>, Failure> {
    let code = segment.get("uscc", organisation_code)?;
    // A code whose check character does not fit is well formed to ask for, and is nobody's.
    let code = Uscc::parse(&code).map_err(|_| Failure::from(ErrorCode::OrganisationNotFound))?;
    let (header, found) = state::query(&*gateway.backend, |source, header| detail(source, &code, header.height)).await?;
    let (organisation, members) = found.ok_or_else(|| Failure::from(ErrorCode::OrganisationNotFound))?;
    let row = row(&code, organisation);
    Ok(Json(view::OrganisationView {
        uscc: row.uscc,
        name: row.name,
        name_en: row.name_en,
        class: row.class,
        status: row.status,
        votes: row.votes,
        admitted_height: row.admitted_height,
        members,
        height: header.height,
    }))
}

fn detail(
    source: &dyn Fn(&Key) -> Option<Value>,
    code: &Uscc,
    height: Height,
) -> Option<(Organisation, Vec<view::MemberView>)> {
    let organisation = identity::organisation(&source, code)?;
    let members = identity::members_of(&source, code, 0, MEMBERS_MAX).into_iter().map(|found| {
        let keys = identity::keys_of(&source, code, &found.id).into_iter().map(|key| view::KeyView {
            public_key: HexBytes(key.key.0.as_bytes().to_vec()),
            algorithm: key.key.0.algorithm().name().into(),
            active: key.record.counts_at(height),
            from_height: key.record.from,
            until_height: key.record.until,
            end: key.record.end.map(|end| end.name().into()),
        });
        view::MemberView {
            keys: keys.collect(),
            member: found.id.to_string(),
            kind: found.member.kind.name().into(),
            status: standing(found.member.is_active()),
            roles: found.member.roles.iter().map(|role| role.name().into()).collect(),
        }
    });
    Some((organisation, members.collect()))
}

/// Motions of governance, newest first
#[utoipa::path(get, path = "/v1/motions", tag = "organisations", operation_id = "motions",
    params(
        ("cursor" = Option<crate::openapi::MotionCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The motions", body = view::MotionList)))]
pub async fn motions(State(gateway): State<Shared>, params: Params) -> Result<Json<view::MotionList>, Failure> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit()?;
    let before = params.text("cursor").map(|text| cursor::read_number('m', text)).transpose()?;
    let (_, found) =
        state::query(&*gateway.backend, |source, header| governance::motions(&source, before, limit, header.height)).await?;
    let next = found
        .last()
        .filter(|last| found.len() == limit && last.number > 0)
        .map(|last| cursor::write_number('m', last.number));
    Ok(Json(view::MotionList { items: found.into_iter().map(motion).collect(), next }))
}

/// A motion with its votes.
pub fn motion(found: governance::MotionView) -> view::MotionView {
    let motion = found.motion;
    view::MotionView {
        motion: found.number,
        organisation: motion.organisation.to_string(),
        member: motion.member.to_string(),
        status: found.standing.name().into(),
        action: motion.action.name().into(),
        matter: matter(&motion.action),
        opened_height: motion.opened,
        closes_height: motion.closes,
        decided_height: motion.decided,
        failure: motion.failure.map(|failure| {
            refusals::describe(&zhulian_primitives::Code { module: failure.module, number: failure.number }).slug
        }),
        ballots: motion
            .ballots
            .iter()
            .map(|ballot| view::BallotView {
                organisation: ballot.organisation.to_string(),
                member: ballot.member.to_string(),
                approve: ballot.approve,
                height: ballot.height,
            })
            .collect(),
    }
}

/// What a motion asks for.
fn matter(action: &Action) -> serde_json::Value {
    match action {
        Action::Admit(founding) => json!({
            "organisation": founding.organisation.to_string(),
            "name": founding.zh.to_string(),
            "class": founding.class.name(),
            "votes": founding.votes,
            "members": founding.members.iter().map(first_member).collect::<Vec<_>>(),
        }),
        Action::Suspend(code) | Action::Reinstate(code) => json!({ "organisation": code.to_string() }),
        Action::Set(parameter, value) => json!({ "parameter": parameter.name(), "value": value }),
        Action::EnactRules(digest) => json!({ "manifest": zhulian_api::Hex32(*digest).to_string() }),
        Action::AnnulRules(pack, version) => json!({ "pack": pack.to_string(), "version": version }),
        Action::AddValidator(seat) => json!({
            "organisation": seat.organisation.to_string(),
            "name": seat.name.to_string(),
            "public_key": zhulian_api::Hex32(seat.public_key).to_string(),
            "address": seat.address.as_ref().map(governance::Address::as_str),
        }),
        Action::RemoveValidator(code, key) => {
            json!({ "organisation": code.to_string(), "public_key": zhulian_api::Hex32(*key).to_string() })
        }
        Action::ScheduleProtocol(Upgrade { protocol, height }) => json!({ "protocol": protocol, "height": height }),
        Action::AnnulProtocol(protocol) => json!({ "protocol": protocol }),
        Action::RekeyValidator(old, new, address) => json!({
            "public_key": zhulian_api::Hex32(*old).to_string(),
            "new_public_key": zhulian_api::Hex32(*new).to_string(),
            "address": address.as_ref().map(governance::Address::as_str),
        }),
        Action::Recover(code, members) => json!({
            "organisation": code.to_string(),
            "members": members.iter().map(first_member).collect::<Vec<_>>(),
        }),
    }
}

fn first_member(member: &identity::FirstMember) -> serde_json::Value {
    json!({
        "member": member.member.to_string(),
        "kind": member.kind.name(),
        "roles": member.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
        "keys": member.keys.iter().map(|key| key.0.to_string()).collect::<Vec<_>>(),
    })
}
