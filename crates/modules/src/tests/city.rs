//! A small city on a whole chain in one process, and the language in which scenarios are written:
//! `<who> <call> <arguments…> -> <outcome>`, one transaction a line and a block.
//!
//! `who` is `<organisation>.<member>` or the name of a registered key. The outcome is `ok`, or `ok` with the names of the events
//! in order, or the slug of the refusal. `wait <n>` lets n empty blocks pass.

use std::collections::BTreeMap;

use minicbor::Encode;
use zhulian_crypto::{Algorithm, SigningKey, other_s, sha256, sm3};
use zhulian_execution::{Class, Event, Executor, Role, Roles, testkit::TestChain};
use zhulian_ledger::{Key, Value};
use zhulian_primitives::Receipt;
use zhulian_procedure::{Variables, Wire};
use zhulian_rules::Value as RuleValue;

use super::drawings::{bills, short, timed, twobills};
use crate::{
    Genesis,
    evidence::{
        CaseHint, CaseNumber, CustodyKind, Deposit, DepositBatch, Details, EvidenceId, FieldCommitment, File, Freeze,
        Generation, GenerationField, LegalBasis, RecordCustody, SourceType, Subject, Unfreeze, Withdraw, WithdrawReason,
    },
    executor,
    governance::{
        Action, Address, CastBallot, GenesisValidator, OpenMotion, Parameter, Parameters, Seat, Upgrade, WithdrawMotion,
    },
    identity::{
        AddMember, AssignRoles, ConfirmRoles, FirstMember, Founding, KeyEnd, Kind, MemberId, MemberKey, OrganisationName,
        RegisterKey, ReinstateMember, RevokeKey, RotateKey, SuspendMember, Uscc, key_proof_bytes,
    },
    procedure::{
        CASE_CALLS, CaseClosed, CaseId, CaseOpened, Channel, Claim, Complete, ConfirmOverride, Duty, Enclosed, Message,
        Open, OpenTask, Outcome as CaseOutcome, Override, OverrideReason, Pause, PauseReason, Progressed, ProposeOverride,
        Rate, Resume, ReturnTask, Step, SubmitMaterial, TaskTransferred, Tick, Transfer, case_of, detail, instance, tasks,
    },
    refusal_text,
    rulepack::{Decide, Draft, Fact, Item, ItemKind, Keeps, Manifest, PackId, StagePart},
};

/// The organisations of the city: name, class, Chinese name, first 17 characters of the code, and whether it is there at genesis.
const ORGANISATIONS: &[(&str, Class, &str, &str, bool)] = &[
    ("court", Class::Judicial, "杭州互联网法院", "11330100MB0000001", true),
    ("bureau", Class::Government, "市数据局", "11330100MB0000002", true),
    ("bank", Class::Financial, "城市银行", "91330100MA0000003", true),
    ("notary", Class::Social, "公证处", "52330100MJ0000004", true),
    ("firm", Class::Enterprise, "某科技公司", "91330100MA0000005", true),
    ("hospital", Class::Social, "市医院", "12330100MB0000006", false),
    ("insurer", Class::Financial, "某保险公司", "91330100MA0000007", false),
];

/// The code of an organisation of the city.
pub(crate) fn code(name: &str) -> Uscc {
    let found = ORGANISATIONS.iter().find(|organisation| organisation.0 == name);
    let (.., first, _) = found.unwrap_or_else(|| panic!("no organisation {name}"));
    Uscc::complete(first).expect("17 good characters")
}

/// The key pair of this name. Bank and hospital sign with ES256, the others with EdDSA.
pub(crate) fn pair(name: &str) -> SigningKey {
    let algorithm =
        if name.starts_with("bank") || name.starts_with("hospital") { Algorithm::Es256 } else { Algorithm::EdDsa };
    SigningKey::from_secret(algorithm, &sha256(name.as_bytes())).expect("a hash is a fine secret")
}

/// The public key of this name.
pub(crate) fn key(name: &str) -> MemberKey {
    MemberKey(pair(name).public_key())
}

fn id(name: &str) -> MemberId {
    name.parse().unwrap_or_else(|_| panic!("member id {name}"))
}

fn first_member(organisation: &str, member: &str, roles: &[Role]) -> FirstMember {
    let keys = vec![key(&format!("{organisation}.{member}"))];
    FirstMember { member: id(member), kind: Kind::Person, roles: Roles::of(roles), keys }
}

/// An organisation with three administrators, a representative, an officer, and a judge in a court.
pub(crate) fn founding(name: &str) -> Founding {
    let found = ORGANISATIONS.iter().find(|organisation| organisation.0 == name);
    let (_, class, zh, ..) = found.unwrap_or_else(|| panic!("no organisation {name}"));
    let mut members = vec![
        first_member(name, "sys", &[Role::SystemAdmin]),
        first_member(name, "sec", &[Role::SecurityAdmin]),
        first_member(name, "aud", &[Role::AuditAdmin]),
        first_member(name, "rep", &[Role::Representative]),
        first_member(name, "off", &[Role::Officer]),
    ];
    if *class == Class::Judicial {
        members.push(first_member(name, "judge", &[Role::Judge]));
    }
    Founding {
        organisation: code(name),
        class: *class,
        zh: OrganisationName::parse(zh).expect("a name"),
        en: Some(OrganisationName::parse(name).expect("a name")),
        votes: name != "firm",
        members,
    }
}

