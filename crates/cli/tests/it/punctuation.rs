//! Chinese texts are set with Chinese punctuation: half-width marks between Chinese characters look like typing errors on paper.

use std::path::Path;

/// A Chinese character, or a closing mark after one.
fn is_zh(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '）' | '》' | '”')
}

/// The first half-width mark in a line that stands in Chinese text: after a Chinese character, and directly before another one, a
/// letter, a digit or an inserted value. English, which may name something in Chinese, puts a space there.
fn half_width(line: &str) -> Option<usize> {
    let letters: Vec<char> = line.chars().collect();
    (1..letters.len()).find(|at| {
        let (before, mark) = (letters[at - 1], letters[*at]);
        let after = letters.get(at + 1).copied().unwrap_or(' ');
        let goes_on = is_zh(after) || after.is_ascii_alphanumeric() || matches!(after, '{' | '“' | '《' | '（');
        let mark_is = |marks: &str| marks.contains(mark);
        is_zh(before) && (mark_is(",;:!?") && goes_on || mark == '(' && after != '\'')
            || (before.is_ascii_alphanumeric() || before == '}') && mark_is(",;:!?") && is_zh(after)
    })
}

/// What is data or a form, and not a text.
const FORMS: [&str; 3] = ["目录编号,名称", "主机:端口", "right:模块"];

#[test]
fn chinese_texts_have_chinese_punctuation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut looked = 0;
    let places = ["crates", "docs", "deploy", "web/src", "README.zh-CN.md", "README.md", "CHANGELOG.md"];
    for entry in places.iter().flat_map(|place| walkdir::WalkDir::new(root.join(place))).filter_map(Result::ok) {
        let path = entry.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let ours = ["rs", "md", "yml", "ts", "html", "json", "cddl"].contains(&kind);
        let of_tests =
            |part: std::path::Component<'_>| ["tests", "tests.rs", "data"].iter().any(|it| part.as_os_str() == *it);
        if !ours || path.components().any(of_tests) {
            continue;
        }
        looked += 1;
        let text = std::fs::read_to_string(path).expect("a text");
        let lines = text.lines().enumerate().filter(|(_, line)| !FORMS.iter().any(|form| line.contains(form)));
        found.extend(lines.filter(|(_, line)| half_width(line).is_some()).map(|(at, line)| {
            format!("{}:{}: {}", path.strip_prefix(&root).unwrap_or(path).display(), at + 1, line.trim())
        }));
    }
    assert!(looked > 300, "only {looked} files were looked at");
    assert!(found.is_empty(), "half-width punctuation in Chinese texts:\n{}", found.join("\n"));
}

#[test]
fn what_is_looked_for_is_found() {
    for bad in [
        "请补充,或更正",
        "查看:zhulian case",
        "规则包(pack.json)",
        "办件:“名称”",
        "共 {n} 件办件:{n}",
        "（二）,再",
        "不是 ES256,或",
    ] {
        assert!(half_width(bad).is_some(), "{bad}");
    }
    for good in ["请补充，或更正", "a case 办件, and", "Cases (办件) and", "机构\", \"org", "规则包（pack.json）", "事项: a"]
    {
        assert!(half_width(good).is_none(), "{good}");
    }
}
