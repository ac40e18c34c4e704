//! A file without a name whose blocks are sealed with AES-256-GCM.
//!
//! The key is made for the one file and dies with it, so the number of a block is nonce enough: no nonce is used
//! twice under one key.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::reason::{Reason, Refusal};

/// Plain bytes of a block.
pub(super) const BLOCK: usize = 64 * 1024;
/// Bytes that sealing adds.
const TAG: usize = 16;

#[derive(Debug)]
pub(super) struct SealedFile {
    file: File,
    key: LessSafeKey,
    blocks: u64,
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
        Ok(Self { file, key: LessSafeKey::new(key), blocks: 0 })
    }

    #[cfg(test)]
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    pub(super) const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Seals a block of exactly [`BLOCK`] bytes behind the last.
    pub(super) fn append(&mut self, block: &[u8]) -> Result<(), Refusal> {
        let mut sealed = Vec::with_capacity(BLOCK + TAG);
        sealed.extend_from_slice(block);
        self.key
            .seal_in_place_append_tag(nonce(self.blocks), Aad::empty(), &mut sealed)
            .map_err(|_unspecified| broken("sealing failed"))?;
        self.file.write_all_at(&sealed, offset(self.blocks)).map_err(|error| full(&error))?;
        self.blocks += 1;
        Ok(())
    }

    /// Opens a block and appends its bytes.
    pub(super) fn read(&self, block: u64, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let from = out.len();
        out.resize(from + BLOCK + TAG, 0);
        let sealed = out.get_mut(from..).unwrap_or_default();
        let opened = self
            .file
            .read_exact_at(sealed, offset(block))
            .map_err(|_io| broken("the spool can't be read"))
            .and_then(|()| {
                self.key
                    .open_in_place(nonce(block), Aad::empty(), sealed)
                    .map_err(|_unspecified| broken("the spool is not what was written"))
                    .map(|plain| plain.len())
            });
        out.truncate(from + opened.as_ref().copied().unwrap_or_default());
        opened.map(|_| ())
    }
}

fn nonce(block: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    if let Some(count) = nonce.last_chunk_mut() {
        *count = block.to_be_bytes();
    }
    Nonce::assume_unique_for_key(nonce)
}

const fn offset(block: u64) -> u64 {
    block * (BLOCK + TAG) as u64
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