/// Blocks of an epoch of the city.
pub(crate) const EPOCH_BLOCKS: u64 = 50;

/// The key of a validator: that of an organisation's first one, of another name, or none at all.
pub(crate) fn validator_key(name: &str) -> [u8; 32] {
    match name {
        "none" => std::array::from_fn(|at| if at == 0 { 2 } else { 0 }),
        _ if ORGANISATIONS.iter().any(|it| it.0 == name) => sha256_key(code(name).as_str()),
        _ => sha256_key(name),
    }
}

/// The city's genesis document: five organisations, of which four vote and validate.
pub(crate) fn genesis() -> Genesis {
    let organisations: Vec<Founding> = ORGANISATIONS.iter().filter(|it| it.4).map(|it| founding(it.0)).collect();
    let validators = organisations.iter().filter(|founding| founding.votes).map(|founding| GenesisValidator {
        name: founding.zh.clone(),
        organisation: founding.organisation,
        public_key: sha256_key(founding.organisation.as_str()),
    });
    let parameters = Parameters { batch_entries_max: 1_000, details_bytes_max: 512, vote_blocks: 20 };
    Genesis::new("测试城市", 1_767_225_600_000, validators.collect(), organisations, parameters)
        .and_then(|genesis| genesis.with_epoch_blocks(EPOCH_BLOCKS))
        .expect("a good document")
}

/// The city, begun with five validators of which the court runs two, and with this protocol.
pub(crate) fn with_a_second_seat_of_the_court(protocol: u16) -> Genesis {
    let Genesis { name, time, mut validators, organisations, parameters, .. } = genesis();
    let second = GenesisValidator {
        name: OrganisationName::parse("court 2").expect("a name"),
        organisation: code("court"),
        public_key: validator_key("court 2"),
    };
    validators.push(second);
    Genesis::new(&name, time, validators, organisations, parameters)
        .and_then(|genesis| genesis.with_epoch_blocks(EPOCH_BLOCKS))
        .and_then(|genesis| genesis.with_protocol(protocol))
        .expect("a good document")
}

/// A transaction by ES256 as whoever sees it can make it: n − s for s, and so another id.
pub(crate) fn mirrored(transaction: &[u8]) -> Vec<u8> {
    let (rest, signature) = transaction.split_last_chunk::<64>().expect("it ends with its signature");
    [rest, &other_s(signature)].concat()
}

fn sha256_key(name: &str) -> [u8; 32] {
    let pair = SigningKey::from_secret(Algorithm::EdDsa, &sha256(name.as_bytes())).expect("a secret");
    pair.public_key().as_bytes().try_into().expect("an EdDSA key has 32 bytes")
}

/// The file of this name: its facts are those of its name's bytes.
pub(crate) fn file(name: &str) -> File {
    let bytes = name.as_bytes();
    let chunks_root = zhulian_ledger::merkle::root(&[bytes]);
    File { sha256: sha256(bytes), sm3: sm3(bytes), size: bytes.len() as u64, chunks_root }
}

