//! ZIP. The directory stands last, so the file waits in the spool; then its members go through in the order in which
//! they stand.

mod directory;
mod local;
mod record;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::gzip::write;
use super::names::Names;
use crate::body::coding::{CodingLimits, Decoder};
use crate::body::container::{Containers, Contents, Seekable, Through, Walk};
use crate::body::spool::{Spool, Spooled};
use crate::body::{DRAIN_STEP, Pass, Transform};
use crate::reason::{Reason, Refusal};

use directory::{Directory, Entry};
use local::Local;

/// The texts of an entry are no longer than their lengths can say.
const TEXT: usize = u16::MAX as usize;
/// The name is in UTF-8.
const UTF8: u16 = 1 << 11;

/// A way through the members of a ZIP file.
pub(crate) struct ZipWalk {
    file: Seekable,
    contents: Box<dyn Contents>,
    containers: Containers,
    directory: Directory,
    /// What is still to come, the next one last.
    places: Vec<(usize, u64)>,
    names: Names,
    changed: bool,
    written: u64,
    state: State,
}

enum State {
    Next,
    Member(Box<Member>),
    /// Bytes of the file go out as they are.
    Copying {
        at: u64,
        end: u64,
        then: After,
    },
    Giving(Spooled),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Next,
    Done,
}

/// A member on its way.
struct Member {
    index: usize,
    entry: Entry,
    local: Local,
    renamed: bool,
    /// What is still to be read.
    at: u64,
    inflate: Option<Decoder>,
    through: Through,
    stage: Stage,
    decoded: Vec<u8>,
    out: Vec<u8>,
    pack: Pack,
    product: Spool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reading,
    Inflated,
    Finished,
}

enum Pack {
    Stored,
    Deflated(Box<DeflateEncoder<Vec<u8>>>),
}

impl ZipWalk {
    /// Reads the directory and checks all that it says.
    pub(crate) fn new(
        mut file: Seekable,
        contents: Box<dyn Contents>,
        containers: Containers,
    ) -> Result<Self, Refusal> {
        let directory = directory::read(&mut file, &*contents, &containers)?;
        let mut places = directory.by_place().ok_or_else(|| {
            contents.refuse(Reason::FieldAmbiguous, "entries over each other, or bytes that belong to none")
        })?;
        places.reverse();
        let mut walk = Self {
            file,
            contents,
            containers,
            directory,
            places,
            names: Names::default(),
            changed: false,
            written: 0,
            state: State::Next,
        };
        walk.comment()?;
        for entry in &walk.directory.entries {
            walk.names.add(&String::from_utf8_lossy(&entry.name));
        }
        Ok(walk)
    }

    fn malformed(&self, detail: &'static str) -> Refusal {
        self.contents.refuse(Reason::ContentMalformed, detail)
    }

    /// A text that readers show; one that is no UTF-8 can't be read by rules.
    fn text(&mut self, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if std::str::from_utf8(text).is_err() {
            return Err(self.contents.refuse(Reason::ContentNotUtf8, "a comment in the archive"));
        }
        let censored = self.contents.text(None, text)?;
        if censored.as_ref().is_some_and(|text| text.len() > TEXT) {
            return Err(self.contents.refuse(Reason::RecordTooLarge, "a comment in the archive"));
        }
        Ok(censored)
    }

