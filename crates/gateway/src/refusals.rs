//! The texts of refusal codes, and the one place where each is given an HTTP status.

use zhulian_api::view;
use zhulian_execution::{Refusal as _, RefusalEntry, TRANSACTION_REFUSALS};
use zhulian_modules::MODULES;
use zhulian_primitives::{Code, TransactionError};

/// A refusal as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The stable code on the wire.
    pub slug: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// What to do next, in Chinese.
    pub remedy_zh: String,
    /// What to do next, in English.
    pub remedy_en: String,
    /// The HTTP status that it corresponds to.
    pub status: u16,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

fn described(module: &str, entry: &RefusalEntry) -> Described {
    Described {
        slug: entry.slug(module),
        zh: entry.zh.into(),
        en: entry.en.into(),
        remedy_zh: entry.remedy_zh.into(),
        remedy_en: entry.remedy_en.into(),
        status: placed(module, entry.variant).unwrap_or(422),
        retry: entry.retry,
    }
}

/// The text of a code. One that this build does not know comes from a newer module; it is shown by its number.
pub fn describe(code: &Code) -> Described {
    let known = all().find(|(module, entry)| *module == code.module && entry.number == code.number);
    known.map_or_else(
        || Described {
            slug: format!("{}.{}", code.module, code.number),
            zh: "此版本不认识的拒绝代码".into(),
            en: "a refusal that this version does not know".into(),
            remedy_zh: "请升级到新版本后再看".into(),
            remedy_en: "look it up with a newer version".into(),
            status: 422,
            retry: false,
        },
        |(module, entry)| described(module, entry),
    )
}

fn all() -> impl Iterator<Item = (&'static str, &'static RefusalEntry)> {
    let modules = MODULES.iter().map(|module| (module.name, module.refusals));
    let all = [(TransactionError::MODULE, TRANSACTION_REFUSALS)].into_iter().chain(modules);
    all.flat_map(|(module, entries)| entries.iter().map(move |entry| (module, entry)))
}

/// Every refusal, for the catalogue.
pub fn catalogue() -> Vec<view::ErrorView> {
    let view = |(module, entry)| {
        let Described { slug, zh, en, remedy_zh, remedy_en, status, retry } = described(module, entry);
        view::ErrorView { code: slug, status, zh, en, remedy_zh, remedy_en, retry }
    };
    all().map(view).collect()
}

