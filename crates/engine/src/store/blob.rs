//! A blob behind the log.

use std::sync::Arc;

use commonware_runtime::{Error, Handle, IoBufMut, IoBufs, IoBufsMut, ReadOptions, Storage, WriteOptions};

use super::{
    file::File,
    layers::Piece,
    log::Operation,
    shared::{Shared, kept},
};

/// Reads of so many bytes go through files from one end to the other.
const BULK: usize = 64 << 10;

/// An open blob.
pub(crate) struct Blob<E: Storage> {
    pub(super) shared: Arc<Shared<E>>,
    pub(super) number: u64,
    pub(super) _open: Arc<()>,
}

/// A range of a blob.
enum Found<B> {
    /// It is in memory.
    Bytes(IoBufMut),
    /// It is in the file, there.
    File(Arc<File<B>>, u64),
    /// Some of it is in the file.
    Pieces(Arc<File<B>>, Vec<Piece>),
}

impl<E: Storage> Blob<E> {
    fn find(&self, offset: u64, len: usize) -> Result<Found<E::Blob>, Error> {
        let (pieces, file) = self.shared.read(self.number, offset, len)?;
        let in_file = pieces.iter().any(|piece| matches!(piece, Piece::File(..)));
        let file = match file {
            Some(file) if in_file => file,
            None if in_file => return Err(Error::ReadFailed),
            _ => return Ok(Found::Bytes(joined(&pieces, len))),
        };
        if let [Piece::File(offset, _)] = pieces[..] {
            let mut bytes = if len < BULK { IoBufMut::zeroed(len) } else { IoBufMut::default() };
            let copied = len < BULK && file.copy(offset, bytes.as_mut());
            return Ok(if copied { Found::Bytes(bytes) } else { Found::File(file, offset) });
        }
        Ok(Found::Pieces(file, pieces))
    }
}

impl<B: commonware_runtime::Blob> Found<B> {
    async fn read(self, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        let options = hinted(options, len);
        match self {
            Self::Bytes(bytes) => Ok(bytes.into()),
            Self::File(file, offset) => file.read_at(offset, len, options).await,
            Self::Pieces(file, mut pieces) => {
                for piece in &mut pieces {
                    if let Piece::File(offset, len) = *piece {
                        *piece = Piece::Held(file.read_at(offset, len, options).await?.coalesce().freeze());
                    }
                }
                Ok(joined(&pieces, len).into())
            }
        }
    }
}

/// The bytes of pieces none of which is in a file.
fn joined(pieces: &[Piece], len: usize) -> IoBufMut {
    let mut bytes = Vec::with_capacity(len);
    for piece in pieces {
        match piece {
            Piece::Held(held) => bytes.extend_from_slice(held.as_ref()),
            Piece::Zero(len) | Piece::File(_, len) => bytes.resize(bytes.len() + len, 0),
        }
    }
    bytes.into()
}

/// What of a reader's wish is passed on for so many bytes.
///
/// The library wishes every read past the system's page cache, since it has a cache of its own. Its pages are those that the state needs
/// at random, one after the other for every entry that is written, and soon more than there is room for; each would be a read of the device.
fn hinted(options: ReadOptions, len: usize) -> ReadOptions {
    if len < BULK { options.without(ReadOptions::DONT_CACHE) } else { options }
}

impl<E: Storage> commonware_runtime::Blob for Blob<E> {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        use bytes::BufMut as _;
        let found = self.find(offset, len)?;
        if let Found::File(file, offset) = found {
            return file.read_at_buf(offset, len, bufs, hinted(options, len)).await;
        }
        let read = found.read(len, options).await?.coalesce();
        let mut bufs: IoBufsMut = bufs.into();
        Ok(match bufs.as_single_mut() {
            Some(single) if single.capacity() >= len => {
                single.clear();
                single.put_slice(read.as_ref());
                bufs
            }
            _ => read.into(),
        })
    }

    async fn read_at(&self, offset: u64, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        self.find(offset, len)?.read(len, options).await
    }

    async fn write_at(&self, offset: u64, bufs: impl Into<IoBufs> + Send, options: WriteOptions) -> Result<(), Error> {
        let bytes = bufs.into().coalesce();
        offset.checked_add(bytes.len() as u64).ok_or(Error::OffsetOverflow)?;
        if !bytes.is_empty() {
            let operation = Operation::Write { blob: self.number, offset, bytes: bytes.as_ref() };
            self.shared.apply(self.number, operation, |layers| layers.write(offset, kept(bytes.clone())))?;
        }
        match options.contains(WriteOptions::SYNC) {
            true => self.shared.synced(self.number).await,
            false => Ok(()),
        }
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        self.shared.apply(self.number, Operation::Resize { blob: self.number, len }, |layers| layers.resize(len))
    }

    async fn sync(&self) -> Result<(), Error> {
        self.shared.synced(self.number).await
    }

    async fn start_sync(&self) -> Handle<()> {
        Handle::from_future(self.shared.synced(self.number))
    }
}
