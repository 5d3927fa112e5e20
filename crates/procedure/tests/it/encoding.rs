//! Equal runs are equal bytes, and bytes are read back.

use crate::support::{Case, World, boundary, duration, extension, file, flows, numbers, one, users, with};
use proptest::prelude::*;
use zhulian_procedure::{Instance, Variables, Wire};
use zhulian_rules::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use zhulian_rules::{Decimal, Name, Value};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(value: Value) -> String {
    hex(&minicbor::to_vec(Wire::of(&value).expect("a stored value")).expect("memory"))
}

#[test]
fn values_have_pinned_encodings() {
    let list = |items| Value::list(items).expect("short");
    let context = |entries: Vec<(&str, Value)>| {
        Value::context(entries.into_iter().map(|(n, v)| (Name::from(n), v)).collect()).expect("short")
    };
    let pinned = [
        (Value::Null, "f6"),
        (Value::Boolean(true), "f5"),
        (Value::Number(Decimal::from(7)), "07"),
        (Value::Number(Decimal::from(-500)), "3901f3"),
        (Value::Number(Decimal::new(15, -1).expect("1.5")), "a10063312e35"),
        (Value::text("办件"), "66e58a9ee4bbb6"),
        (Value::Date(Date::parse("2026-01-05").expect("a date")), "a1016a323032362d30312d3035"),
        (Value::Time(Time::parse("09:30:00").expect("a time")), "a1026830393a33303a3030"),
        (
            Value::DateTime(DateTime::parse("2026-01-05T09:30:00+08:00").expect("both")),
            "a1037819323032362d30312d30355430393a33303a30302b30383a3030",
        ),
        (Value::Days(DaysDuration::parse("P5D").expect("days")), "a10463503544"),
        (Value::Months(MonthsDuration::parse("P1M").expect("months")), "a1056350314d"),
        (list(vec![Value::Number(1.into()), Value::Null]), "8201f6"),
        (
            context(vec![("long", Value::Null), ("b", Value::Null), ("a", Value::Boolean(false))]),
            "a36161f46162f6646c6f6e67f6",
        ),
    ];
    for (value, expected) in pinned {
        let wire = Wire::of(&value).expect("a stored value");
        assert_eq!(bytes(value), expected);
        let read: Wire = minicbor::decode(&minicbor::to_vec(&wire).expect("memory")).expect("it reads back");
        assert_eq!(read, wire);
    }
}

#[test]
fn other_encodings_are_refused() {
    // Two members out of order, doubled, a text that is no number, an unknown kind, an endless list, a float.
    for bad in [
        &[0xa2, 0x61, b'b', 0xf6, 0x61, b'a', 0xf6][..],
        &[0xa2, 0x61, b'a', 0xf6, 0x61, b'a', 0xf6],
        &[0xa1, 0x00, 0x61, b'x'],
        &[0xa1, 0x06, 0x61, b'1'],
        &[0x9f, 0xff],
        &[0xf9, 0x3c, 0x00],
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert!(minicbor::decode::<Wire>(bad).is_err(), "{bad:02x?}");
    }
    let deep: Vec<u8> = std::iter::repeat_n(0x81, 100_000).chain([0xf6]).collect();
    assert!(minicbor::decode::<Wire>(&deep).is_err());
    let mut nested = Value::Null;
    for _ in 0..16 {
        nested = Value::list(vec![nested]).expect("short");
    }
    assert!(Wire::of(&nested).is_none());
}

fn reminded() -> String {
    let loops = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>";
    let assignment = extension(r#"<zeebe:assignmentDefinition candidateGroups="office"/>"#);
    file(
        &(one("startEvent", "s")
            + &one("parallelGateway", "split")
            + &with("userTask", "a", &(assignment + loops))
            + &users("b late")
            + &boundary("edge", "b", false, &duration("PT2H"))
            + &one("parallelGateway", "join")
            + &one("endEvent", "e")
            + &flows("s>split split>a split>b a>join b>join join>e edge>late late>e")),
    )
}

#[test]
fn an_instance_has_a_pinned_encoding() {
    let mut case = Case::with(World::of(&reminded()), &numbers([("n", 1)]));
    case.done("a").done("a");
    let encoded = minicbor::to_vec(&case.instance).expect("memory");
    assert_eq!(hex(&encoded), include_str!("instance.hex").trim(), "the encoding of running cases has changed");
    assert_eq!(minicbor::decode::<Instance>(&encoded).expect("it reads back"), case.instance);
}

/// What is done next, chosen by numbers.
fn play(choices: &[u8]) -> Vec<Vec<u8>> {
    let mut case = Case::with(World::of(&reminded()), &Variables::default());
    let mut states = vec![minicbor::to_vec(&case.instance).expect("memory")];
    for choice in choices {
        let work: Vec<String> = case.instance.work(&case.world).into_iter().map(|work| work.element).collect();
        if work.is_empty() {
            break;
        }
        match work.get(usize::from(*choice) % (work.len() + 1)) {
            Some(element) => case.done_with(&element.clone(), &numbers([("n", i64::from(*choice))])),
            None => case.hours(1),
        };
        // Each step goes through its bytes.
        let encoded = minicbor::to_vec(&case.instance).expect("memory");
        case.instance = minicbor::decode(&encoded).expect("it reads back");
        states.push(encoded);
        states.push(format!("{:?}", case.last).into_bytes());
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// B1: the same choices give the same instances and reports, byte for byte.
    #[test]
    fn equal_runs_are_equal_bytes(choices in prop::collection::vec(any::<u8>(), 0..24)) {
        prop_assert_eq!(play(&choices), play(&choices));
    }

    /// Numbers of any size and texts of any kind come back as they were.
    #[test]
    fn values_come_back(coefficient in any::<i64>(), exponent in -20i32..20, text in ".{0,40}") {
        let number = Decimal::new(i128::from(coefficient), exponent).expect("in range");
        let wire = Wire::of(&Value::list(vec![Value::Number(number), Value::text(&text)]).expect("short")).expect("stored");
        let encoded = minicbor::to_vec(&wire).expect("memory");
        let back: Wire = minicbor::decode(&encoded).expect("it reads back");
        prop_assert_eq!(minicbor::to_vec(&back).expect("memory"), encoded);
    }

    /// B3: any bytes are an instance or an error.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = minicbor::decode::<Instance>(&bytes);
        let _ = minicbor::decode::<Variables>(&bytes);
    }
}
