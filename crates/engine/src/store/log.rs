//! The log of all that is done to a node's blobs, as bytes.
//!
//! A log is two segments, written in turn from their beginnings. A segment is frames, each behind the last and filled up with zeros to
//! [`ALIGNMENT`]: `"ZLOG" ‖ u64 mark ‖ u64 number ‖ u64 done ‖ u32 length ‖ u32 CRC-32C ‖ payload`, big endian, the checksum over the four
//! fields and the payload. The mark is drawn when the log is made and told to nobody, so that nothing that is written through the log can pass for
//! a frame of it. Numbers count up over both segments. Frames up to `done` are safe in the files and need no replay.

use bytes::BytesMut;
use commonware_cryptography::{Crc32, Hasher as _};

const MAGIC: [u8; 4] = *b"ZLOG";
/// Bytes before a frame's payload.
pub(super) const HEAD: usize = 4 + 8 + 8 + 8 + 4 + 4;
/// What a frame's length is a multiple of.
pub(super) const ALIGNMENT: usize = 4_096;

/// Something done to a blob. Blobs have numbers; [`Operation::Name`] comes before a number's first use in each segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// A number stands for this blob.
    Name {
        blob: u64,
        version: u16,
        partition: &'a str,
        name: &'a [u8],
    },
    /// The blob is made, empty.
    Create {
        blob: u64,
    },
    Write {
        blob: u64,
        offset: u64,
        bytes: &'a [u8],
    },
    Resize {
        blob: u64,
        len: u64,
    },
    Remove {
        blob: u64,
    },
    /// All blobs of a partition are removed, and the partition.
    RemoveAll {
        partition: &'a str,
    },
}

fn sized(out: &mut BytesMut, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

impl<'a> Operation<'a> {
    pub fn encode(&self, out: &mut BytesMut) {
        let mut head = |tag: u8, blob: u64| {
            out.extend_from_slice(&[tag]);
            out.extend_from_slice(&blob.to_be_bytes());
        };
        match self {
            Self::Name { blob, version, partition, name } => {
                head(0, *blob);
                out.extend_from_slice(&version.to_be_bytes());
                sized(out, partition.as_bytes());
                sized(out, name);
            }
            Self::Create { blob } => head(1, *blob),
            Self::Write { blob, offset, bytes } => {
                head(2, *blob);
                out.extend_from_slice(&offset.to_be_bytes());
                sized(out, bytes);
            }
            Self::Resize { blob, len } => {
                head(3, *blob);
                out.extend_from_slice(&len.to_be_bytes());
            }
            Self::Remove { blob } => head(4, *blob),
            Self::RemoveAll { partition } => {
                head(5, 0);
                sized(out, partition.as_bytes());
            }
        }
    }

    /// Takes one operation off the front; `None` when it is malformed.
    pub fn decode(from: &mut &'a [u8]) -> Option<Self> {
        let [tag] = take(from, 1)? else { return None };
        let blob = number(from)?;
        Some(match tag {
            0 => Self::Name {
                blob,
                version: u16::from_be_bytes(take(from, 2)?.try_into().ok()?),
                partition: std::str::from_utf8(part(from)?).ok()?,
                name: part(from)?,
            },
            1 => Self::Create { blob },
            2 => Self::Write { blob, offset: number(from)?, bytes: part(from)? },
            3 => Self::Resize { blob, len: number(from)? },
            4 => Self::Remove { blob },
            5 => Self::RemoveAll { partition: std::str::from_utf8(part(from)?).ok()? },
            _ => return None,
        })
    }
}

fn take<'a>(from: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = from.split_at_checked(len)?;
    *from = tail;
    Some(head)
}

fn number(from: &mut &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(take(from, 8)?.try_into().ok()?))
}

fn part<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_be_bytes(take(from, 4)?.try_into().ok()?);
    take(from, len as usize)
}

/// Completes a frame in a buffer whose first [`HEAD`] bytes are free and whose rest is the payload.
pub(super) fn seal(mark: u64, number: u64, done: u64, frame: &mut BytesMut) {
    let len = (frame.len() - HEAD) as u32;
    frame[..4].copy_from_slice(&MAGIC);
    frame[4..12].copy_from_slice(&mark.to_be_bytes());
    frame[12..20].copy_from_slice(&number.to_be_bytes());
    frame[20..28].copy_from_slice(&done.to_be_bytes());
    frame[28..32].copy_from_slice(&len.to_be_bytes());
    let checksum = checksum(&frame[4..32], &frame[HEAD..]);
    frame[32..36].copy_from_slice(&checksum.to_be_bytes());
    frame.resize(frame.len().next_multiple_of(ALIGNMENT), 0);
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut crc = Crc32::default();
    crc.update(head);
    crc.update(payload);
    crc.finalize().1.as_u32()
}

