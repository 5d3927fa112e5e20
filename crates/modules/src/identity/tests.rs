//! Scenarios and properties of the identity module.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use zhulian_execution::{Class, Role};

use super::*;
use crate::tests::{City, check, check_in, code, key};

#[test]
fn codes_of_real_organisations_are_good_and_slips_are_not() {
    let good = [
        "91110000600037341L",
        "91440300708461136T",
        "11430000006122244L",
        "11220000013544541J",
        "11100000000013338W",
        "91320115MA202UKD7X",
        "92330781MA2EDMFU50",
        "91310108342080987A",
        "91330106MA7GAL1299",
    ];
    for text in good {
        assert_eq!(Uscc::parse(text).map(|code| code.to_string()), Ok(text.to_string()), "{text}");
    }
    let bad = [
        "91500102563638729E",
        "91500106MA2CE71F65",
        "9150010807MGZHI002",
        "91110000600037341M",
        "19110000600037341L",
        "91110000600037341",
        "91110000600037341L ",
        "91110000600037341l",
        "",
        "９1110000600037341L",
    ];
    for text in bad {
        assert_eq!(Uscc::parse(text), Err(Error::MalformedUscc), "{text}");
    }
}

#[test]
fn every_single_slip_in_a_code_is_seen() {
    let text = "91440300708461136T";
    for at in 0..Uscc::LEN {
        for letter in "0123456789ABCDEFGHJKLMNPQRTUWXY".chars() {
            let slip: String = text.chars().enumerate().map(|(n, c)| if n == at { letter } else { c }).collect();
            assert_eq!(Uscc::parse(&slip).is_ok(), slip == text, "{slip}");
        }
    }
}