/// `F`, `F#1`: a file's deposit; `B#0`, `B1#2/3`: a batch's, an entry's. Batches begin with `B`.
pub(crate) fn subject(text: &str) -> Subject {
    let (name, place) = text.split_once('#').unwrap_or((text, "0"));
    let digest = sha256(name.as_bytes());
    match place.split_once('/') {
        Some((seq, entry)) => Subject::Entry(digest, number(seq), number(entry)),
        None if name.starts_with('B') => Subject::Batch(digest, number(place)),
        None => Subject::File(digest, number(place)),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// What a line led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `ok` or the refusal's slug.
    pub(crate) slug: String,
    /// Names of the events.
    pub(crate) events: Vec<String>,
    /// The receipt.
    pub(crate) receipt: Receipt,
}

/// The city on its chain.
pub(crate) struct City {
    pub(crate) chain: TestChain,
    last: Vec<u8>,
    /// Digests of the packs that were drafted, accepted or not, in order.
    pub(crate) drafts: Vec<[u8; 32]>,
    /// Cases that were opened, in order.
    pub(crate) cases: Vec<CaseId>,
    /// Tasks that wait and whose duty they are, as the events alone say it.
    waiting: BTreeMap<(CaseId, u32), Vec<Duty>>,
}

impl Default for City {
    fn default() -> Self {
        Self::founded(&genesis(), executor())
    }
}

impl City {
    /// The city as a genesis document has it, executed by this build or another.
    pub(crate) fn founded(genesis: &Genesis, executor: Executor) -> Self {
        let chain = TestChain::new(executor, genesis.state());
        Self { chain, last: Vec::new(), drafts: Vec::new(), cases: Vec::new(), waiting: BTreeMap::new() }
    }

    /// The city before its first vote on a protocol.
    pub(crate) fn of_protocol_1() -> Self {
        Self::of_protocol(1)
    }

    /// The city as it is founded with a protocol.
    pub(crate) fn of_protocol(protocol: zhulian_primitives::Protocol) -> Self {
        Self::founded(&genesis().with_protocol(protocol).expect("a known one"), executor())
    }

    /// Reads a state value, as queries want it.
    pub(crate) fn source(&self) -> impl Fn(&Key) -> Option<Value> + '_ {
        |key| self.chain.get(key).cloned()
    }

    pub(crate) fn send<T: Encode<()>>(&mut self, who: &str, module: &str, call: &str, args: &T) -> Outcome {
        self.last = self.chain.sign(&pair(who), module, call, args);
        let receipt = self.chain.block(std::slice::from_ref(&self.last)).remove(0);
        let slug = match &receipt.refusal {
            None => "ok".into(),
            Some(code) => refusal_text(code).expect("every code has a text").slug,
        };
        let events = receipt.events.iter().map(|event| event.name.clone()).collect();
        self.follow(&receipt);
        Outcome { slug, events, receipt }
    }

    /// Whoever reads the events alone knows which tasks wait, and whose duty they are: the same as the state says.
    fn follow(&mut self, receipt: &Receipt) {
        for event in &receipt.events {
            let Some(case) = case_of(event) else { continue };
            if let Some(it) = Progressed::of(event) {
                let ended = it.lines.iter().filter(|line| line.number > 0 && line.what != Step::Entered);
                ended.for_each(|line| drop(self.waiting.remove(&(case, line.number))));
                self.waiting.extend(it.waiting.into_iter().map(|it| ((case, it.task), it.duties)));
            } else if let Some(it) = TaskTransferred::of(event) {
                self.waiting.insert((case, it.task), vec![Duty { organisation: it.to, role: Role::Officer }]);
            } else if CaseClosed::of(event).is_some() {
                self.waiting.retain(|(of, _), _| *of != case);
            }
        }
        let Some(case) = receipt.events.iter().find_map(case_of) else { return };
        // Before anything is late, which only time makes it: at no time, and by the protocol to which a pause ends what is late.
        let (source, never_late) = (self.source(), (0, 1));
        // What an earlier protocol wrote unreadable nobody sees.
        let Some(found) = detail(&source, &case, never_late.0, never_late.1) else {
            return assert!(instance(&source, &case).is_none());
        };
        let own =
            |it: &OpenTask| it.view.work.job.as_deref().is_some_and(|job| CASE_CALLS.iter().any(|call| call.name() == job));
        let found: Vec<_> =
            found.tasks.into_iter().filter(|it| !own(it)).map(|it| (it.view.work.number, it.duties)).collect();
        let told: Vec<_> =
            self.waiting.range((case, 0)..=(case, u32::MAX)).map(|((_, task), duties)| (*task, duties.clone())).collect();
        assert_eq!(told, found, "{case}");
    }

    /// Bytes of the last transaction.
    pub(crate) fn last_transaction(&self) -> Vec<u8> {
        self.last.clone()
    }

    /// Lets empty blocks pass.
    pub(crate) fn wait(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.chain.block(&[]);
        }
    }

    /// Runs a line without its outcome.
    pub(crate) fn run(&mut self, line: &str) -> Outcome {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('=')).collect();
        let options: BTreeMap<&str, &str> = line.split_whitespace().filter_map(|word| word.split_once('=')).collect();
        let [who, call, args @ ..] = words.as_slice() else { panic!("a line is `who call …`: {line}") };
        match *call {
            "add_member" => {
                let kind = if args.get(1) == Some(&"system") { Kind::System } else { Kind::Person };
                self.send(who, "identity", call, &AddMember { member: id(args[0]), kind })
            }
            "suspend_member" => self.send(who, "identity", call, &SuspendMember { member: id(args[0]) }),
            "reinstate_member" => self.send(who, "identity", call, &ReinstateMember { member: id(args[0]) }),
            "assign_roles" => {
                self.send(who, "identity", call, &AssignRoles { member: id(args[0]), roles: roles(args.get(1)) })
            }
            "confirm_roles" => {
                self.send(who, "identity", call, &ConfirmRoles { member: id(args[0]), roles: roles(args.get(1)) })
            }
            "register_key" => {
                let organisation = options.get("for").copied().unwrap_or_else(|| who.split('.').next().unwrap_or(""));
                let proof = self.proof(organisation, args[0], args[1], &options);
                self.send(who, "identity", call, &RegisterKey { member: id(args[0]), key: key(args[1]), proof })
            }
            "rotate_key" => {
                let overlap = options.get("overlap").map_or(0, |blocks| number(blocks));
                let proof =
                    self.proof(options["of"].split('.').next().unwrap_or(""), after_dot(options["of"]), args[0], &options);
                self.send(who, "identity", call, &RotateKey { key: key(args[0]), proof, overlap })
            }
            "revoke_key" => {
                let end = args.get(1).and_then(|name| KeyEnd::parse(name)).unwrap_or(KeyEnd::Lost);
                self.send(who, "identity", call, &RevokeKey { key: key(args[0]), end })
            }
            "open_motion" => {
                let action = match args {
                    ["enact", draft] => Action::EnactRules(self.drafts[number::<usize>(draft)]),
                    _ => action(args),
                };
                self.send(who, "governance", call, &OpenMotion { action })
            }
            "stage_part" => {
                let (.., text) = pack_files(args[0], pack_version(&options)).swap_remove(number(args[1]));
                self.send(who, "rulepack", call, &StagePart { bytes: text.into_bytes() })
            }
            "draft" => {
                let manifest = manifest(args[0], &options);
                self.drafts.push(manifest.digest());
                self.send(who, "rulepack", call, &Draft { manifest })
            }
            "decide" => {
                let own = ["version", "subject", "commit"];
                let commitment = |name: &str| (options.get("commit") == Some(&name)).then_some([9; 32]);
                let facts = options.iter().filter(|(name, _)| !own.contains(name));
                let facts = facts.map(|(name, value)| Fact {
                    name: (*name).into(),
                    value: (*value).into(),
                    commitment: commitment(name),
                });
                let args = Decide {
                    pack: PackId::parse(args[0]).expect("a pack id"),
                    version: options.get("version").map(|version| number(version)),
                    decision: args[1].into(),
                    facts: facts.collect(),
                    subject: options.get("subject").map(|subject| sha256(subject.as_bytes())),
                };
                self.send(who, "rulepack", call, &args)
            }
            "cast_ballot" => {
                self.send(who, "governance", call, &CastBallot { motion: number(args[0]), approve: args[1] == "yes" })
            }
            "withdraw_motion" => self.send(who, "governance", call, &WithdrawMotion { motion: number(args[0]) }),
            "deposit" => {
                let details = self.details(&options);
                self.send(who, "evidence", call, &Deposit { file: file(args[0]), details })
            }
            "deposit_batch" => {
                let count = options.get("count").map_or(10, |count| number(count));
                let args = DepositBatch { root: sha256(args[0].as_bytes()), count, details: self.details(&options) };
                self.send(who, "evidence", call, &args)
            }
            "record_custody" => {
                let kind = CustodyKind::parse(args[1]).unwrap_or_else(|| panic!("no custody kind {}", args[1]));
                let to = options.get("to").map(|name| code(name));
                let args = RecordCustody { subject: subject(args[0]), kind, log: sha256(line.as_bytes()), to };
                self.send(who, "evidence", call, &args)
            }
            "freeze" => {
                let case = CaseNumber::parse(args[1]).expect("a case number");
                self.send(who, "evidence", call, &Freeze { subject: subject(args[0]), case })
            }
            "unfreeze" => {
                let case = CaseNumber::parse(args[1]).expect("a case number");
                self.send(who, "evidence", call, &Unfreeze { subject: subject(args[0]), case })
            }
            "withdraw" => {
                let reason = WithdrawReason::parse(args.get(1).unwrap_or(&"mistake")).expect("a reason");
                self.send(who, "evidence", call, &Withdraw { subject: subject(args[0]), reason })
            }
            "open" => {
                let args = Open {
                    pack: PackId::parse(args[0]).expect("a pack id"),
                    process: args.get(1).unwrap_or(&args[0]).to_string(),
                    applicant: sha256(b"applicant"),
                    channel: Channel::Window,
                    variables: variables(&options),
                    message: None,
                    materials: enclosed(options.get("with")),
                };
                let outcome = self.send(who, "procedure", call, &args);
                self.cases.extend(outcome.receipt.events.iter().find_map(CaseOpened::of).map(|event| event.case));
                outcome
            }
            "claim" => {
                let (case, task) = self.task(args);
                self.send(who, "procedure", call, &Claim { case, task })
            }
            "complete" => {
                let (case, task) = self.task(args);
                let error = options.get("error").map(|error| error.to_string());
                self.send(who, "procedure", call, &Complete { case, task, results: variables(&options), error })
            }
            "return_task" => {
                let (case, task) = self.task(args);
                self.send(who, "procedure", call, &ReturnTask { case, task })
            }
            "transfer" => {
                let (case, task) = self.task(args);
                self.send(who, "procedure", call, &Transfer { case, task, to: code(options["to"]) })
            }
            "message" => {
                let args = Message { case: self.case(args[0]), name: args[1].into(), content: variables(&options) };
                self.send(who, "procedure", call, &args)
            }
            "submit_material" => {
                let commitment = sha256(args.get(2).unwrap_or(&"material").as_bytes());
                let args = SubmitMaterial { case: self.case(args[0]), name: args[1].into(), commitment };
                self.send(who, "procedure", call, &args)
            }
            "pause" => {
                let reason = PauseReason::parse(args[1]).expect("a reason");
                self.send(who, "procedure", call, &Pause { case: self.case(args[0]), reason })
            }
            "resume" => self.send(who, "procedure", call, &Resume { case: self.case(args[0]) }),
            "tick" => self.send(who, "procedure", call, &Tick { case: self.case(args[0]) }),
            "propose_override" => {
                let action = match args[1] {
                    "complete" => Override::CompleteTask(self.task(&[args[0], args[2]]).1, variables(&options)),
                    "close" => Override::Close(CaseOutcome::parse(args[2]).expect("an outcome")),
                    "extend" => Override::Extend(number(args[2])),
                    "reassign" => Override::Reassign(self.task(&[args[0], args[2]]).1, code(options["to"])),
                    other => panic!("no override {other}"),
                };
                let reason = options
                    .get("reason")
                    .map_or(OverrideReason::RuleGap, |reason| OverrideReason::parse(reason).expect("a reason"));
                let args = ProposeOverride { case: self.case(args[0]), action, reason, grounds: [5; 32] };
                self.send(who, "procedure", call, &args)
            }
            "confirm_override" => {
                let args = ConfirmOverride { case: self.case(args[0]), approve: args[1] == "yes" };
                self.send(who, "procedure", call, &args)
            }
            "rate" => self.send(who, "procedure", call, &Rate { case: self.case(args[0]), level: number(args[1]) }),
            other => panic!("no call {other}"),
        }
    }

    /// The n-th case that was opened, or a number as it is printed.
    pub(crate) fn case(&self, text: &str) -> CaseId {
        text.parse::<usize>().map_or_else(|_| CaseId::parse(text).expect("a case"), |n| self.cases[n])
    }

    /// A case and the number of a task in it, by its element; 999 where none waits.
    fn task(&self, args: &[&str]) -> (CaseId, u32) {
        let case = self.case(args[0]);
        let found = tasks(&self.source(), &case).into_iter().find(|view| view.work.element == args[1]);
        (case, found.map_or(999, |view| view.work.number))
    }

    /// Lets days pass.
    pub(crate) fn days(&mut self, days: u64) {
        self.chain.time += days * 86_400_000;
    }

    fn proof(&self, organisation: &str, member: &str, name: &str, options: &BTreeMap<&str, &str>) -> [u8; 64] {
        let signer = if options.get("proof") == Some(&"forged") { pair("somebody else") } else { pair(name) };
        let chain = if options.get("proof") == Some(&"other_chain") { [8; 32] } else { self.chain.chain };
        signer.sign(&key_proof_bytes(&chain, &code(organisation), &id(member), &key(name)))
    }

    fn details(&self, options: &BTreeMap<&str, &str>) -> Details {
        let basis = options.get("basis").copied().unwrap_or("民事诉讼法第六十六条");
        let mut details = Details::new(SourceType::File, LegalBasis::parse(basis).expect("a legal basis"));
        details.custodian = options.get("custodian").map(|name| code(name));
        details.case_hint = options.get("hint").map(|hint| CaseHint::parse(hint).expect("a hint"));
        details.retention_until = options.get("retention").map(|when| match *when {
            "past" => self.chain.time,
            _ => self.chain.time + 1_000_000,
        });
        if options.contains_key("long") {
            let fields = GenerationField::ALL.iter();
            let commitments = fields.map(|field| FieldCommitment { field: *field, commitment: [1; 32] }).collect();
            details.generation = Some(Generation { facts: [2; 32], commitments });
            details.prior_evidence = (0..16).map(|n| EvidenceId([n; 16])).collect();
        }
        details
    }
}