/// A frame that was read.
pub(super) struct Frame<'a> {
    mark: u64,
    pub number: u64,
    pub done: u64,
    pub payload: &'a [u8],
}

/// The frame at the beginning of `bytes`, and how many bytes it fills; `None` if there is no whole one.
fn frame(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let head = bytes.get(..HEAD)?;
    if head[..4] != MAGIC {
        return None;
    }
    let long = |at: usize| u64::from_be_bytes(head[at..at + 8].try_into().expect("8 bytes"));
    let short = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("4 bytes"));
    let payload = bytes.get(HEAD..HEAD.checked_add(short(28) as usize)?)?;
    let whole = (HEAD + payload.len()).next_multiple_of(ALIGNMENT);
    (checksum(&head[4..32], payload) == short(32))
        .then(|| (Frame { mark: long(4), number: long(12), done: long(20), payload }, whole.min(bytes.len())))
}

/// A segment that was read.
struct Segment<'a> {
    /// The frames that follow each other from its beginning.
    frames: Vec<Frame<'a>>,
    /// Where they end.
    end: u64,
    /// The highest number found behind them, where an earlier turn's frames may still be.
    behind: u64,
}

fn segment(bytes: &[u8], mark: u64) -> Segment<'_> {
    let ours = |at: usize| bytes.get(at..).and_then(frame).filter(|(frame, _)| frame.mark == mark);
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut at = 0;
    while let Some((found, len)) = ours(at) {
        if frames.last().is_some_and(|last| found.number != last.number + 1) {
            break;
        }
        frames.push(found);
        at += len;
    }
    let behind = (at..bytes.len()).step_by(ALIGNMENT).filter_map(ours);
    let behind = behind.map(|(frame, _)| frame.number).max().unwrap_or(0);
    Segment { frames, end: at.next_multiple_of(ALIGNMENT) as u64, behind }
}

/// The mark of a log: a segment begins with a frame, and only if neither does, another one tells.
fn mark(segments: [&[u8]; 2]) -> Option<u64> {
    let first = |bytes: &[u8]| frame(bytes).map(|(frame, _)| frame.mark);
    let any =
        |bytes: &[u8]| (0..bytes.len()).step_by(ALIGNMENT).find_map(|at| frame(&bytes[at..]).map(|(frame, _)| frame.mark));
    segments.into_iter().find_map(first).or_else(|| segments.into_iter().find_map(any))
}

/// What must be done again after a stop.
pub(super) struct Replay<'a> {
    /// The log's mark; none in an empty one.
    pub mark: Option<u64>,
    /// Frames that may not be in the files, in order.
    pub frames: Vec<Frame<'a>>,
    /// The last frame's number; 0 in an empty log.
    pub last: u64,
    /// In which segment it is.
    pub segment: usize,
    /// Where that one ends.
    pub end: u64,
}

