//! A file without a name whose blocks are sealed with AES-256-GCM.
//!
//! The key is made for the one file and dies with it. Each block takes the next number as its nonce, also where it is
//! written over one that is not needed any more, so no nonce is used twice under one key.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::reason::{Reason, Refusal};

/// Plain bytes of a block, at most.
pub(super) const BLOCK: usize = 64 * 1024;
/// Bytes that sealing adds.
const TAG: usize = 16;

/// May be written by several at once.
#[derive(Debug)]
pub(super) struct SealedFile {
    file: File,
    key: LessSafeKey,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// Blocks that were sealed so far.
    sealed: u64,
    /// Places in the file, and those of them that nobody needs any more.
    all: u64,
    free: Vec<u64>,
}

/// A block of a file.
#[derive(Debug)]
pub(super) struct Block {
    place: u64,
    number: u64,
    length: usize,
}

impl SealedFile {
    /// Makes a file in a folder and takes its name away.
    pub(super) fn create(folder: &Path) -> Result<Self, Refusal> {
        let mut name = [0; 16];
        let mut key = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut name).map_err(|_unspecified| broken("no randomness"))?;
        aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_unspecified| broken("no randomness"))?;
        let path = folder.join(format!("spool-{}", data_encoding::HEXLOWER.encode(&name)));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| full(&error))?;
        std::fs::remove_file(&path).map_err(|error| full(&error))?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_unspecified| broken("no key"))?;
        Ok(Self { file, key: LessSafeKey::new(key), places: Mutex::default() })
    }

    #[cfg(test)]
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals a block of at most [`BLOCK`] bytes.
    pub(super) fn append(&self, block: &[u8]) -> Result<Block, Refusal> {
        let (number, place) = {
            let mut places = self.places();
            let number = places.sealed;
            places.sealed += 1;
            let place = places.free.pop().unwrap_or_else(|| {
                places.all += 1;
                places.all - 1
            });
            (number, place)
        };
        let taken = Block { place, number, length: block.len() };
        let mut sealed = Vec::with_capacity(block.len() + TAG);
        sealed.extend_from_slice(block);
        let written = self
            .key
            .seal_in_place_append_tag(nonce(number), Aad::empty(), &mut sealed)
            .map_err(|_unspecified| broken("sealing failed"))
            .and_then(|()| self.file.write_all_at(&sealed, offset(place)).map_err(|error| full(&error)));
        match written {
            Ok(()) => Ok(taken),
            Err(refusal) => {
                self.free(&[taken]);
                Err(refusal)
            }
        }
    }

    /// Opens a block and appends its bytes.
    pub(super) fn read(&self, block: &Block, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let from = out.len();
        out.resize(from + block.length + TAG, 0);
        let sealed = out.get_mut(from..).unwrap_or_default();
        let opened = self
            .file
            .read_exact_at(sealed, offset(block.place))
            .map_err(|_io| broken("the spool can't be read"))
            .and_then(|()| {
                self.key
                    .open_in_place(nonce(block.number), Aad::empty(), sealed)
                    .map_err(|_unspecified| broken("the spool is not what was written"))
                    .map(|plain| plain.len())
            });
        out.truncate(from + opened.as_ref().copied().unwrap_or_default());
        opened.map(|_| ())
    }

    /// The places of blocks may be taken again.
    pub(super) fn free(&self, blocks: &[Block]) {
        self.places().free.extend(blocks.iter().map(|block| block.place));
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    if let Some(count) = nonce.last_chunk_mut() {
        *count = number.to_be_bytes();
    }
    Nonce::assume_unique_for_key(nonce)
}

const fn offset(place: u64) -> u64 {
    place * (BLOCK + TAG) as u64
}

fn full(error: &io::Error) -> Refusal {
    Refusal::new(Reason::SpoolFull).log(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk under the spool is full",
        _ => "the spool's file can't be made or written",
    })
}

fn broken(log: &'static str) -> Refusal {
    Refusal::new(Reason::Internal).log(log)
}