fn after_dot(text: &str) -> &str {
    text.split_once('.').map_or(text, |(_, member)| member)
}

fn roles(names: Option<&&str>) -> Roles {
    let names = names.copied().unwrap_or("none").split(',').filter(|name| *name != "none");
    Roles::of(&names.map(|name| Role::parse(name).unwrap_or_else(|| panic!("no role {name}"))).collect::<Vec<_>>())
}

fn action(args: &[&str]) -> Action {
    match args {
        ["admit", name] => Action::Admit(founding(name)),
        ["suspend", name] => Action::Suspend(code(name)),
        ["reinstate", name] => Action::Reinstate(code(name)),
        ["set", name, value] => Action::Set(Parameter::parse(name).expect("a parameter"), number(value)),
        ["annul", pack, version] => Action::AnnulRules(PackId::parse(pack).expect("a pack id"), number(version)),
        ["recover", name, member] => Action::Recover(code(name), vec![first_member(name, member, &[Role::SecurityAdmin])]),
        ["add_validator", name, key] => Action::AddValidator(Seat {
            name: OrganisationName::parse(name).expect("a name"),
            organisation: code(name),
            public_key: validator_key(key),
            address: Some(Address::parse("10.0.0.9:4600").expect("an address")),
        }),
        ["remove_validator", name, key] => Action::RemoveValidator(code(name), validator_key(key)),
        ["schedule_protocol", protocol, height] => {
            Action::ScheduleProtocol(Upgrade { protocol: number(protocol), height: number(height) })
        }
        ["annul_protocol", protocol] => Action::AnnulProtocol(number(protocol)),
        ["rekey_validator", old, new] => Action::RekeyValidator(validator_key(old), validator_key(new), None),
        other => panic!("no action {other:?}"),
    }
}

