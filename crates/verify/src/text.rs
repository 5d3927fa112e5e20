//! What a verification found, in words: the facts in a sentence first, the technical details after.

use zhulian_primitives::{EvidenceId, EvidenceRef, Timestamp};

use crate::{Answer, CHUNK_BYTES, Deposit, Field, FileRecord, Mismatch, Verified};

/// A language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Language {
    /// Chinese as written on the mainland.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// The answer to a file's check: its sentence, the witnesses, and all details.
pub fn answer_text(answer: &Answer, language: Language) -> String {
    let facts = answer.facts();
    let witnesses = match (answer, language) {
        (Answer::Verified(_), Language::Zh) => witnesses(facts, language),
        (Answer::Verified(_), Language::En) => format!(" {}", witnesses(facts, language)),
        _ => String::new(),
    };
    let found = match answer {
        Answer::Mismatch(_, mismatch) => {
            line(language.pick("所给文件", "file given"), &record(&mismatch.found, language), language)
        }
        _ => String::new(),
    };
    format!("{}{witnesses}\n\n{}{found}", answer_sentence(answer, language), details(facts, language))
}

/// The answer to a file's check in one sentence or two.
pub fn answer_sentence(answer: &Answer, language: Language) -> String {
    let facts = answer.facts();
    let (time, chain) = (format_time(facts.time), &facts.network);
    match (answer, language) {
        (Answer::Verified(_), Language::Zh) => format!(
            "核验通过。该文件已于 {time}（北京时间）存证于“{chain}”，区块高度 {}，存证编号 {}。",
            facts.height,
            number(facts),
        ),
        (Answer::Verified(_), Language::En) => format!(
            "Verified. This very file was deposited on “{chain}” at {time} (UTC+8), at height {}, under number {}.",
            facts.height,
            number(facts),
        ),
        (Answer::NotDeposited(_), Language::Zh) => {
            format!("尚未存证。该回执有效，但不能证明任何文件的存证：{}。", undeposited(facts, language))
        }
        (Answer::NotDeposited(_), Language::En) => {
            format!("Not deposited. The receipt is good, but proves no deposit of a file: {}.", undeposited(facts, language))
        }
        (Answer::Mismatch(_, mismatch), Language::Zh) => format!(
            "与存证内容不一致。该文件与编号 {} 于 {time}（北京时间）存证的内容不同；不同之处：{}。",
            number(facts),
            differences(mismatch, language)
        ),
        (Answer::Mismatch(_, mismatch), Language::En) => format!(
            "Does not match what was deposited. Its content is not that of number {}, deposited at {time} (UTC+8); what differs: {}.",
            number(facts),
            differences(mismatch, language)
        ),
    }
}

/// What a receipt proves, when there is no file to compare.
pub fn verified_text(facts: &Verified, language: Language) -> String {
    let time = format_time(facts.time);
    let outcome = outcome(facts, language);
    let lead = match language {
        Language::Zh => format!(
            "回执有效。编号 {} 的交易（{}.{}）于 {time}（北京时间）写入“{}”区块高度 {}，{outcome}。{}",
            facts.transaction,
            facts.module,
            facts.call,
            facts.network,
            facts.height,
            witnesses(facts, language)
        ),
        Language::En => format!(
            "The receipt is good. Transaction {} ({}.{}) was finalised on “{}” at {time} (UTC+8), at height {}, and {outcome}. {}",
            facts.transaction,
            facts.module,
            facts.call,
            facts.network,
            facts.height,
            witnesses(facts, language)
        ),
    };
    format!("{lead}\n\n{}", details(facts, language))
}

/// Chinese standard time (UTC+8), `2026-11-22 15:42:07.123`.
pub fn format_time(time: Timestamp) -> String {
    let local = time.saturating_add(8 * 3_600_000);
    let (days, ms) = (local / 86_400_000, local % 86_400_000);
    // Days to a civil date, by years that begin on 1 March (so that the leap day is a year's last).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", ms % 1_000)
}

/// 存证编号: the number that people know the deposit by, with the entry's index in a batch.
fn number(facts: &Verified) -> EvidenceRef {
    let entry = facts.entry.as_ref().and_then(|(index, _)| u32::try_from(*index).ok());
    EvidenceRef { id: EvidenceId::of(&facts.transaction), entry }
}

fn witnesses(facts: &Verified, language: Language) -> String {
    match language {
        Language::Zh => {
            format!("{} 个验证节点中有 {} 个签名作证：{}。", facts.validators, facts.signers.len(), facts.signers.join("、"))
        }
        Language::En => {
            format!("{} of {} validators vouch for it: {}.", facts.signers.len(), facts.validators, facts.signers.join(", "))
        }
    }
}

fn outcome(facts: &Verified, language: Language) -> String {
    match (&facts.refusal, language) {
        (None, Language::Zh) => "已执行".into(),
        (None, Language::En) => "executed".into(),
        (Some(code), Language::Zh) => format!("被拒绝（原因代码 {} {}）", code.module, code.number),
        (Some(code), Language::En) => format!("refused (code {} {})", code.module, code.number),
    }
}