/// Reads a log. A write that was cut short at its end was never acknowledged, and is left out.
///
/// # Errors
/// When a frame is missing or changed that is followed by a whole one: its number. That is no write that was cut short but damage.
pub(super) fn replay<'a>(segments: [&'a [u8]; 2]) -> Result<Replay<'a>, u64> {
    let mark = mark(segments);
    let [first, second] = segments.map(|bytes| segment(bytes, mark.unwrap_or(0)));
    let last_of = |segment: &Segment<'_>| segment.frames.last().map_or(0, |frame| frame.number);
    let (last, segment, end) = match (last_of(&first), last_of(&second)) {
        (a, b) if a >= b => (a, 0, first.end),
        (_, b) => (b, 1, second.end),
    };
    if first.behind.max(second.behind) > last {
        return Err(last + 1);
    }
    let mut frames: Vec<Frame<'a>> = first.frames.into_iter().chain(second.frames).collect();
    frames.sort_by_key(|frame| frame.number);
    let done = frames.iter().map(|frame| frame.done).max().unwrap_or(0);
    frames.retain(|frame| frame.number > done);
    for (frame, expected) in frames.iter().zip(done + 1..) {
        if frame.number != expected {
            return Err(expected);
        }
    }
    Ok(Replay { mark, frames, last, segment, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: u64 = 7;

    fn sealed(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = BytesMut::zeroed(HEAD);
        bytes.extend_from_slice(payload);
        seal(MARK, number, 0, &mut bytes);
        bytes.to_vec()
    }

    #[test]
    fn operations_decode_to_themselves() {
        let operations = [
            Operation::Name { blob: 7, version: 3, partition: "state-log", name: &[1, 2] },
            Operation::Create { blob: 7 },
            Operation::Write { blob: 7, offset: 1 << 40, bytes: &[9; 5_000] },
            Operation::Resize { blob: 7, len: 12 },
            Operation::Remove { blob: 7 },
            Operation::RemoveAll { partition: "x" },
        ];
        let mut bytes = BytesMut::new();
        operations.iter().for_each(|operation| operation.encode(&mut bytes));
        let mut rest = &bytes[..];
        for operation in &operations {
            assert_eq!(Operation::decode(&mut rest).as_ref(), Some(operation));
        }
        assert!(rest.is_empty());
        for len in 0..bytes.len() {
            // Cut short, the last one is not there.
            let mut rest = &bytes[..len];
            let whole = std::iter::from_fn(|| Operation::decode(&mut rest)).count();
            assert!(whole < operations.len());
        }
    }

    #[test]
    fn a_frame_has_these_bytes() {
        let bytes = sealed(5, b"abc");
        assert_eq!(hex::encode(&bytes[..32]), "5a4c4f4700000000000000070000000000000005000000000000000000000003");
        assert_eq!(&bytes[36..39], b"abc");
        assert_eq!(bytes.len(), ALIGNMENT);
    }

    fn numbers(segments: [&[u8]; 2]) -> Result<Vec<u64>, u64> {
        Ok(replay(segments)?.frames.iter().map(|frame| frame.number).collect())
    }

    #[test]
    fn a_cut_write_ends_a_log_and_damage_is_told() {
        let first: Vec<u8> = [sealed(5, &[1; 10]), sealed(6, &[2; 5_000]), sealed(7, &[3; 10])].concat();
        let second = sealed(8, &[4; 10]);
        // Frames up to the fourth are in the files.
        let mut done = BytesMut::zeroed(HEAD);
        seal(MARK, 9, 4, &mut done);
        let second = [second, done.to_vec()].concat();
        assert_eq!(numbers([&first, &second]), Ok(vec![5, 6, 7, 8, 9]));
        assert_eq!(numbers([&second, &first]), Ok(vec![5, 6, 7, 8, 9]));
        assert_eq!(replay([&first, &second]).unwrap().segment, 1);
        // A frame in the middle was changed, or the first, or the end of a segment is gone.
        for (at, number) in [(30, 5), (ALIGNMENT + 100, 6), (3 * ALIGNMENT + 30, 7)] {
            let mut changed = first.clone();
            changed[at] ^= 1;
            assert_eq!(numbers([&changed, &second]), Err(number), "at {at}");
        }
        let mut changed = second.clone();
        changed[30] ^= 1;
        assert_eq!(numbers([&first, &changed]), Err(8));
        // The last frame was not written whole; behind it, an earlier turn's frames.
        let before: Vec<u8> = [sealed(1, &[1]), sealed(2, &[1])].concat();
        assert_eq!(numbers([&before, &sealed(3, &[4; 10])]), Ok(vec![1, 2, 3]));
        let mut torn = sealed(3, &[4; 10]);
        torn[30] ^= 1;
        torn.extend(&before[..ALIGNMENT]);
        assert_eq!(numbers([&before, &torn]), Ok(vec![1, 2]));
    }

    #[test]
    fn what_was_written_through_the_log_passes_for_no_frame_of_it() {
        // Somebody had a whole frame with a high number written, behind a frame that was then cut short.
        let mut forged = BytesMut::zeroed(HEAD);
        seal(MARK + 1, 1_000, 0, &mut forged);
        let mut torn = sealed(3, &[1]);
        torn[HEAD] ^= 1;
        let second = [torn, forged.to_vec()].concat();
        assert_eq!(numbers([&[sealed(1, &[1]), sealed(2, &[1])].concat(), &second]), Ok(vec![1, 2]));
    }

    #[test]
    fn an_empty_log_has_nothing_to_replay() {
        assert_eq!(replay([&[], &[]]).unwrap().last, 0);
        assert!(numbers([&[7; 100], &[]]).unwrap().is_empty());
    }
}