/// Values of a line: numbers, truth values, texts; `income` as a commitment.
fn variables(options: &BTreeMap<&str, &str>) -> Variables {
    let own = ["error", "reason", "to", "version", "with", "file"];
    let value = |name: &str, text: &str| match (name, text.parse::<i64>(), text) {
        ("income", ..) => RuleValue::text(&hex::encode(sha256(text.as_bytes()))),
        (_, Ok(n), _) => RuleValue::Number(n.into()),
        (_, _, "true") => RuleValue::Boolean(true),
        (_, _, "false") => RuleValue::Boolean(false),
        _ => RuleValue::text(text),
    };
    let entries = options.iter().filter(|(name, _)| !own.contains(name));
    // A line has no spaces: `Bill+size` is the variable `Bill size`.
    let mut all: BTreeMap<String, RuleValue> =
        entries.map(|(name, text)| (name.replace('+', " "), value(name, text))).collect();
    if let Some(file) = options.get("file").map(|name| file(name)) {
        all.extend(
            [("sha", file.sha256), ("sm", file.sm3), ("root", file.chunks_root)]
                .map(|(name, digest)| (name.to_owned(), RuleValue::text(&hex::encode(digest)))),
        );
        all.entry("size".into()).or_insert(RuleValue::Number(i64::try_from(file.size).expect("small").into()));
    }
    Variables(all.into_iter().map(|(name, value)| (name, Wire::of(&value).expect("plain"))).collect())
}

