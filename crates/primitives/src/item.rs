//! One CBOR item whose shape another layer knows: its bytes, taken only in the deterministic form.

use minicbor::{Decoder, decode};

/// How deep items may be nested.
pub const DEPTH_MAX: usize = 32;

/// Takes the next item as its bytes, and only if they are deterministic (RFC 8949 §4.2.1): shortest heads, definite lengths, keys of
/// maps ascending by their bytes, valid UTF-8, no simple values but `false`, `true` and `null`, hence no floats; nested no deeper
/// than [`DEPTH_MAX`]. Else two verifiers could read the same bytes differently, or one of them not at all.
pub fn item<'b>(d: &mut Decoder<'b>) -> Result<&'b [u8], decode::Error> {
    let (input, start) = (d.input(), d.position());
    let end =
        end_of_item(input, start, DEPTH_MAX).ok_or_else(|| decode::Error::message("not one deterministic CBOR item"))?;
    d.set_position(end);
    Ok(&input[start..end])
}

/// One past the item at `start`; `None` when there is none in deterministic form.
fn end_of_item(input: &[u8], start: usize, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let (major, value, mut at) = head(input, start)?;
    match major {
        0 | 1 => Some(at),
        2 | 3 => {
            let end = at.checked_add(usize::try_from(value).ok()?)?;
            let content = input.get(at..end)?;
            (major == 2 || std::str::from_utf8(content).is_ok()).then_some(end)
        }
        4 => {
            for _ in 0..value {
                at = end_of_item(input, at, depth)?;
            }
            Some(at)
        }
        5 => {
            let mut last: &[u8] = &[];
            for _ in 0..value {
                let end = end_of_item(input, at, depth)?;
                let key = &input[at..end];
                // Byte by byte, since most keys differ in the first or second.
                if !last.iter().lt(key) {
                    return None;
                }
                last = key;
                at = end_of_item(input, end, depth)?;
            }
            Some(at)
        }
        6 => end_of_item(input, at, depth),
        _ => matches!(input[start], 0xf4..=0xf6).then_some(at),
    }
}

/// Major type and value of the head at `at`, in its shortest form, and one past it.
fn head(input: &[u8], at: usize) -> Option<(u8, u64, usize)> {
    let first = *input.get(at)?;
    let (major, info, at) = (first >> 5, first & 0x1f, at + 1);
    let length = match info {
        0..=23 => return Some((major, u64::from(info), at)),
        24..=27 => 1usize << (info - 24),
        _ => return None,
    };
    let value = input.get(at..at + length)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let least = match length {
        1 => 24,
        2 => 1 << 8,
        4 => 1 << 16,
        _ => 1 << 32,
    };
    (value >= least).then_some((major, value, at + length))
}
