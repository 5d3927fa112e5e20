//! A blob behind the log.

use std::sync::Arc;

use commonware_runtime::{Error, Handle, IoBufMut, IoBufs, IoBufsMut, ReadOptions, Storage, WriteOptions};

use super::{
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

impl<E: Storage> Blob<E> {
    /// Puts pieces together.
    async fn gather(
        pieces: Vec<Piece>,
        file: Option<Arc<E::Blob>>,
        len: usize,
        options: ReadOptions,
    ) -> Result<IoBufMut, Error> {
        use commonware_runtime::Blob as _;
        let mut bytes = Vec::with_capacity(len);
        for piece in pieces {
            match piece {
                Piece::Held(held) => bytes.extend_from_slice(held.as_ref()),
                Piece::Zero(len) => bytes.resize(bytes.len() + len, 0),
                Piece::File(offset, len) => {
                    let file = file.as_ref().ok_or(Error::ReadFailed)?;
                    let read = file.read_at(offset, len, options).await?.coalesce();
                    bytes.extend_from_slice(read.as_ref());
                }
            }
        }
        Ok(bytes.into())
    }
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
        let options = hinted(options, len);
        let (pieces, file) = self.shared.read(self.number, offset, len)?;
        if let ([Piece::File(offset, len)], Some(file)) = (&pieces[..], &file) {
            return file.read_at_buf(*offset, *len, bufs, options).await;
        }
        let gathered = Self::gather(pieces, file, len, options).await?;
        let mut bufs: IoBufsMut = bufs.into();
        Ok(match bufs.as_single_mut() {
            Some(single) if single.capacity() >= len => {
                single.clear();
                single.put_slice(gathered.as_ref());
                bufs
            }
            _ => gathered.into(),
        })
    }

    async fn read_at(&self, offset: u64, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        let options = hinted(options, len);
        let (pieces, file) = self.shared.read(self.number, offset, len)?;
        if let ([Piece::File(offset, len)], Some(file)) = (&pieces[..], &file) {
            return file.read_at(*offset, *len, options).await;
        }
        Ok(Self::gather(pieces, file, len, options).await?.into())
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
