//! The certificate as its readers meet it: bytes, text, pages.
//!
//! These need Noto Sans CJK (`apt-get install fonts-noto-cjk`); what reads a PDF back needs `pdftotext` of
//! poppler-utils and says so when it is skipped.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use zhulian_document::{BatchEntry, Bilingual, CertificateFacts, DocumentError, Fonts, Party, render};

static FONTS: LazyLock<Fonts> = LazyLock::new(|| Fonts::find().expect("run `apt-get install fonts-noto-cjk`"));

fn party(name: &str, uscc: &str) -> Party {
    Party { name: name.into(), uscc: uscc.into() }
}

/// Facts with every option left out.
fn bare() -> CertificateFacts {
    let court = party("临江市中级人民法院", "11330100002489012B");
    CertificateFacts {
        number: "EV-2026-000000000042".into(),
        title: None,
        status: Bilingual::new("有效", "Valid"),
        status_height: 2_345_678,
        status_at_ms: 1_795_417_445_678,
        deposited_at_ms: 1_795_331_045_678,
        depositor: party("临江市公证处", "12330100470116027C"),
        custodian: None,
        source_type: None,
        legal_basis: None,
        sha256: [0x5a; 32],
        sm3: None,
        size: None,
        chunks: None,
        batch: None,
        whole_batch: None,
        height: 1_234_567,
        block: [1; 32],
        transaction: [2; 32],
        network: "临江市政务主链".into(),
        chain: [3; 32],
        signers: vec![court.clone(), party("临江市公证处", "12330100470116027C"), party("某银行", "")],
        validators: 4,
        proposer: court,
        proposer_signed: Some(0),
        verify_url: "https://chain.example/v?n=EV-2026-000000000042".into(),
        notes: Vec::new(),
    }
}

/// Facts with every option given.
fn full() -> CertificateFacts {
    CertificateFacts {
        title: Some("关于取证的公证封存件.zip".into()),
        custodian: Some(party("临江市档案馆", "12330100470116028A")),
        source_type: Some(Bilingual::new("网页取证", "Web page capture")),
        legal_basis: Some("《中华人民共和国电子签名法》第五条".into()),
        sm3: Some([0xc3; 32]),
        size: Some(1_048_577),
        chunks: Some(2),
        batch: Some(BatchEntry { index: 41, size: 1_000_000 }),
        notes: vec![Bilingual::new("提示：另有更早的存证。", "Note: an earlier deposit exists.")],
        ..bare()
    }
}

