//! Prints a sample certificate: `cargo run -p zhulian-document --example certificate -- certificate.pdf [COUNT]`.
//!
//! With a count it renders that many times and prints the mean time of one.

use std::{env, error::Error, fs, process::ExitCode, time::Instant};

use zhulian_document::{BatchEntry, Bilingual, CertificateFacts, Fonts, Party, render};

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("name the PDF to write")?;
    let count: u32 = arguments.next().map_or(Ok(1), |count| count.parse())?;
    let started = Instant::now();
    let fonts = Fonts::find()?;
    println!("fonts loaded in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let facts = sample();
    let started = Instant::now();
    let mut pdf = Vec::new();
    for _ in 0..count {
        pdf = render(&facts, &fonts)?;
    }
    println!("{:.2} ms a certificate, {} bytes", started.elapsed().as_secs_f64() * 1e3 / f64::from(count), pdf.len());
    fs::write(path, pdf)?;
    Ok(())
}

fn sample() -> CertificateFacts {
    let party = |name: &str, uscc: &str| Party { name: name.into(), uscc: uscc.into() };
    let office = party("临江市市场监督管理局", "11330100MB1234567A");
    let court = party("临江市中级人民法院", "11330100002489012B");
    CertificateFacts {
        number: "EV-2026-000000184213".into(),
        title: Some("关于某商标侵权案网页取证的公证封存件.zip".into()),
        status: Bilingual::new("有效", "Valid"),
        status_height: 190_001,
        status_at_ms: 1_795_417_445_678,
        deposited_at_ms: 1_795_331_045_678,
        depositor: office.clone(),
        custodian: Some(office.clone()),
        source_type: Some(Bilingual::new("网页取证", "Web page capture")),
        legal_basis: Some("《最高人民法院关于民事诉讼证据的若干规定》第十四条、第九十三条".into()),
        sha256: bytes(0x9f),
        sm3: Some(bytes(0x31)),
        size: Some(18_874_368),
        chunks: Some(18),
        batch: Some(BatchEntry { index: 41, size: 100_000 }),
        whole_batch: None,
        height: 184_213,
        block: bytes(0x5a),
        transaction: bytes(0xc4),
        network: "临江市政务主链".into(),
        chain: bytes(0x77),
        signers: vec![
            court.clone(),
            office,
            party("临江市公证处", "12330100470116027C"),
            party("临江市数据资源管理局", "11330100MB0F12345D"),
        ],
        validators: 4,
        proposer: court,
        proposer_signed: Some(0),
        verify_url: "https://chain.linjiang.example/v?n=EV-2026-000000184213".into(),
        notes: vec![Bilingual::new(
            "提示：存证主体与保管单位为同一机构，原文件的保管未由中立第三方承担。",
            "Note: the depositor is also the custodian; the original is not kept by a neutral third party.",
        )],
    }
}

/// Bytes that look like a digest.
fn bytes(seed: u8) -> [u8; 32] {
    let mut value = u32::from(seed);
    std::array::from_fn(|_| {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (value >> 24) as u8
    })
}
