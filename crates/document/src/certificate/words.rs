//! What the certificate says, Chinese first.

use std::collections::BTreeSet;

use super::looks::Kind;
use crate::{BatchEntry, Bilingual, CertificateFacts, Party, time::BeijingTime};

/// Longer titles are not repeated in the opening sentence; the table has them in full.
const STATEMENT_TITLE_CHARS_MAX: usize = 60;
/// Missing characters named on the page.
const MISSING_NAMED_MAX: usize = 24;

/// The reader must not take the paper for the proof.
pub const FOOT: &str = "本证书是回执的可读副本，以回执文件为准。  This is a readable copy; the receipt file is the proof.";

/// A step of the instructions, with what is typed or opened.
pub struct Step {
    pub zh: String,
    pub literal: Option<String>,
    pub en: String,
}

/// A row of the table.
pub struct Row {
    /// What the fact is, in Chinese.
    pub zh: &'static str,
    /// What the fact is, in English.
    pub en: &'static str,
    pub value: String,
    pub kind: Kind,
    /// A translation of the value or a code that belongs to it; may be empty.
    pub aside: String,
}

impl Row {
    fn new(zh: &'static str, en: &'static str, value: impl Into<String>, aside: impl Into<String>) -> Self {
        Self { zh, en, value: value.into(), kind: Kind::Plain, aside: aside.into() }
    }

    fn party(zh: &'static str, en: &'static str, party: &Party) -> Self {
        let code =
            if party.uscc.is_empty() { String::new() } else { format!("统一社会信用代码 USCC {}", party.uscc) };
        Self::new(zh, en, &party.name, code)
    }

    fn bilingual(zh: &'static str, en: &'static str, text: &Bilingual) -> Self {
        Self::new(zh, en, &text.zh, &text.en)
    }

    fn digest(zh: &'static str, en: &'static str, digest: &[u8; 32]) -> Self {
        Self { kind: Kind::Digest, ..Self::new(zh, en, grouped(digest), "") }
    }

    fn strong(self) -> Self {
        Self { kind: Kind::Strong, ..self }
    }
}

/// The texts for some facts.
pub struct Words<'a> {
    pub facts: &'a CertificateFacts,
    pub time: BeijingTime,
    /// Time of the state that the status was read from.
    pub status_time: BeijingTime,
}