#[test]
fn member_ids_are_pseudonyms() {
    for good in ["clerk-01", "ab", "robot.2", "case_desk-123456", "a1b2c3"] {
        assert!(MemberId::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "a",
        "",
        "Clerk",
        "1clerk",
        "clerk 1",
        "张三",
        "a13812345678",
        "id-11010519491231002x",
        "x138-1234-5678",
        "abcdefghijklmnopqrstuvwxyz0123456",
        "c-1.2.3.4.5.6.7",
    ] {
        assert_eq!(MemberId::parse(bad), Err(Error::MalformedMember), "{bad}");
    }
}

#[test]
fn a_system_admin_adds_members_and_a_security_admin_gives_them_keys_and_roles() {
    check(
        "
        court.sys add_member clerk-01                    -> ok member_added
        court.sys add_member clerk-01                    -> identity.member_exists
        court.sec register_key clerk-01 K1               -> ok key_registered
        K1        deposit F1                             -> transaction.not_allowed
        court.sec assign_roles clerk-01 officer          -> ok roles_assigned
        K1        deposit F1                             -> ok
        court.sec add_member clerk-02                    -> transaction.not_allowed
        court.sys register_key clerk-01 K2               -> transaction.not_allowed
        court.sys assign_roles clerk-01 judge            -> transaction.not_allowed
        court.sec register_key clerk-02 K2               -> identity.member_not_found
        court.aud add_member clerk-02                    -> transaction.not_allowed
        bureau.sec assign_roles clerk-01 none            -> identity.member_not_found
    ",
    );
}

#[test]
fn a_key_names_one_member_for_ever() {
    check(
        "
        court.sys  add_member clerk-01                       -> ok
        bureau.sys add_member clerk-01                       -> ok
        court.sec  register_key clerk-01 K1 proof=forged     -> identity.bad_proof
        court.sec  register_key clerk-01 K1 proof=other_chain -> identity.bad_proof
        court.sec  register_key clerk-01 K1 for=bureau       -> identity.bad_proof
        court.sec  register_key clerk-01 K1                  -> ok
        court.sec  register_key clerk-01 K1                  -> identity.key_taken
        bureau.sec register_key clerk-01 K1                  -> identity.key_taken
        court.sec  revoke_key K1 lost                        -> ok key_ended
        bureau.sec register_key clerk-01 K1                  -> identity.key_taken
        bureau.sec revoke_key K1                             -> identity.key_not_found
        court.sec  revoke_key K1                             -> identity.key_already_ended
        court.sec  revoke_key unheard-of                     -> identity.key_not_found
    ",
    );
}

#[test]
fn an_ended_key_counts_no_more_and_what_it_signed_stays() {
    let city = check(
        "
        court.sys add_member clerk-01            -> ok
        court.sec register_key clerk-01 K1       -> ok
        court.sec assign_roles clerk-01 officer  -> ok
        K1        deposit F1                     -> ok
        court.sec revoke_key K1 compromised      -> ok
        K1        deposit F2                     -> transaction.key_not_active
    ",
    );
    let record = queries::key(&city.source(), &key("K1")).expect("a key");
    assert_eq!((record.from, record.until, record.end), (2, Some(5), Some(KeyEnd::Compromised)));
    // The deposit of block 4 lies within the key's time.
    assert!(record.counts_at(4) && !record.counts_at(5) && !record.counts_at(1));
    assert_eq!(queries::holder(&city.source(), &key("K1"), 5), None);
}

#[test]
fn a_member_rotates_its_own_key_with_an_overlap() {
    let city = check(
        "
        court.off rotate_key K1 of=court.off overlap=2    -> ok key_registered key_ended
        court.off deposit F1                              -> ok
        K1        deposit F2                              -> ok
        court.off deposit F3                              -> transaction.key_not_active
        K1        rotate_key K2 of=court.off              -> ok
        K1        deposit F4                              -> transaction.key_not_active
        K2        rotate_key K1 of=court.off              -> identity.key_taken
        K2        rotate_key K3 of=court.rep              -> identity.bad_proof
        K2        rotate_key K3 of=court.off overlap=1025 -> identity.overlap_too_long
        K2        rotate_key K3 of=court.off overlap=1024 -> ok
        K2        rotate_key K4 of=court.off              -> identity.key_already_ended
        K2        revoke_key K2                           -> ok key_ended
        K2        deposit F5                              -> transaction.key_not_active
    ",
    );
    let keys = queries::keys_of(&city.source(), &code("court"), &"off".parse().expect("an id"));
    let history: Vec<_> = keys.iter().map(|view| (view.record.from, view.record.until)).collect();
    assert_eq!(history, [(0, Some(3)), (1, Some(5)), (5, Some(12)), (10, None)]);
}

#[test]
fn no_account_joins_two_administrations_not_even_one_after_the_other() {
    check(
        "
        court.sys add_member boss                                       -> ok
        court.sec register_key boss K1                                  -> ok
        court.sec assign_roles boss system_admin,security_admin         -> identity.powers_joined
        court.sec assign_roles boss system_admin                        -> ok roles_proposed
        court.sys confirm_roles boss security_admin                     -> identity.nothing_proposed
        court.sys confirm_roles boss system_admin                       -> ok roles_assigned
        court.sys confirm_roles boss system_admin                       -> identity.nothing_proposed
        court.sec assign_roles boss officer                             -> ok roles_assigned
        court.sec assign_roles boss audit_admin                         -> identity.powers_joined
        court.sec assign_roles boss system_admin,officer                -> ok roles_proposed
        K1        rotate_key K2 of=court.boss                           -> ok
        court.sec assign_roles boss security_admin                      -> identity.powers_joined
        court.sec assign_roles sys system_admin,audit_admin             -> identity.powers_joined
        court.sec assign_roles aud security_admin                       -> identity.powers_joined
    ",
    );
}

#[test]
fn nobody_acts_on_themselves_and_no_administrator_alone_makes_another() {
    check(
        "
        court.sys suspend_member sys                       -> identity.own_account
        court.sec assign_roles sec security_admin,judge    -> identity.own_account
        court.sec register_key sec K1                      -> identity.own_account
        court.sec register_key sys K1                      -> identity.administrator_key
        court.sec register_key aud K1                      -> identity.administrator_key
        court.sys add_member boss                          -> ok
        court.sec assign_roles boss security_admin         -> ok roles_proposed
        court.sec register_key boss K1                     -> identity.roles_pending
        court.sec confirm_roles boss security_admin        -> transaction.not_allowed
        court.aud confirm_roles boss security_admin        -> transaction.not_allowed
        court.sys confirm_roles boss security_admin        -> ok
        court.sec register_key boss K1                     -> identity.administrator_key
    ",
    );
}

#[test]
fn the_last_administrator_stays() {
    check(
        "
        court.sys add_member boss                          -> ok
        court.sys suspend_member sec                       -> identity.last_administrator
        court.sec assign_roles sys none                    -> identity.last_administrator
        court.sec assign_roles aud officer                 -> identity.last_administrator
        court.sec revoke_key court.sys                     -> identity.last_administrator
        court.sec revoke_key court.sec                     -> identity.last_administrator
        court.sys revoke_key court.sys                     -> identity.last_administrator
        court.aud revoke_key court.aud                     -> identity.last_administrator
        court.sec register_key boss K1                     -> ok
        court.sec assign_roles boss system_admin           -> ok
        court.sys confirm_roles boss system_admin          -> ok
        K1        suspend_member sys                       -> ok
        court.sys add_member clerk-01                      -> transaction.key_not_active
        court.sec revoke_key K1                            -> identity.last_administrator
        K1        reinstate_member sys                     -> ok
        court.sec revoke_key K1                            -> ok
    ",
    );
}

#[test]
fn a_suspended_member_does_nothing_until_it_is_reinstated() {
    check(
        "
        court.sys suspend_member off      -> ok member_suspended
        court.off deposit F1              -> transaction.key_not_active
        court.off rotate_key K1 of=court.off -> transaction.key_not_active
        court.sys suspend_member off      -> identity.already_suspended
        court.sec suspend_member off      -> transaction.not_allowed
        court.sys reinstate_member off    -> ok member_reinstated
        court.sys reinstate_member off    -> identity.not_suspended
        court.off deposit F1              -> ok
    ",
    );
}

#[test]
fn judges_sit_in_courts_and_systems_are_officers_at_most() {
    check(
        "
        bureau.sec assign_roles off judge              -> identity.role_not_for_class
        court.sec  assign_roles off judge,officer      -> ok
        court.sys  add_member robot-01 system          -> ok
        court.sec  assign_roles robot-01 judge         -> identity.role_not_for_system
        court.sec  assign_roles robot-01 system_admin  -> identity.role_not_for_system
        court.sec  assign_roles robot-01 representative -> identity.role_not_for_system
        court.sec  assign_roles robot-01 officer       -> ok
    ",
    );
}

#[test]
fn a_member_has_at_most_sixteen_keys_in_use_and_revokes_only_its_own() {
    let mut city = check(
        "
        court.off revoke_key court.rep   -> identity.not_your_key
        court.sys add_member clerk-01    -> ok
    ",
    );
    for n in 0..16 {
        check_in(&mut city, &format!("court.sec register_key clerk-01 N{n} -> ok"));
    }
    check_in(
        &mut city,
        "
        court.sec register_key clerk-01 N16   -> identity.too_many_keys
        N3        revoke_key N4               -> ok
        court.sec register_key clerk-01 N16   -> ok
    ",
    );
    assert_eq!(queries::keys_of(&city.source(), &code("court"), &"clerk-01".parse().expect("an id")).len(), 17);
}

#[test]
fn queries_list_everything_in_order() {
    let city = check(
        "
        court.sys add_member clerk-02   -> ok
        court.sys add_member clerk-01   -> ok
    ",
    );
    let source = city.source();
    let all = queries::organisations(&source, 0, 100);
    assert_eq!(
        all.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        ["court", "bureau", "bank", "notary", "firm"].map(code)
    );
    assert_eq!(queries::organisations(&source, 3, 1), all[3..4]);
    assert_eq!((all[0].1.class, all[0].1.votes, all[4].1.votes), (Class::Judicial, true, false));
    let members = queries::members_of(&source, &code("court"), 0, 100);
    let ids: Vec<&str> = members.iter().map(|view| view.id.as_str()).collect();
    assert_eq!(ids, ["sys", "sec", "aud", "rep", "off", "judge", "clerk-02", "clerk-01"]);
    assert_eq!(queries::members_of(&source, &code("hospital"), 0, 100), []);
}

/// Random calls of the court's members, most of them wrong.
fn any_line() -> impl Strategy<Value = String> {
    let who =
        prop::sample::select(vec!["court.sys", "court.sec", "court.aud", "court.off", "K0", "K1", "K2", "K3", "bureau.sec"]);
    let member = prop::sample::select(vec!["sys", "sec", "aud", "off", "m0", "m1", "m2"]);
    let roles = prop::sample::select(vec![
        "none",
        "officer",
        "system_admin",
        "security_admin",
        "audit_admin",
        "system_admin,officer",
        "security_admin,officer",
        "system_admin,security_admin",
        "judge",
    ]);
    let some_key = prop::sample::select(vec!["K0", "K1", "K2", "K3", "court.sys", "court.sec", "court.aud", "court.off"]);
    (0..10u8, who, member, roles, some_key, 0..3u64).prop_map(|(what, who, member, roles, key, overlap)| match what {
        0 => format!("{who} add_member {member}"),
        1 => format!("{who} suspend_member {member}"),
        2 => format!("{who} reinstate_member {member}"),
        3 | 4 => format!("{who} assign_roles {member} {roles}"),
        5 => format!("{who} confirm_roles {member} {roles}"),
        6 | 7 => format!("{who} register_key {member} {key} for=court"),
        8 => format!("{who} rotate_key {key} of=court.{member} overlap={overlap}"),
        _ => format!("{who} revoke_key {key}"),
    })
}

/// What the laws are about, read from the state.
#[derive(Clone, PartialEq)]
struct View {
    members: BTreeMap<String, Member>,
    keys: BTreeMap<String, Key>,
    acting: [u32; 3],
}

fn view(city: &City) -> View {
    let source = city.source();
    let court = code("court");
    let members = queries::members_of(&source, &court, 0, 100);
    let keys = members.iter().flat_map(|view| queries::keys_of(&source, &court, &view.id));
    View {
        keys: keys.map(|view| (view.key.0.to_string(), view.record)).collect(),
        acting: queries::organisation(&source, &court).expect("the court").acting,
        members: members.into_iter().map(|view| (view.id.to_string(), view.member)).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// I2 to I6 and I8 hold after every call, and a refused call changes nothing.
    #[test]
    fn the_laws_hold_whatever_is_tried(lines in prop::collection::vec(any_line(), 1..80)) {
        let mut city = City::default();
        let mut held: BTreeMap<String, BTreeSet<Role>> = BTreeMap::new();
        let mut before = view(&city);
        for line in &lines {
            // The actor's member id, as the state knows it before the call.
            let who = line.split(' ').next().expect("who");
            let actor = before.keys.get(&key(who).0.to_string()).map(|key| key.member.to_string());
            let outcome = city.run(line);
            let after = view(&city);
            if outcome.slug != "ok" {
                prop_assert!(before == after, "a refusal changed the state: {}", line);
                continue;
            }
            for (id, member) in &after.members {
                // I4
                let powers = held.entry(id.clone()).or_default();
                powers.extend(member.roles.powers().iter());
                prop_assert!(powers.len() <= 1, "{} held {:?} after {}", id, powers, line);
                // I5
                if Some(id) == actor.as_ref() && let Some(old) = before.members.get(id) {
                    prop_assert_eq!(old.roles, member.roles, "own roles by {}", line);
                    prop_assert_eq!(old.suspended, member.suspended, "own standing by {}", line);
                }
                let live = after.keys.values().filter(|key| key.member.as_str() == id && key.until.is_none()).count();
                prop_assert_eq!(member.live_keys as usize, live);
            }
            // I6
            let counted = Role::POWERS.map(|role| after.members.values().filter(|m| m.acts_as(role)).count() as u32);
            prop_assert_eq!(after.acting, counted);
            prop_assert!(counted.iter().all(|count| *count > 0), "{} locked out after {}", who, line);
            // I2, I3, I8
            prop_assert!(before.members.keys().all(|id| after.members.contains_key(id)));
            for (public, old) in &before.keys {
                let new = &after.keys[public];
                prop_assert_eq!((&old.organisation, &old.member, old.from), (&new.organisation, &new.member, new.from));
                prop_assert!(new.until == old.until || new.until.is_some_and(|until| until >= city.chain.height));
            }
            before = after;
        }
    }
}
