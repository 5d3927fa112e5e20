//! Decisions of the rulepack module: facts in, an answer or a refusal out. Refusals are tried in order; the first is the answer.

use zhulian_primitives::Timestamp;

use super::{
    errors::Error,
    types::{Keeps, Manifest, Version},
};

/// Whether a version may be enacted at `now`, when `latest` is the number of the latest one and `standing` the latest one that is
/// not annulled (P3, P4). What was annulled never took effect and binds nobody.
pub(super) fn may_enact(manifest: &Manifest, latest: u32, standing: Option<&Version>, now: Timestamp) -> Result<(), Error> {
    if Some(manifest.version) != latest.checked_add(1) {
        return Err(Error::WrongVersion);
    }
    if standing.is_some_and(|version| manifest.from <= version.from) {
        return Err(Error::NotLater);
    }
    let notice = standing.map_or(manifest.notice_ms, |version| version.notice_ms);
    if manifest.from < now.saturating_add(notice) {
        return Err(Error::NoticeTooShort);
    }
    Ok(())
}

/// Whether a version may be annulled at `now` (P5).
pub(super) fn may_annul(version: &Version, now: Timestamp) -> Result<(), Error> {
    if version.annulled.is_some() {
        return Err(Error::AlreadyAnnulled);
    }
    if version.from <= now {
        return Err(Error::AlreadyInForce);
    }
    Ok(())
}

/// Whether a version that a case names may decide at `now` (P7). `in_force` is the number of the one in force.
pub(super) fn may_use(number: u32, version: &Version, in_force: Option<u32>, now: Timestamp) -> Result<(), Error> {
    if in_force == Some(number) {
        return Ok(());
    }
    if version.annulled.is_some() || version.from > now {
        return Err(Error::NotInForce);
    }
    match version.keeps {
        Keeps::Opened => Ok(()),
        Keeps::Latest => Err(Error::Superseded),
    }
}