/// Materials that come with an application, by name.
fn enclosed(names: Option<&&str>) -> Vec<Enclosed> {
    let one = |name: &str| Enclosed { name: name.into(), commitment: sha256(name.as_bytes()) };
    names.map(|names| names.split(',').map(one).collect()).unwrap_or_default()
}

/// A procedure: the bureau accepts, the fee is decided, the notary reviews what is dear, the bureau issues what is paid.
fn permit() -> String {
    let property = |name: &str, value: &str| format!(r#"<zeebe:property name="{name}" value="{value}"/>"#);
    let (bureau, notary, court) = (code("bureau"), code("notary"), code("court"));
    let settings: String = [
        ("variable:x", "number"),
        ("variable:fee", "number"),
        ("variable:income", "commitment"),
        ("variable:note", "string"),
        ("variable:outcome", "string"),
        ("variable:paid", "boolean"),
        ("office:desk", bureau.as_str()),
        ("office:experts", notary.as_str()),
        ("supervisor", court.as_str()),
        ("limit:promised", "5"),
        ("limit:statutory", "10"),
    ]
    .map(|(name, value)| property(name, value))
    .concat();
    let user = |id: &str, group: &str, more: &str| {
        format!(
            r#"<userTask id="{id}"><extensionElements><zeebe:assignmentDefinition candidateGroups="{group}"/><zeebe:properties>{more}</zeebe:properties></extensionElements></userTask>"#
        )
    };
    let flow = |from: &str, to: &str| format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#);
    let tasks = user("accept", "desk", &property("material:deed", "applicant"))
        + &user("review", "experts", "")
        + &user("urge", "desk", "");
    let flows: String = [
        ("s", "accept"),
        ("accept", "price"),
        ("price", "g"),
        ("g", "pay"),
        ("review", "pay"),
        ("late", "urge"),
        ("doubt", "urge"),
        ("urge", "pay"),
        ("pay", "issue"),
        ("issue", "e"),
    ]
    .map(|(from, to)| flow(from, to))
    .concat();
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:test">
<message id="m" name="payment"/><error id="err" errorCode="doubtful"/>
<process id="permit" name="许可" isExecutable="true"><extensionElements><zeebe:properties>{settings}</zeebe:properties></extensionElements>
<startEvent id="s"/>{tasks}
<businessRuleTask id="price"><extensionElements><zeebe:calledDecision decisionId="fee" resultVariable="fee"/></extensionElements></businessRuleTask>
<exclusiveGateway id="g" default="g-pay"/>
<sequenceFlow id="g-review" sourceRef="g" targetRef="review"><conditionExpression>= fee &gt; 6</conditionExpression></sequenceFlow>
<boundaryEvent id="late" attachedToRef="review"><extensionElements><zeebe:properties><zeebe:property name="unit" value="workday"/></zeebe:properties></extensionElements><timerEventDefinition><timeDuration>P2D</timeDuration></timerEventDefinition></boundaryEvent>
<boundaryEvent id="doubt" attachedToRef="review"><errorEventDefinition errorRef="err"/></boundaryEvent>
<receiveTask id="pay" messageRef="m"/>
<serviceTask id="issue"><extensionElements><zeebe:taskDefinition type="issue-permit"/><zeebe:properties><zeebe:property name="organisation" value="desk"/></zeebe:properties></extensionElements></serviceTask>
<endEvent id="e"/>{flows}</process></definitions>"#
    )
}