fn undeposited(facts: &Verified, language: Language) -> String {
    match (&facts.refusal, &facts.deposit) {
        (Some(_), _) => match language {
            Language::Zh => format!("其交易{}", outcome(facts, language)),
            Language::En => format!("its transaction was {}", outcome(facts, language)),
        },
        (None, Some(_)) => language
            .pick(
                "其交易是批量存证，而回执中没有该文件的条目",
                "its transaction deposits a batch, and the receipt shows no entry of it",
            )
            .into(),
        (None, None) => match language {
            Language::Zh => format!("其交易是 {}.{}", facts.module, facts.call),
            Language::En => format!("its transaction is {}.{}", facts.module, facts.call),
        },
    }
}

fn differences(mismatch: &Mismatch, language: Language) -> String {
    let field = |field: &Field| match field {
        Field::Size => language.pick("大小", "the size"),
        Field::Sha256 => "SHA-256",
        Field::Sm3 => "SM3",
        Field::ChunksRoot => language.pick("分块根", "the root over the chunks"),
    };
    // First what a reader can look at: the place of the change.
    let chunks = mismatch.chunks.as_ref().filter(|chunks| !chunks.is_empty());
    let mut parts: Vec<String> = chunks.map(|chunks| chunk_list(chunks, mismatch, language)).into_iter().collect();
    parts.extend(mismatch.fields.iter().map(|f| field(f).into()));
    parts.join(language.pick("、", ", "))
}

/// Chunks as runs, counted from 1, with the bytes they span; at most eight runs are spelled out.
fn chunk_list(chunks: &[u64], mismatch: &Mismatch, language: Language) -> String {
    const RUNS_MAX: usize = 8;
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for chunk in chunks {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *chunk => *last = *chunk,
            _ => runs.push((*chunk, *chunk)),
        }
    }
    // The last chunk is shorter; chunks that differ are within the longer of the two files.
    let (size, end) = (CHUNK_BYTES as u64, mismatch.deposited.size.max(mismatch.found.size).max(1));
    let run = |(first, last): &(u64, u64)| {
        let numbers = if first == last { format!("{}", first + 1) } else { format!("{}–{}", first + 1, last + 1) };
        let (from, to) = (first * size, ((last + 1) * size).min(end) - 1);
        match language {
            Language::Zh => format!("第 {numbers} 块（字节 {from}–{to}）"),
            Language::En => format!("chunk {numbers} (bytes {from}–{to})"),
        }
    };
    let mut text = runs.iter().take(RUNS_MAX).map(run).collect::<Vec<_>>().join(language.pick("、", ", "));
    if runs.len() > RUNS_MAX {
        text.push_str(&match language {
            Language::Zh => format!("等共 {} 块", chunks.len()),
            Language::En => format!(" and more, {} chunks in all", chunks.len()),
        });
    }
    text
}

fn details(facts: &Verified, language: Language) -> String {
    let mut text = String::new();
    let mut add = |zh: &str, en: &str, value: &str| text.push_str(&line(language.pick(zh, en), value, language));
    add("网络", "network", &format!("{} {}", facts.network, hex::encode(facts.chain)));
    add("交易编号", "transaction", &facts.transaction.to_string());
    add("签名密钥", "signed by", &format!("{} {}", facts.signer.algorithm().name(), facts.signer));
    add("调用", "call", &format!("{}.{}", facts.module, facts.call));
    add("结果", "outcome", &outcome(facts, language));
    for event in &facts.events {
        add("事件", "event", &format!("{}.{}", event.module, event.name));
    }
    if let Some(Deposit::Batch { root, count }) = &facts.deposit {
        let root = hex::encode(root);
        add(
            "批次",
            "batch",
            &match language {
                Language::Zh => format!("{count} 条，根 {root}"),
                Language::En => format!("{count} entries, root {root}"),
            },
        );
    }
    if let Some((index, _)) = &facts.entry {
        add(
            "批次条目",
            "batch entry",
            &match language {
                Language::Zh => format!("第 {} 条", index + 1),
                Language::En => format!("number {}", index + 1),
            },
        );
    }
    if let Some(file) = facts.file() {
        add("存证文件", "file deposited", &record(file, language));
    }
    add("区块", "block", &hex::encode(facts.block));
    add(
        "区块内位置",
        "place in block",
        &match language {
            Language::Zh => format!("第 {} 笔，共 {} 笔", facts.index + 1, facts.transaction_count),
            Language::En => format!("{} of {}", facts.index + 1, facts.transaction_count),
        },
    );
    add("出块者", "proposer", &facts.proposer);
    add("终局证书所在高度", "certified height", &facts.certified_height.to_string());
    text
}

fn line(label: &str, value: &str, language: Language) -> String {
    match language {
        Language::Zh => format!("{label}：{value}\n"),
        Language::En => format!("{label}: {value}\n"),
    }
}

fn record(file: &FileRecord, language: Language) -> String {
    let (sha256, sm3) = (hex::encode(file.sha256), hex::encode(file.sm3));
    match language {
        Language::Zh => format!("{} 字节，SHA-256 {sha256}，SM3 {sm3}", file.size),
        Language::En => format!("{} bytes, SHA-256 {sha256}, SM3 {sm3}", file.size),
    }
}
