//! Reading small JSON bodies strictly: every member is known, comes once, and has an exact reason when it is refused.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use zhulian_api::ErrorCode;

use crate::Failure;

/// A JSON object of known members, each given at most once.
pub struct Members(BTreeMap<String, Value>);

/// Marks a doubled member in the reader's error.
const DOUBLED: &str = "a member is given twice";

struct Once(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Once;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom(DOUBLED));
                    }
                }
                Ok(Once(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Members {
    /// Reads an object that has no members but `known`.
    pub fn read(body: &[u8], known: &[&str]) -> Result<Self, Failure> {
        // The reader's own text may quote the body, so only the place is told.
        let place = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        let syntax = |error| Failure::new(ErrorCode::MalformedBody, format!("not JSON: {}", place(&error)));
        serde_json::from_slice::<IgnoredAny>(body).map_err(syntax)?;
        let Once(members) = serde_json::from_slice(body).map_err(|error| {
            if error.to_string().starts_with(DOUBLED) {
                Failure::new(ErrorCode::UnacceptableBody, format!("{DOUBLED}: {}", place(&error)))
            } else {
                Failure::new(ErrorCode::UnacceptableBody, "expected a JSON object")
            }
        })?;
        if members.keys().any(|name| !known.contains(&name.as_str())) {
            let known = known.join(", ");
            return Err(Failure::new(ErrorCode::UnacceptableBody, format!("unknown member; known are {known}")));
        }
        Ok(Self(members))
    }

    /// The member read by `read`, which gives what is expected if it fails.
    pub fn get<T>(&self, name: &str, read: impl FnOnce(&Value) -> Result<T, String>) -> Result<Option<T>, Failure> {
        let refuse = |why| Failure::new(ErrorCode::UnacceptableBody, format!("{name}: {why}"));
        self.0.get(name).map(|value| read(value).map_err(refuse)).transpose()
    }

    /// A member that must be there.
    pub fn need<T>(&self, name: &str, read: impl FnOnce(&Value) -> Result<T, String>) -> Result<T, Failure> {
        self.get(name, read)?.ok_or_else(|| Failure::new(ErrorCode::UnacceptableBody, format!("{name}: missing")))
    }
}

/// A string read by `read`.
pub fn text<T>(read: impl FnOnce(&str) -> Result<T, String>) -> impl FnOnce(&Value) -> Result<T, String> {
    |value| value.as_str().ok_or_else(|| "expected a string".to_owned()).and_then(read)
}

/// The largest whole number that every reader of JSON keeps exactly (RFC 8259 §6).
const WHOLE_MAX: u64 = (1 << 53) - 1;

/// A whole number. JSON knows one kind of number, so `3.0` is one too.
pub fn whole(value: &Value) -> Result<u64, String> {
    let exact =
        |number: f64| (number >= 0.0 && number.fract() == 0.0 && number <= WHOLE_MAX as f64).then_some(number as u64);
    value
        .as_u64()
        .or_else(|| value.as_f64().and_then(exact))
        .filter(|number| *number <= i64::MAX as u64)
        .ok_or_else(|| "expected a whole number from 0 to 9,223,372,036,854,775,807".to_owned())
}