/// Time of genesis, from which packs' times are counted in seconds: the block at height n has time n.
const GENESIS: u64 = 1_767_225_600_000;

fn pack_version(options: &BTreeMap<&str, &str>) -> u32 {
    options.get("version").map_or(1, |version| number(version))
}

/// A model whose decisions are `Base` (5 below 10, else 7), `Fee` (base times the pack's rate) and `Share` (100 by x).
const FEES: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="fees" name="Fees" namespace="urn:test:fees">
<inputData id="x" name="x"><variable name="x" typeRef="number"/></inputData>
<inputData id="rate" name="Rate"><variable name="Rate" typeRef="number"/></inputData>
<decision id="base" name="Base"><variable name="Base" typeRef="number"/>
<informationRequirement><requiredInput href="#x"/></informationRequirement>
<decisionTable id="t" hitPolicy="UNIQUE"><input label="x"><inputExpression typeRef="number"><text>x</text></inputExpression></input>
<output typeRef="number"/><rule id="r1"><inputEntry><text>&lt; 10</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
<rule id="r2"><inputEntry><text>&gt;= 10</text></inputEntry><outputEntry><text>7</text></outputEntry></rule></decisionTable></decision>
<decision id="fee" name="Fee"><variable name="Fee" typeRef="number"/>
<informationRequirement><requiredDecision href="#base"/></informationRequirement>
<informationRequirement><requiredInput href="#rate"/></informationRequirement>
<literalExpression><text>Base * Rate</text></literalExpression></decision>
<decision id="share" name="Share"><variable name="Share" typeRef="number"/>
<informationRequirement><requiredInput href="#x"/></informationRequirement>
<literalExpression><text>100 / x</text></literalExpression></decision>
<decision id="long" name="Long"><variable name="Long" typeRef="number"/>
<informationRequirement><requiredInput href="#x"/></informationRequirement>
<literalExpression><text>count(for i in 1..x return i)</text></literalExpression></decision>
</definitions>"##;

/// A decision with two outputs of one name, before the last one.
const GRADE: &str = r##"<decision id="grade" name="Grade"><variable name="Grade"/>
<decisionTable id="g" hitPolicy="UNIQUE"><output name="mark" typeRef="number"/><output name="mark" typeRef="number"/>
<rule id="r1"><outputEntry><text>1</text></outputEntry><outputEntry><text>2</text></outputEntry></rule></decisionTable></decision>
<decision id="long""##;

/// The files of a pack of the tests: `fees` with the version as its rate, `days`, or one that is not accepted.
pub(crate) fn pack_files(pack: &str, version: u32) -> Vec<(ItemKind, &'static str, String)> {
    let rates = format!("Rate = {version}\n");
    match pack {
        "fees" => vec![(ItemKind::Decisions, "fees.dmn", FEES.into()), (ItemKind::Rates, "fees.rates", rates)],
        "gappy" => vec![(ItemKind::Decisions, "gappy.dmn", FEES.replace("&gt;= 10", "&gt; 10"))],
        "misrated" => {
            let files = [(ItemKind::Decisions, "fees.dmn", FEES.to_owned()), (ItemKind::Rates, "r", "Rat = 1".into())];
            files.into()
        }
        "days" => {
            let calendar = "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n".to_owned();
            let documents = "id-card | licence | 居民身份证 | Identity card\n".to_owned();
            vec![(ItemKind::Calendar, "days.calendar", calendar), (ItemKind::Documents, "days.documents", documents)]
        }
        "permit" => vec![
            (ItemKind::Procedure, "permit.bpmn", permit()),
            (ItemKind::Decisions, "permit.dmn", FEES.replace("urn:test:fees", "urn:test:permit")),
            (ItemKind::Rates, "permit.rates", format!("# permit\n{rates}")),
            (
                ItemKind::Calendar,
                "permit.calendar",
                "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n".into(),
            ),
            (
                ItemKind::Documents,
                "permit.documents",
                "plan | catalogue | 平面图 | Plan\ndeed | applicant | 权属证明 | Deed | 某市许可办法第五条\n".into(),
            ),
        ],
        "unsound" => vec![(
            ItemKind::Procedure,
            "unsound.bpmn",
            permit().replace("g-review\" sourceRef=\"g\"", "g-review\" sourceRef=\"e\""),
        )],
        "priceless" => vec![(ItemKind::Procedure, "priceless.bpmn", permit())],
        "officeless" => vec![
            (
                ItemKind::Procedure,
                "officeless.bpmn",
                permit().replace("candidateGroups=\"experts\"", "candidateGroups=\"nobody\""),
            ),
            (ItemKind::Decisions, "permit.dmn", FEES.replace("urn:test:fees", "urn:test:permit")),
        ],
        "bills" => vec![
            (ItemKind::Procedure, "bills.bpmn", bills()),
            (
                ItemKind::Documents,
                "bills.documents",
                "form | applicant | 申请表 | Form\nbill | exchange:bills | 票据 | Bill\n".into(),
            ),
        ],
        "reimbursement" => crate::procedure::tests::scenarios::reimbursement(),
        "twobills" => vec![(ItemKind::Procedure, "twobills.bpmn", twobills())],
        "doubled" => vec![
            (ItemKind::Procedure, "doubled.bpmn", short("doubled")),
            (
                ItemKind::Decisions,
                "doubled.dmn",
                FEES.replace("urn:test:fees", "urn:test:doubled").replace("<decision id=\"long\"", GRADE),
            ),
            (ItemKind::Calendar, "days.calendar", "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n".into()),
        ],
        "endless" | "looped" | "gated" | "crowded" | "caller" | "called" => {
            let calendar = format!("calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 {pack}\n");
            vec![(ItemKind::Procedure, "short.bpmn", short(pack)), (ItemKind::Calendar, "days.calendar", calendar)]
        }
        "timed" => {
            let calendar = match version {
                1 => "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n",
                _ => "calendar 1\ncovers 2026-01-01 2027-12-31\noff 2026-01-01 元旦\noff 2027-01-01 元旦\n",
            };
            vec![(ItemKind::Procedure, "timed.bpmn", timed()), (ItemKind::Calendar, "timed.calendar", calendar.into())]
        }
        other => panic!("no pack {other}"),
    }
}

