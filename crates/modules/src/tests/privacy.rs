//! The detector of personal numbers, over published samples and over look-alikes that are none.

use crate::privacy::{Finding, find};

#[test]
fn personal_numbers_are_found_however_they_are_written() {
    use Finding::{BankCard, CitizenNumber, Mobile};
    let found = [
        ("11010519491231002X", CitizenNumber),
        ("公民身份号码11010519491231002x。", CitizenNumber),
        ("360426199101010071", CitizenNumber),
        ("id:371001198010082394", CitizenNumber),
        ("440882 19910210 4195", CitizenNumber),
        ("440882-19910210-4195", CitizenNumber),
        ("44088219910210419５", CitizenNumber),
        ("110105491231002", CitizenNumber),
        ("电话13812345678", Mobile),
        ("138 1234 5678", Mobile),
        ("+86 138-1234-5678", Mobile),
        ("tel13812345678x", Mobile),
        ("6222021234567890128 卡", BankCard),
        ("4111 1111 1111 1111", BankCard),
    ];
    for (text, finding) in found {
        assert_eq!(find(text), Some(finding), "{text}");
    }
}

#[test]
fn case_numbers_dates_codes_and_digests_are_none() {
    let clean = [
        "(2026)浙0192民初1234号",
        "民事诉讼法第六十六条",
        "2026-11-22 08:30:00",
        "91110000600037341L",
        "11430000006122244L",
        "合同编号 HT-2026-000123",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "13812345678901234567890123456789012345678",
        "110105194912310021",
        "金额 1234567.89 元",
        "",
    ];
    for text in clean {
        assert_eq!(find(text), None, "{text}");
    }
}
