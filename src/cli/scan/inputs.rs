//! What is looked at: files, everything in folders, standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::containers;
use super::unpack::{Packed, Unpacked};
use crate::body::file::Container;

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// As it is shown.
    pub(super) name: String,
    /// None: standard input.
    pub(super) path: Option<PathBuf>,
    /// Bytes on the disk.
    pub(super) size: Option<u64>,
    /// It was named by itself, not found in a folder.
    pub(super) named: bool,
}

/// So many bytes tell whether a file is text.
const SNIFFED: usize = 8 << 10;

/// An input that is open.
pub(super) enum Opened {
    /// To be looked at.
    Text(Box<dyn Read + Send>),
    /// To be taken apart.
    Container(Container, File),
    /// Found in a folder, and no text.
    Binary,
}

/// Everything that the arguments name, in the order of the arguments and of the names in folders, and what could not be read.
pub(super) fn find(paths: &[PathBuf], ignored: bool) -> (Vec<Input>, Vec<String>) {
    let (mut inputs, mut failed) = (Vec::new(), Vec::new());
    if paths.is_empty() {
        inputs.push(stdin());
    }
    for path in paths {
        if **path == *"-" {
            inputs.push(stdin());
        } else if path.is_dir() {
            walk(path, ignored, &mut inputs, &mut failed);
        } else {
            let size = path.metadata().ok().map(|about| about.len());
            inputs.push(Input {
                name: path.display().to_string(),
                path: Some(path.clone()),
                size,
                named: true,
            });
        }
    }
    (inputs, failed)
}

fn stdin() -> Input {
    Input { name: "(standard input)".to_owned(), path: None, size: None, named: true }
}

/// The files of a folder that git would have, hidden ones as well: `.env` is where secrets are. Links are not followed.
fn walk(folder: &Path, ignored: bool, inputs: &mut Vec<Input>, failed: &mut Vec<String>) {
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false).follow_links(false).sort_by_file_path(Path::cmp);
    walk.git_ignore(!ignored).git_exclude(!ignored).parents(!ignored).require_git(false);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    for entry in walk.build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let size = entry.metadata().ok().map(|about| about.len());
                let name = entry.path().strip_prefix(".").unwrap_or(entry.path()).display().to_string();
                inputs.push(Input { name, path: Some(entry.into_path()), size, named: false });
            }
            Ok(_) => {}
            Err(error) => failed.push(error.to_string()),
        }
    }
}

impl Input {
    /// Opens it, unpacked. `counted` sees the bytes as they come from the disk.
    pub(super) fn open(
        &self,
        counted: impl FnOnce(Box<dyn Read + Send>) -> Box<dyn Read + Send>,
    ) -> io::Result<Opened> {
        let Some(path) = &self.path else { return Ok(Opened::Text(Box::new(io::stdin()))) };
        let file = File::open(path)?;
        if let Some(kind) = containers::kind(path, &file)? {
            return Ok(Opened::Container(kind, file));
        }
        let raw = counted(Box::new(file));
        let mut reader: Box<dyn Read + Send> = match Packed::by_name(path) {
            None => raw,
            Some(packed) => Box::new(Unpacked::new(raw, packed)?),
        };
        if self.named {
            return Ok(Opened::Text(reader));
        }
        let mut first = Vec::new();
        (&mut reader).take(SNIFFED as u64).read_to_end(&mut first)?;
        if memchr::memchr(0, &first).is_some() {
            return Ok(Opened::Binary);
        }
        Ok(Opened::Text(Box::new(io::Cursor::new(first).chain(reader))))
    }
}