/// The manifest of a pack of the tests. Times are seconds after genesis.
pub(crate) fn manifest(pack: &str, options: &BTreeMap<&str, &str>) -> Manifest {
    let version = pack_version(options);
    let seconds = |name: &str| options.get(name).map(|seconds| number::<u64>(seconds) * 1_000);
    let items = pack_files(pack, version);
    Manifest {
        pack: PackId::parse(pack).expect("a pack id"),
        version,
        zh: "收费标准".into(),
        en: "Fees".into(),
        statute: "某市收费办法第三条".into(),
        from: GENESIS + seconds("from").unwrap_or(0),
        to: seconds("to").map(|to| GENESIS + to),
        notice_ms: seconds("notice").unwrap_or(0),
        keeps: options.get("keeps").map_or(Keeps::Opened, |keeps| Keeps::parse(keeps).expect("opened or latest")),
        items: items.iter().map(|(kind, name, text)| Item::of(*kind, name, text.as_bytes())).collect(),
    }
}

/// A city in which a pack of the tests is in force. With `permit`, the next block is number 14.
pub(crate) fn enacted(pack: &str) -> City {
    enacted_by(zhulian_primitives::PROTOCOL_NEWEST, pack)
}

/// The same in a city that was founded with a protocol.
pub(crate) fn enacted_by(protocol: zhulian_primitives::Protocol, pack: &str) -> City {
    let parts = pack_files(pack, 1).len();
    let mut lines: Vec<String> =
        (0..parts).map(|part| format!("court.rep stage_part {pack} {part} -> ok part_staged")).collect();
    lines.push(format!("court.rep draft {pack} from={} notice=0 -> ok drafted", parts + 6));
    lines.push("court.rep open_motion enact 0 -> ok".into());
    lines.extend(["court", "bank"].map(|who| format!("{who}.rep cast_ballot 0 yes -> ok")));
    lines.push("notary.rep cast_ballot 0 yes -> ok ballot_cast enacted motion_closed".into());
    let mut city = City::of_protocol(protocol);
    check_in(&mut city, &lines.join("\n"));
    city.wait(3);
    city
}

/// Plays a scenario in a fresh city.
#[track_caller]
pub(crate) fn check(scenario: &str) -> City {
    let mut city = City::default();
    check_in(&mut city, scenario);
    city
}

/// Plays a scenario in a city.
#[track_caller]
pub(crate) fn check_in(city: &mut City, scenario: &str) {
    for line in scenario.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(blocks) = line.strip_prefix("wait ") {
            city.wait(number(blocks));
            continue;
        }
        let (request, expected) = line.split_once("->").unwrap_or_else(|| panic!("no outcome: {line}"));
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let outcome = city.run(request);
        assert_eq!(outcome.slug, expected[0], "{line}");
        if expected.len() > 1 {
            assert_eq!(outcome.events, expected[1..], "{line}");
        }
        assert!(outcome.slug == "ok" || outcome.events.is_empty(), "a refusal has no events: {line}");
    }
}

/// Arguments of `assign_roles` with these bits.
pub(crate) fn roles_bits(member: &str, bits: u32) -> Vec<u8> {
    let mut out = vec![0xa2, 0x00];
    out.extend(zhulian_primitives::codec::to_bytes(&id(member)));
    out.push(0x01);
    out.extend(zhulian_primitives::codec::to_bytes(&bits));
    out
}

/// A plain deposit of this file.
pub(crate) fn deposit_args(name: &str) -> Deposit {
    let basis = LegalBasis::parse("民事诉讼法第六十六条").expect("a legal basis");
    Deposit { file: file(name), details: Details::new(SourceType::File, basis) }
}