impl Words<'_> {
    /// The fact in plain words.
    pub fn statement(&self) -> (String, String) {
        let CertificateFacts { number, depositor, network, signers, validators, .. } = self.facts;
        let title = self.facts.title.as_deref().map(str::trim);
        let title = title.filter(|t| !t.is_empty() && t.chars().count() <= STATEMENT_TITLE_CHARS_MAX);
        let (file_zh, file_en) = match (self.facts.whole_batch, title) {
            (Some(count), _) => {
                let count = thousands(count);
                (format!("一个批次（共 {count} 项）"), format!("a batch of {count} entries"))
            }
            (None, Some(title)) => (format!("电子文件“{title}”"), format!("the file \"{title}\"")),
            (None, None) => ("一份电子文件".into(), "a file".into()),
        };
        let (what_zh, what_en) = match self.facts.whole_batch {
            Some(_) => ("其中任何一项", "any of its entries"),
            None => ("文件", "the file"),
        };
        let (signed, depositor) = (signers.len(), &depositor.name);
        let zh = format!(
            "兹证明：{time}（北京时间），{depositor}将{file_zh}的数字指纹存入“{network}”，存证编号 {number}。\
             该网络 {validators} 个验证节点中的 {signed} 个已对所在区块签名确认，任何一方都无法事后悄悄改动；\
             {what_zh}哪怕改动一个字节，核验时也会被发现。",
            time = self.time.chinese(),
        );
        let en = format!(
            "This certifies that at {time} (Beijing time) {depositor} placed the digital fingerprint of {file_en} on record in \
             {network} under number {number}. {signed} of the network's {validators} validators signed the block that holds it. \
             No single party can change the record unnoticed, and a change of even one byte in {what_en} will show on checking.",
            time = self.time,
        );
        (zh, en)
    }

    /// Who, when, what: the rows of the table.
    pub fn rows(&self) -> Vec<Row> {
        let facts = self.facts;
        let mut rows = vec![
            Row::new("存证编号", "Deposit number", &facts.number, "").strong(),
            Row::new("存证时间", "Deposited at", self.time.to_string(), "").strong(),
            Row::party("存证主体", "Depositor", &facts.depositor),
        ];
        if let Some(custodian) = &facts.custodian {
            rows.push(Row::party("保管单位", "Custodian", custodian));
        }
        if let Some(title) = present(&facts.title) {
            rows.push(Row::new("文件名称", "File", title, ""));
        }
        if let Some(size) = facts.size {
            let chunks = facts.chunks.map(thousands);
            let chunks = chunks.map(|n| format!("按 1 MiB 分为 {n} 块 in chunks of 1 MiB: {n}")).unwrap_or_default();
            rows.push(Row::new("文件大小", "Size", format!("{} 字节 bytes", thousands(size)), chunks));
        }
        if let Some(BatchEntry { index, size }) = facts.batch {
            // The index is below the size, so one more does not overflow.
            let (nth, size) = (thousands(index + 1), thousands(size));
            let place = format!("第 {nth} 项，共 {size} 项");
            rows.push(Row::new("批量存证", "Batch", place, format!("entry {nth} of {size} (index {index} in the tree)")));
        }
        if let Some(count) = facts.whole_batch {
            let count = thousands(count);
            rows.push(Row::new(
                "批量存证",
                "Batch",
                format!("整个批次，共 {count} 项"),
                format!("the whole batch, {count} entries"),
            ));
        }
        if let Some(source) = &facts.source_type {
            rows.push(Row::bilingual("来源类型", "Source", source));
        }
        if let Some(basis) = present(&facts.legal_basis) {
            rows.push(Row::new("存证依据", "Legal basis", basis, ""));
        }
        let (height, time) = (thousands(facts.status_height), self.status_time);
        let Bilingual { zh, en } = &facts.status;
        rows.push(Row::new(
            "出证时状态",
            "Status when issued",
            format!("{zh}（截至 {time}，区块高度 {height}）"),
            format!("{en}, as of this time and block height"),
        ));
        match facts.whole_batch {
            None => rows.push(Row::digest("SHA-256", "文件摘要 Digest", &facts.sha256)),
            Some(_) => rows.push(Row::digest("批次 Merkle 根", "Batch root, RFC 9162", &facts.sha256)),
        }
        if let Some(sm3) = &facts.sm3 {
            rows.push(Row::digest("SM3", "文件摘要 Digest", sm3));
        }
        rows
    }

    pub fn notes(&self) -> Vec<Bilingual> {
        self.facts.notes.clone()
    }

    /// Three ways to check, of which the last needs nothing of ours.
    pub fn steps(&self) -> [Step; 3] {
        let batch = self.facts.whole_batch.is_some();
        let (web_zh, web_en) = match batch {
            false => (
                "网页：扫码或打开下列网址，放入原文件，核验在您自己的浏览器里完成。",
                "Web page: scan the code or open the address and drop the original file; your own browser checks it.",
            ),
            true => (
                "网页：扫码或打开下列网址，核验本批次；放入其中的原文件，可查到它自己的条目。",
                "Web page: scan the code or open the address for this batch; drop one of its files to find that file's own entry.",
            ),
        };
        let (offline_zh, offline_en) = match batch {
            false => (
                "离线：用原文件、回执和网络身份文件核验，不连网、不依赖任何节点。",
                "Offline: with the file, its receipt and the network identity; no connection, no node.",
            ),
            true => (
                "离线：用其中的原文件、它自己的条目回执和网络身份文件核验，不连网、不依赖任何节点。",
                "Offline: with one of its files, the receipt of that file's entry and the network identity; no connection, no node.",
            ),
        };
        [
            Step { zh: web_zh.into(), literal: Some(self.facts.verify_url.clone()), en: web_en.into() },
            Step {
                zh: offline_zh.into(),
                literal: Some("zhulian verify FILE --receipt R --network network.json".into()),
                en: offline_en.into(),
            },
            Step {
                zh: "自行编程：回执格式公开，交易为 COSE 签名（RFC 9052），任何 COSE 库都能核对。".into(),
                literal: None,
                en: "Your own tools: the receipt format is public (docs/receipt-format.md); transactions are standard COSE \
                     signatures, which any COSE library checks."
                    .into(),
            },
        ]
    }

    /// Name, text, and whether it is a digest.
    pub fn technical(&self) -> Vec<(&'static str, String, bool)> {
        let facts = self.facts;
        let mut lines = vec![
            ("链标识 Chain id", grouped(&facts.chain), true),
            ("区块高度 Height", thousands(facts.height), false),
            ("区块摘要 Block digest", grouped(&facts.block), true),
            ("交易标识 Transaction id", grouped(&facts.transaction), true),
        ];
        // Who proposed and signed is marked among the signers.
        let Party { name, uscc } = &facts.proposer;
        if facts.proposer_signed.is_none() {
            lines.push(("提议者 Proposer", format!("{name} {uscc}"), false));
        }
        lines
    }
}

/// Says which characters the page shows as a substitute.
pub fn missing_characters(missing: &BTreeSet<char>) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let named: Vec<String> = missing.iter().take(MISSING_NAMED_MAX).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    let more = if missing.len() > MISSING_NAMED_MAX { " ..." } else { "" };
    Some(format!("〓 表示字库缺少的字符 stands for a character not in the font: {}{more}", named.join(" ")))
}

fn present(text: &Option<String>) -> Option<String> {
    text.as_ref().filter(|text| !text.trim().is_empty()).cloned()
}

/// Lower-case hex in groups of eight.
pub fn grouped(digest: &[u8; 32]) -> String {
    let groups: Vec<String> = digest.chunks(4).map(|four| four.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    groups.join(" ")
}

/// `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_digests_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(grouped(&[0xab; 32]), ["abababab"; 8].join(" "));
    }
}