/// The text layer, without any white space; `None` when there is no `pdftotext`.
fn text_of(pdf: &[u8]) -> Option<String> {
    let mut command = Command::new("pdftotext");
    command.args(["-layout", "-enc", "UTF-8", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: pdftotext is not installed (apt-get install poppler-utils)");
        return None;
    };
    child.stdin.take().expect("piped").write_all(pdf).expect("pdftotext reads");
    let output = child.wait_with_output().expect("pdftotext ends");
    assert!(output.status.success(), "pdftotext: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "pdftotext complains: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8").split_whitespace().collect())
}

fn assert_states(text: &str, parts: &[&str]) {
    for part in parts {
        let solid: String = part.split_whitespace().collect();
        assert!(text.contains(&solid), "{part:?} is not in {text}");
    }
}

/// Pages, counted by the foot of the first: `第 1/3 页`.
fn pages(text: &str) -> usize {
    let count = text.split("第1/").nth(1).and_then(|rest| rest.split('页').next()).expect("a page number");
    count.parse().expect("a count of pages")
}

#[test]
fn equal_facts_give_equal_bytes_and_other_facts_other_bytes() {
    let first = render(&full(), &FONTS).unwrap();
    let fonts = Fonts::find().unwrap();
    assert_eq!(first, render(&full(), &fonts).unwrap());
    assert_ne!(first, render(&CertificateFacts { height: 7, ..full() }, &fonts).unwrap());
}

#[test]
fn the_file_declares_pdf_a_2b_and_the_deposit_time_as_its_date() {
    let pdf = render(&full(), &FONTS).unwrap();
    let holds = |part: &str| pdf.windows(part.len()).any(|window| window == part.as_bytes());
    assert!(pdf.starts_with(b"%PDF-1.7"));
    assert!(holds("<pdfaid:part>2</pdfaid:part>") && holds("<pdfaid:conformance>B</pdfaid:conformance>"));
    assert!(holds("2026-11-22T15:04:05+08:00"));
}

#[test]
fn the_text_can_be_searched_in_both_languages() {
    let Some(text) = text_of(&render(&full(), &FONTS).unwrap()) else { return };
    assert_eq!(pages(&text), 1);
    assert_states(
        &text,
        &[
            "电子证据存证证书",
            "兹证明：2026年11月22日 15:04:05（北京时间），临江市公证处将电子文件“关于取证的公证封存件.zip”",
            "该网络 4 个验证节点中的 3 个已对所在区块签名确认",
            "This certifies that at 2026-11-22 15:04:05 UTC+8",
            "EV-2026-000000000042",
            "临江市档案馆 统一社会信用代码 USCC 12330100470116028A",
            "1,048,577 字节",
            "entry 42 of 1,000,000 (index 41 in the tree)",
            "《中华人民共和国电子签名法》第五条",
            &"5a".repeat(32),
            &"c3".repeat(32),
            "提示：另有更早的存证。",
            "有效（截至 2026-11-23 15:04:05 UTC+8，区块高度 2,345,678）",
            "Valid, as of this time and block height",
            "3 / 4 已签名 signed",
            "本块提议者 proposer",
            "zhulian verify FILE --receipt R --network network.json",
            "https://chain.example/v?n=EV-2026-000000000042",
            "1,234,567",
            &"01".repeat(32),
            &"02".repeat(32),
            &"03".repeat(32),
        ],
    );
}

#[test]
fn what_is_not_told_is_not_mentioned() {
    let Some(text) = text_of(&render(&bare(), &FONTS).unwrap()) else { return };
    assert_states(&text, &["将一份电子文件的数字指纹存入", "placed the digital fingerprint of a file on record"]);
    for absent in ["文件名称", "保管单位", "文件大小", "批量存证", "来源类型", "存证依据", "SM3", "提示", "〓"]
    {
        assert!(!text.contains(absent), "{absent} is in {text}");
    }
}

#[test]
fn a_proposer_who_did_not_sign_is_named_apart() {
    let facts =
        CertificateFacts { proposer: party("临江市税务局", "11330100002489777X"), proposer_signed: None, ..bare() };
    let Some(text) = text_of(&render(&facts, &FONTS).unwrap()) else { return };
    assert_states(&text, &["提议者 Proposer 临江市税务局 11330100002489777X"]);
    assert!(!text.contains("本块提议者"));
}

#[test]
fn a_whole_batch_is_not_certified_as_a_file() {
    let facts = CertificateFacts { whole_batch: Some(1_000_000), ..bare() };
    let Some(text) = text_of(&render(&facts, &FONTS).unwrap()) else { return };
    assert_states(
        &text,
        &[
            "临江市公证处将一个批次（共 1,000,000 项）的数字指纹存入",
            "其中任何一项哪怕改动一个字节",
            "placed the digital fingerprint of a batch of 1,000,000 entries on record",
            "批次 Merkle 根",
            "Batch root, RFC 9162",
            "the whole batch, 1,000,000 entries",
            "它自己的条目回执",
            &"5a".repeat(32),
        ],
    );
    for absent in ["电子文件的数字指纹", "文件摘要", "fingerprintofafile", "放入原文件"] {
        assert!(!text.contains(absent), "{absent} is in {text}");
    }
}

#[test]
fn of_two_signers_of_one_name_only_the_proposer_is_marked() {
    let twin = party("临江市中级人民法院", "11330100002489012B");
    let facts = CertificateFacts { signers: vec![twin.clone(), twin.clone(), twin], proposer_signed: Some(1), ..bare() };
    let Some(text) = text_of(&render(&facts, &FONTS).unwrap()) else { return };
    assert_eq!(text.matches("本块提议者").count(), 1, "{text}");
}

#[test]
fn long_inputs_take_more_pages_and_lose_nothing() {
    let long = |unit: &str, count: usize| (0..count).map(|n| format!("{unit}{n}")).collect::<String>();
    let title = long("很长的文件名", 1500);
    let basis = long("unbroken", 400);
    let facts = CertificateFacts {
        number: long("EV-", 60),
        title: Some(title.clone()),
        legal_basis: Some(basis.clone()),
        depositor: party(&long("某局", 300), &long("9", 100)),
        network: long("某市主链", 100),
        signers: (0..60).map(|n| party(&long("验证节点", n), "11330100002489012B")).collect(),
        validators: 60,
        notes: vec![Bilingual::new(long("提示", 900), long("note ", 900)); 3],
        verify_url: format!("https://chain.example/{}", "p".repeat(400)),
        ..full()
    };
    let Some(text) = text_of(&render(&facts, &FONTS).unwrap()) else { return };
    assert!(pages(&text) > 3, "{} pages", pages(&text));
    // Page feet and heads may interrupt a text, so look for its pieces.
    assert_states(&text, &["很长的文件名1499", "unbroken399", "某局299", "note899", "技术细节", &"02".repeat(32)]);
}

/// Every word of the text layer lies within the page, whatever was put in.
#[test]
fn nothing_runs_off_the_page() {
    let facts = CertificateFacts {
        number: "W".repeat(300),
        title: Some("W".repeat(500)),
        depositor: party(&"局".repeat(300), &"8".repeat(300)),
        network: "链".repeat(200),
        status: Bilingual::new("M".repeat(200), "M".repeat(200)),
        ..full()
    };
    let pdf = render(&facts, &FONTS).unwrap();
    let mut command = Command::new("pdftotext");
    command.args(["-bbox", "-enc", "UTF-8", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: pdftotext is not installed (apt-get install poppler-utils)");
        return;
    };
    child.stdin.take().expect("piped").write_all(&pdf).expect("pdftotext reads");
    let output = child.wait_with_output().expect("pdftotext ends");
    let html = String::from_utf8(output.stdout).expect("UTF-8");
    let edge = |line: &str, name: &str| -> f32 {
        let value = line.split(name).nth(1).and_then(|rest| rest.split('"').nth(1)).expect("an edge");
        value.parse().expect("a number")
    };
    let words: Vec<&str> = html.lines().filter(|line| line.contains("<word ")).collect();
    assert!(words.len() > 100, "only {} words", words.len());
    for word in words {
        let (left, right) = (edge(word, "xMin"), edge(word, "xMax"));
        let bottom = edge(word, "yMax");
        assert!(left >= 55.0 && right <= 541.0 && bottom <= 838.0, "outside the margins: {word}");
    }
}

#[test]
fn rare_and_hostile_characters_neither_fail_nor_hide() {
    // Not in the font: Egyptian, an emoji, the newest Han extension. Hidden: a direction override, a zero-width space.
    let depositor = "某局\u{13000}\u{1f600}\u{323af}\u{202e}gnp\u{200b}.exe\0\u{fffe}\u{feff}\u{10ffff}\n第二行";
    let facts = CertificateFacts { depositor: party(depositor, "\u{e000}"), ..full() };
    let pdf = render(&facts, &FONTS).unwrap();
    let Some(text) = text_of(&pdf) else { return };
    assert_states(&text, &["〓 表示字库缺少的字符", "U+13000", "U+1F600", "U+202E", "U+200B", "U+FEFF", "第二行"]);
    assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'), "an invisible character is in the text layer");
}

#[test]
fn any_character_can_be_printed() {
    // A certificate full of any characters is still PDF/A-2b, which forbids the glyph for "no such character".
    for block in (0..0x3_3000u32).step_by(0x1800) {
        let title: String = (block..block + 0x1800).filter_map(char::from_u32).collect();
        render(&CertificateFacts { title: Some(title), ..bare() }, &FONTS).unwrap();
    }
}

#[test]
fn facts_that_state_nothing_are_refused() {
    let refused = |facts: CertificateFacts| render(&facts, &FONTS).unwrap_err();
    let missing = |facts| matches!(refused(facts), DocumentError::FactMissing(_));
    assert!(missing(CertificateFacts { number: " ".into(), ..full() }));
    assert!(missing(CertificateFacts { network: String::new(), ..full() }));
    assert!(missing(CertificateFacts { depositor: party("", "1"), ..full() }));
    assert!(missing(CertificateFacts { signers: Vec::new(), ..full() }));
    assert!(matches!(
        refused(CertificateFacts { validators: 2, ..full() }),
        DocumentError::TooManySignatures { signed: 3, total: 2 }
    ));
    assert!(matches!(
        refused(CertificateFacts { batch: Some(BatchEntry { index: 5, size: 5 }), ..full() }),
        DocumentError::BatchEntryOutside { index: 5, size: 5 }
    ));
    assert!(matches!(refused(CertificateFacts { deposited_at_ms: u64::MAX, ..full() }), DocumentError::TimeOutOfRange(_)));
}

#[test]
fn only_plain_web_addresses_become_a_code() {
    let long = format!("https://chain.example/{}", "x".repeat(600));
    for url in ["", "javascript:alert(1)", "ftp://x", "https://例.example", "https://a b", "https://a\n", &long] {
        let facts = CertificateFacts { verify_url: url.into(), ..full() };
        assert!(matches!(render(&facts, &FONTS), Err(DocumentError::VerifyUrl)), "{url}");
    }
}

#[test]
fn a_font_that_will_not_do_is_named_with_its_remedy() {
    let absent = Fonts::open(Path::new("/nonexistent/font.ttc")).err().expect("no such font");
    assert!(matches!(absent, DocumentError::FontUnreadable { .. }));
    assert!(absent.to_string().contains("apt-get install fonts-noto-cjk"), "{absent}");
    let no_font = Fonts::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).err().expect("no font");
    assert!(matches!(no_font, DocumentError::FontUnsuitable { .. }));
    assert!(no_font.to_string().contains("apt-get install fonts-noto-cjk"), "{no_font}");
}