    fn comment(&mut self) -> Result<(), Refusal> {
        let comment = self.directory.comment.clone();
        if let Some(censored) = self.text(&comment)? {
            self.directory.comment = censored;
            self.changed = true;
        }
        Ok(())
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some((index, end)) = self.places.pop() else {
            if self.changed {
                record::directory(&self.directory, self.written, out);
                self.state = State::Done;
            } else {
                self.state =
                    State::Copying { at: self.directory.at, end: self.file.len(), then: After::Done };
            }
            return Ok(());
        };
        let Some(entry) = self.directory.entries.get(index).cloned() else { return Ok(()) };
        let local = Local::read(&mut self.file, &*self.contents, &entry, end)?;
        let (name, renamed) = self.named(&entry, &local)?;
        let limits = CodingLimits { size: self.containers.left(), ratio: self.containers.limits.ratio };
        // What can't be inspected was named as what may pass.
        let opaque = entry.is_encrypted() || entry.is_link() || !matches!(entry.method, 0 | 8);
        let inner: Box<dyn Transform> =
            if opaque || entry.is_folder() { Box::new(Pass) } else { self.contents.member(&name)? };
        let deflated = entry.method == 8 && !opaque;
        let member = Member {
            at: local.data,
            inflate: deflated.then(|| Decoder::raw_deflate(self.contents.direction(), limits)),
            through: Through::new(inner),
            stage: Stage::Reading,
            decoded: Vec::new(),
            out: Vec::new(),
            pack: match deflated {
                true => Pack::Deflated(Box::new(DeflateEncoder::new(Vec::new(), Compression::default()))),
                false => Pack::Stored,
            },
            product: self.containers.spools.open(),
            entry: Entry { name: name.into_bytes(), ..entry },
            index,
            local,
            renamed,
        };
        self.state = State::Member(Box::new(member));
        Ok(())
    }

    /// The name and the other texts of an entry, censored. True: something changed.
    fn named(&mut self, entry: &Entry, local: &Local) -> Result<(String, bool), Refusal> {
        let mut changed = false;
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        for extra in [&entry.extra, &local.extra] {
            self.extra(entry, extra)?;
        }
        let name = match self.text(name.as_bytes())? {
            Some(censored) => {
                changed = true;
                self.names.distinct(String::from_utf8_lossy(&censored).into_owned())
            }
            None => name,
        };
        Ok((name, changed))
    }

    fn extra(&mut self, entry: &Entry, extra: &[u8]) -> Result<(), Refusal> {
        let Some(all) = record::extras(extra) else {
            return Err(self.malformed("the extra fields of a member"));
        };
        for (id, data) in all {
            if record::ENCRYPTION.contains(&id) {
                self.contents.uninspectable("an encrypted member")?;
            } else if id == record::UNICODE_PATH {
                // One byte of version, four of a check value.
                if data.get(5..) != Some(&entry.name) {
                    return Err(self.contents.refuse(Reason::FieldAmbiguous, "two paths for a member"));
                }
            } else if self.contents.text(None, data)?.is_some() {
                return Err(self
                    .contents
                    .refuse(Reason::ContentUninspectable, "a finding in an extra field of a member"));
            }
        }
        Ok(())
    }

