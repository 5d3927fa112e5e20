//! What people read: language, order, alignment; and that every exit code is documented.

use serde_json::json;
use zhulian_cli::{
    failure::{Exit, Failure},
    report::Report,
    text,
    text::{Lang, Text, bytes, grouped, harmless, quoted},
};

fn report() -> Report {
    Report::new(text!("存证成功。", "Deposited."), json!({ "ok": true }))
        .fact(Text::fixed("存证编号", "number"), "ZL42")
        .fact(Text::fixed("时间", "deposited"), "2026-01-01\nin two lines")
        .detail(Text::fixed("摘要", "digest"), "00ff")
        .table(
            vec![Text::fixed("文件", "file"), Text::fixed("结果", "outcome")],
            vec![
                vec!["甲.pdf".into(), text!("已存证", "deposited")],
                vec!["long-name.pdf".into(), text!("已跳过", "skipped")],
            ],
        )
        .next(text!("请保存回执。", "Keep the receipt."))
}

#[test]
fn a_report_reads_sentence_first_and_technical_details_last() {
    let expected = "\
Deposited.

  number     ZL42
  deposited  2026-01-01
             in two lines

  file           outcome
  -------------  ---------
  甲.pdf         deposited
  long-name.pdf  skipped

Technical details
  digest  00ff

Keep the receipt.
";
    assert_eq!(report().render(Lang::En), expected);
}

#[test]
fn chinese_columns_line_up() {
    let expected = "\
存证成功。

  存证编号  ZL42
  时间      2026-01-01
            in two lines

  文件           结果
  -------------  ------
  甲.pdf         已存证
  long-name.pdf  已跳过

技术细节
  摘要  00ff

请保存回执。
";
    assert_eq!(report().render(Lang::Zh), expected);
}

#[test]
fn an_error_says_what_why_and_what_next() {
    let failure = Failure::new(Exit::Network, "network.unreachable", text!("无法连接网关", "the gateway cannot be reached"))
        .why(text!("没有程序在监听", "nothing listens there"))
        .next(text!("执行 zhulian up", "run `zhulian up`"));
    let en = "Error: the gateway cannot be reached\nWhy:   nothing listens there\nNext:  run `zhulian up`\n";
    assert_eq!(failure.render(Lang::En), en);
    assert_eq!(failure.render(Lang::Zh), "出错了：无法连接网关\n原因：没有程序在监听\n下一步：执行 zhulian up\n");
    assert_eq!(failure.json()["error"]["exit"], 7);
}

#[test]
fn the_language_follows_the_locale_chinese_first() {
    let cases = [
        (None, Lang::Zh),
        (Some(""), Lang::Zh),
        (Some("zh_CN.UTF-8"), Lang::Zh),
        (Some("zh"), Lang::Zh),
        (Some("en_US.UTF-8"), Lang::En),
        (Some("C"), Lang::En),
        (Some("de_DE.UTF-8"), Lang::En),
    ];
    for (locale, lang) in cases {
        assert_eq!(Lang::of_locale(locale), lang, "{locale:?}");
    }
}

#[test]
fn numbers_are_grouped_and_sizes_rounded() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([0, 1023, 1024, 1 << 20, 3 << 30].map(bytes), ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "3.0 GiB"]);
}

#[test]
fn every_exit_code_is_documented() {
    let document = include_str!("../../../../docs/cli.md");
    for (index, (exit, text)) in Exit::ALL.iter().enumerate() {
        assert_eq!(*exit as usize, index, "codes are listed in order");
        let row = format!("| {index} | {} | {} |", text.en, text.zh);
        assert!(document.contains(&row), "docs/cli.md lacks: {row}");
    }
}

#[test]
fn what_is_to_be_typed_again_is_quoted_for_the_shell() {
    let cases = [
        ("a.txt", "a.txt"),
        ("a b", "'a b'"),
        ("ZL1*", "'ZL1*'"),
        ("it's", r"'it'\''s'"),
        ("", "''"),
        ("合同.pdf", "合同.pdf"),
    ];
    for (word, typed) in cases {
        assert_eq!(quoted(word), typed);
    }
}

#[test]
fn a_name_can_neither_colour_nor_forge_what_is_read() {
    assert_eq!(harmless("判决书 No. 7\nnext"), "判决书 No. 7\nnext");
    assert_eq!(harmless("a\u{1b}[31mb\u{202e}c\r"), r"a\u{1b}[31mb\u{202e}c\u{d}");
    let report = Report::new("x", json!(null))
        .table(vec![Text::fixed("文件", "file")], vec![vec!["a\n  forged  verified".into()], vec!["b".into()]]);
    let text = report.render(Lang::En);
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.contains(r"a\n  forged"), "{text}");
}