/// The HTTP status of each refusal; `None` for one that nobody has placed yet, which a test finds.
///
/// 400 the content cannot be read, 401 who signs is not known, 403 known and not entitled, 404 what it is about is not there, 409 it
/// contradicts how things stand, 413 too large, 422 the content is read and cannot be.
fn placed(module: &str, variant: &str) -> Option<u16> {
    Some(match (module, variant) {
        ("transaction", name) => match name {
            "Malformed" | "NotDeterministic" | "UnknownAlgorithm" | "MalformedKey" | "MalformedArguments"
            | "SignatureForm" => 400,
            "BadSignature" | "UnknownKey" => 401,
            "KeyNotActive" | "NotAllowed" => 403,
            "UnknownModule" | "UnknownCall" => 404,
            "WrongChain" | "Expired" | "ValidTooLong" | "Replayed" => 409,
            "TooLarge" | "TooMuch" => 413,
            _ => return None,
        },
        ("identity", name) => match name {
            "MalformedUscc" | "MalformedName" | "MalformedMember" | "MalformedKey" | "MalformedRoles"
            | "MalformedFounding" => 400,
            "OwnAccount" | "AdministratorKey" | "NotYourKey" => 403,
            "MemberNotFound" | "KeyNotFound" | "OrganisationNotFound" => 404,
            "PowersJoined"
            | "MemberExists"
            | "AlreadySuspended"
            | "NotSuspended"
            | "LastAdministrator"
            | "NothingProposed"
            | "RolesPending"
            | "KeyTaken"
            | "TooManyKeys"
            | "KeyAlreadyEnded"
            | "OrganisationExists"
            | "OrganisationStanding"
            | "TooManyVoters" => 409,
            "RoleNotForClass" | "RoleNotForSystem" | "BadProof" | "OverlapTooLong" => 422,
            _ => return None,
        },
        ("governance", name) => match name {
            "NoVote" | "OwnCase" | "NotOpener" => 403,
            "MalformedValidator" => 400,
            "MotionNotFound" | "ValidatorNotFound" | "ProtocolNotPending" => 404,
            "MotionDecided"
            | "MotionExpired"
            | "AlreadyVoted"
            | "ValidatorExists"
            | "ValidatorChangePending"
            | "ProtocolNotNext"
            | "ProtocolPending" => 409,
            "ParameterOutOfBounds" | "EmptyRecovery" | "ProtocolHeight" | "TooMuchPower" | "ValidatorCount" => 422,
            _ => return None,
        },
        ("evidence", name) => match name {
            "MalformedText" | "MalformedDetails" => 400,
            "NotDepositor" | "NotCustodian" => 403,
            "NotFound" => 404,
            "AlreadyDeposited" | "AlreadyWithdrawn" | "IsFrozen" | "AlreadyFrozen" | "TooManyFreezes" | "NotFrozenHere"
            | "NothingToReturn" | "AlreadySealed" | "NotSealed" => 409,
            "DetailsTooLarge" => 413,
            "PersonalData" | "InconsistentFile" | "TooManyEntries" | "RetentionPast" | "RecipientMissing"
            | "CustodianUnknown" => 422,
            _ => return None,
        },
        ("rulepack", name) => match name {
            "MalformedPackId" | "MalformedText" | "MalformedManifest" | "MalformedFact" => 400,
            "PartMissing" | "DraftNotFound" | "PackNotFound" | "VersionNotFound" | "DecisionNotFound" => 404,
            "PartExists" | "DraftExists" | "WrongVersion" | "NotLater" | "NoticeTooShort" | "NotInForce" | "Superseded"
            | "AlreadyInForce" | "AlreadyAnnulled" => 409,
            "PartTooLarge" => 413,
            "PersonalData" | "FileMismatch" | "NotAccepted" | "FactMissing" | "FactUnneeded" | "FactIsRate" | "NoAnswer"
            | "TooCostly" => 422,
            _ => return None,
        },
        ("procedure", name) => match name {
            "MalformedCaseId" | "MalformedText" | "MalformedRating" => 400,
            "NotDutyHolder" | "NotClaimer" | "NotParty" | "SameSigner" | "NotSupervisor" | "RightNotGiven" => 403,
            "CaseNotFound" | "ProcedureNotFound" | "TaskNotFound" | "NoOverride" => 404,
            "CaseIsClosed"
            | "AlreadyClaimed"
            | "MaterialMissing"
            | "MaterialTwice"
            | "NobodyWaits"
            | "AlreadyPaused"
            | "NotPaused"
            | "NotOver"
            | "AlreadyRated"
            | "OverridePending"
            | "NothingDue"
            | "StillDue"
            | "PausedTooOften"
            | "NoCalendar"
            | "OrganisationNotActive"
            | "CalendarLacksYear"
            | "CalendarLacksNextYear"
            | "CalendarLacksLaterYear" => 409,
            "TooLarge" => 413,
            "UnknownVariable" | "WrongValue" | "PersonalData" | "MaterialUnknown" | "PauseNotListed" | "TooCostly"
            | "Undecidable" | "NoWay" | "RulesDecline" | "Faulty" | "RecipientUnknown" | "ExtensionTooLong"
            | "InputUnfit" | "Unreadable" => 422,
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_status() {
        let without: Vec<_> = all()
            .filter(|(module, entry)| placed(module, entry.variant).is_none())
            .map(|(module, entry)| entry.slug(module))
            .collect();
        assert!(without.is_empty(), "give these a status: {without:?}");
    }
}
