//! The catalogues in `docs/`, printed from the modules' tables, so that they cannot drift from the code. A test compares them
//! with the committed files; `UPDATE_DOCS=1` rewrites those.

use std::fmt::Write as _;

use zhulian_execution::{Allowed, Module, RefusalEntry, Role, TRANSACTION_REFUSALS};

use crate::{MODULES, procedure::CASE_CALLS};

const NOTICE: &str = "<!-- Printed by crates/modules/src/catalogue.rs; `make docs` rewrites it. -->\n";

/// The catalogues with their paths in the project.
pub fn documents() -> Vec<(&'static str, String)> {
    vec![
        ("docs/access.md", access()),
        ("docs/calls.cddl", cddl()),
        ("docs/errors.md", errors()),
        ("docs/events.md", events()),
        ("docs/state.md", state()),
    ]
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Role × call, for an official to read.
fn access() -> String {
    let mut out = format!(
        "# Who may do what 权限表\n\n{NOTICE}\n\
         ● = may make the call 可办理. A member acts for its own organisation only; each call's own rules come on top.\n\
         成员只能代表本机构办理；各项办理另有其自身规则。\n\n"
    );
    let roles = Role::ALL.map(|role| format!("{}<br>`{}`", role.zh(), role.name())).join(" | ");
    let bars = "|:-:".repeat(Role::ALL.len());
    for module in MODULES {
        let _ = write!(out, "## {}\n\n{}\n{}\n\n", module.name, module.about.zh, module.about.en);
        let _ = write!(out, "| call 办理事项 | {roles} |\n|:--{bars}|\n");
        for call in module.calls {
            let marks: Vec<&str> = Role::ALL
                .into_iter()
                .map(|role| match call.allowed {
                    Allowed::Member => "●",
                    Allowed::AnyOf(any) if any.contains(&role) => "●",
                    Allowed::AnyOf(_) => "",
                })
                .collect();
            let also = if matches!(call.allowed, Allowed::Member) { "<br>(every member 任一成员)" } else { "" };
            let _ = writeln!(
                out,
                "| **{}**{also}<br>{}<br>{} | {} |",
                call.name,
                cell(call.about.zh),
                cell(call.about.en),
                marks.join(" | ")
            );
        }
        out.push('\n');
    }
    cases(&mut out);
    out.push_str(
        "The three administrations (system, security, audit) are held by three accounts: no member ever holds two of them in its\n\
         life, and a new one is proposed by a security administrator and confirmed by a system administrator.\n\
         系统、安全、审计三种管理角色分属三个账户：同一成员终身只能担任其一；新任须由安全管理员提议、系统管理员确认。\n",
    );
    out
}

/// What cases may do in other modules.
fn cases(out: &mut String) {
    out.push_str(
        "## What cases may do 办件可办理的事项\n\n\
         A case makes these calls of other modules as a task of its procedure, in the name of an organisation to which the pack, once\n\
         voted in, gives the right (`right:MODULE.CALL` = offices). It acts as an officer 经办人 of that organisation under the member\n\
         id `case`, and as nothing else: what belongs to administrators, representatives and judges no pack can give. A right that no\n\
         task needs is refused at deployment, as is a task without its right.\n\
         办件可作为流程任务、以规则包授权（`right:模块.事项`）的机构名义、仅以经办人身份（成员号 `case`）发起以下办理：\n\
         管理员、代表、法官的权限不得授予。多余或缺少的授权在部署时拒绝。\n\n\
         | call 办理事项 | inputs 输入 | optional 可选 | outcome 结果 |\n|:--|:--|:--|:--|\n",
    );
    for it in CASE_CALLS {
        let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        let (required, optional, outcome) = (names(it.required), names(it.optional), names(it.outcome));
        let once =
            if it.numbered { "<br>once in a transaction; the next waits 一笔交易一次，其余等待" } else { "" };
        let _ =
            writeln!(out, "| **{}**<br>{}{once} | {required} | {optional} | {outcome} |", it.name(), cell(it.call.about.zh));
    }
    out.push('\n');
}

/// Every refusal with its texts.
fn errors() -> String {
    let mut out = format!(
        "# Refusals 拒绝代码\n\n{NOTICE}\n\
         A refusal is data: module and number stand in the receipt for ever; the texts may improve. *Retry* says whether the same\n\
         bytes may succeed later.\n\n"
    );
    let mut section = |name: &str, about: &str, refusals: &[RefusalEntry]| {
        let _ = write!(
            out,
            "## {name}\n\n{about}\n\n| no. | code | what is the matter | what to do | retry |\n|--:|:--|:--|:--|:-:|\n"
        );
        for entry in refusals {
            let _ = writeln!(
                out,
                "| {} | `{}` | {}<br>{} | {}<br>{} | {} |",
                entry.number,
                entry.slug(name),
                cell(entry.zh),
                cell(entry.en),
                cell(entry.remedy_zh),
                cell(entry.remedy_en),
                if entry.retry { "yes" } else { "no" }
            );
        }
        out.push('\n');
    };
    section("transaction", "The envelope, before any module sees it. 信封层：进入模块之前。", TRANSACTION_REFUSALS);
    for module in MODULES {
        section(module.name, module.about.en, module.refusals);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Every event with its fields.
fn events() -> String {
    let mut out = format!(
        "# Events 事件\n\n{NOTICE}\n\
         Events are the public history: they stand in receipts, and indexes are built from nothing else. Variants and fields are\n\
         added, never given another meaning. The types are in [calls.cddl](calls.cddl).\n\n"
    );
    for module in MODULES.iter().filter(|module| !module.events.is_empty()) {
        let _ = write!(out, "## {}\n\n| event | what happened | fields |\n|:--|:--|:--|\n", module.name);
        for event in module.events {
            let (shape, fields) = event.cddl.split_once(';').unwrap_or((event.cddl, ""));
            let _ = writeln!(
                out,
                "| **{}** | {}<br>{} | `{}`<br>{} |",
                event.name,
                cell(event.about.zh),
                cell(event.about.en),
                cell(shape.trim()),
                cell(fields.trim())
            );
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Every map of the state, so that an auditor reads the ledger without our code.
fn state() -> String {
    let mut out = format!(
        "# State 状态\n\n{NOTICE}\n\
         A state key is `SHA-256(map ‖ 0x00 ‖ parts of the entry's key)`; a value is deterministic CBOR (RFC 8949 §4.2.1). `?` marks a\n\
         field that may be absent. Beside the modules' maps there is the replay window of the executor.\n\n"
    );
    out.push_str("## transaction\n\n| map | key | value | written by |\n|:--|:--|:--|:--|\n");
    out.push_str("| `transaction/tip` |  | [digest that names the window's content] | every block that used a nonce |\n");
    out.push_str(
        "| `transaction/window` | height mod 1024: 8 bytes big-endian | [height, use ids: 16 bytes each, first half of SHA-256(public key ‖ nonce)] | every block that used a nonce |\n\n",
    );
    for module in MODULES {
        let _ = write!(
            out,
            "## {}\n\n{}\n\n| map | key | value | written by |\n|:--|:--|:--|:--|\n",
            module.name, module.about.en
        );
        for entry in module.state {
            let _ =
                writeln!(out, "| `{}` | {} | {} | {} |", entry.map, cell(entry.key), cell(entry.value), cell(entry.writers));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The CDDL of all calls' arguments and all events' fields (RFC 8610).
fn cddl() -> String {
    let mut out = String::from(
        "; Arguments of every call and fields of every event, as deterministic CBOR (RFC 8949 section 4.2.1).\n\
         ; Printed by crates/modules/src/catalogue.rs; `make docs` rewrites it.\n\n",
    );
    let rules = |module: &Module, what: &str, items: &[(&str, &str)]| {
        let mut text = String::new();
        for (name, body) in items {
            let _ = writeln!(text, "{}-{what}-{name} = {body}", module.name);
        }
        text
    };
    let first: Vec<String> = MODULES
        .iter()
        .flat_map(|module| {
            let calls = module.calls.iter().map(|call| format!("{}-call-{}", module.name, call.name));
            calls.chain(module.events.iter().map(|event| format!("{}-event-{}", module.name, event.name)))
        })
        .collect();
    let _ = writeln!(out, "call-or-event = {}", first.join("\n    / "));
    for module in MODULES {
        let calls: Vec<_> = module.calls.iter().map(|call| (call.name, call.cddl)).collect();
        let events: Vec<_> = module.events.iter().map(|event| (event.name, event.cddl)).collect();
        let _ = write!(
            out,
            "\n; ---- {} ----\n{}\n{}\n{}",
            module.name,
            module.cddl,
            rules(module, "call", &calls),
            rules(module, "event", &events)
        );
    }
    out
}