    fn member(&mut self, mut member: Member, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let (file, through) = (&mut self.file, &mut member.through);
        let mut ended = false;
        if !through.drain(&mut member.out)? {
            match (member.stage, &mut member.inflate) {
                (Stage::Reading, inflate) => {
                    let more = inflate.as_mut().map_or(Ok(false), |i| i.drain(&mut member.decoded))?;
                    let left = member.local.data_end - member.at;
                    if !more && left == 0 {
                        if let Some(inflate) = inflate {
                            inflate.finish(&mut member.decoded)?;
                        }
                        member.stage = Stage::Inflated;
                    } else if !more {
                        let count = usize::try_from(left).unwrap_or(usize::MAX).min(DRAIN_STEP / 4);
                        let mut packed = Vec::new();
                        file.read(member.at, count, &mut packed)?;
                        member.at += count as u64;
                        match inflate {
                            Some(inflate) => inflate.push(&packed, &mut member.decoded)?,
                            None => member.decoded.append(&mut packed),
                        }
                    }
                }
                (Stage::Inflated, inflate) => {
                    let more = inflate.as_mut().map_or(Ok(false), |i| i.drain(&mut member.decoded))?;
                    if !more && member.decoded.is_empty() {
                        through.finish(&mut member.out)?;
                        member.stage = Stage::Finished;
                    }
                }
                (Stage::Finished, _) => ended = true,
            }
            if !self.containers.count_decoded(member.decoded.len() as u64) {
                return Err(self.contents.refuse(Reason::CodingBomb, "all that the archive holds"));
            }
            if !member.decoded.is_empty() {
                through.push(&member.decoded, &mut member.out)?;
                member.decoded.clear();
            }
        }
        member.pack()?;
        if ended { self.end(member, out) } else { self.keep(member) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the other end of a step")]
    fn keep(&mut self, member: Member) -> Result<(), Refusal> {
        self.state = State::Member(Box::new(member));
        Ok(())
    }

    /// All of a member was read: it is what the archive says, and goes out.
    fn end(&mut self, mut member: Member, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let opaque = member.entry.is_encrypted() || !matches!(member.entry.method, 0 | 8);
        let came = &member.through.came;
        if !opaque && (came.length != member.entry.size || came.crc() != member.entry.crc) {
            return Err(self.malformed("a member is not what its header says"));
        }
        let changed = member.through.changed();
        let comment = std::mem::take(&mut member.entry.comment);
        let censored = self.text(&comment)?;
        self.changed |= censored.is_some();
        member.entry.comment = censored.unwrap_or(comment);
        let at = member.entry.at;
        member.entry.at = self.written;
        if !changed && !member.renamed {
            self.state = State::Copying { at, end: member.local.end, then: After::Next };
            self.take_down(member.index, member.entry);
            return Ok(());
        }
        self.changed = true;
        member.entry.flags &= !(1 << 3);
        if !member.entry.name.is_ascii() {
            member.entry.flags |= UTF8;
        }
        if changed {
            member.finish_pack()?;
            member.entry.size = member.through.gone.length;
            member.entry.crc = member.through.gone.crc();
            member.entry.packed = member.product.len();
        }
        let from = out.len();
        record::local(&member.entry, &member.local.extra, out);
        self.written += (out.len() - from) as u64;
        let local = &member.local;
        self.state = match changed {
            true => State::Giving(member.product.into_reader()),
            false => State::Copying { at: local.data, end: local.data_end, then: After::Next },
        };
        self.take_down(member.index, member.entry);
        Ok(())
    }

    fn take_down(&mut self, index: usize, entry: Entry) {
        if let Some(place) = self.directory.entries.get_mut(index) {
            *place = entry;
        }
    }
}

impl Member {
    fn pack(&mut self) -> Result<(), Refusal> {
        match &mut self.pack {
            Pack::Stored => self.product.push(&self.out)?,
            Pack::Deflated(encoder) => {
                write(encoder, &self.out)?;
                let packed = encoder.get_mut();
                self.product.push(packed)?;
                packed.clear();
            }
        }
        self.out.clear();
        Ok(())
    }

    fn finish_pack(&mut self) -> Result<(), Refusal> {
        if let Pack::Deflated(encoder) = &mut self.pack {
            let failed = |_io| Refusal::new(Reason::Internal).log("packing");
            encoder.try_finish().map_err(failed)?;
            let packed = encoder.get_mut();
            self.product.push(packed)?;
            packed.clear();
        }
        Ok(())
    }
}

impl Walk for ZipWalk {
    fn step(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        match std::mem::replace(&mut self.state, State::Next) {
            State::Next => self.next(out)?,
            State::Member(member) => self.member(*member, out)?,
            State::Copying { at, end, then } => {
                let count = usize::try_from(end - at).unwrap_or(usize::MAX).min(DRAIN_STEP);
                self.file.read(at, count, out)?;
                self.written += count as u64;
                let at = at + count as u64;
                self.state = match then {
                    _ if at < end => State::Copying { at, end, then },
                    After::Next => State::Next,
                    After::Done => State::Done,
                };
            }
            State::Giving(mut spooled) => {
                let from = out.len();
                if spooled.read(out)? {
                    self.state = State::Giving(spooled);
                }
                self.written += (out.len() - from) as u64;
            }
            State::Done => {
                self.state = State::Done;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn held(&self) -> usize {
        let state = match &self.state {
            State::Member(member) => member.product.held() + member.through.held() + member.out.len(),
            State::Giving(spooled) => spooled.held(),
            State::Next | State::Copying { .. } | State::Done => 0,
        };
        let names: usize =
            self.directory.entries.iter().map(|entry| entry.name.len() + entry.extra.len()).sum();
        self.file.held() + state + names + self.names.held()
    }
}
