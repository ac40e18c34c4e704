//! A member of a tar file: its header, and what was said before it.

use super::header::{GROUP, Header, Kind, LINK, NAME, PREFIX, USER};
use super::padding;
use super::pax::{self, Record};
use crate::body::archive::names::{Names, checked, leads_out, stays_inside};
use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

/// What stands before a member and is about it.
#[derive(Default)]
pub(super) struct Announced {
    /// As it came.
    raw: Vec<u8>,
    records: Vec<Record>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    /// In the name that a record's own header has.
    found: bool,
}

impl Announced {
    pub(super) const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.raw.len()
    }

    pub(super) fn add(
        &mut self,
        contents: &mut dyn Contents,
        header: &Header,
        text: Vec<u8>,
    ) -> Result<(), Refusal> {
        self.found |= own(contents, header)?;
        self.raw.extend_from_slice(header.0.as_slice());
        self.raw.extend_from_slice(&text);
        self.raw.resize(self.raw.len() + padding(text.len() as u64), 0);
        let again = match header.kind() {
            Kind::LongName => self.name.replace(without_nul(text)).is_some(),
            Kind::LongLink => self.link.replace(without_nul(text)).is_some(),
            _ => {
                let again = !self.records.is_empty();
                self.records = records(contents, &text)?;
                again
            }
        };
        if again {
            Err(contents.refuse(Reason::FieldAmbiguous, "two records of one kind for a member"))
        } else {
            Ok(())
        }
    }

    fn record(&self, key: &[u8]) -> Option<&[u8]> {
        self.records.iter().find(|record| record.key == key).map(|record| &*record.value)
    }
}

fn without_nul(mut text: Vec<u8>) -> Vec<u8> {
    text.truncate(text.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1));
    text
}

/// Whether the texts of a header that carries records hold something.
fn own(contents: &mut dyn Contents, header: &Header) -> Result<bool, Refusal> {
    let mut found = contents.text(None, &header.path())?.is_some();
    for field in [LINK, USER, GROUP] {
        found |= contents.text(None, header.text(field))?.is_some();
    }
    Ok(found)
}

fn records(contents: &dyn Contents, text: &[u8]) -> Result<Vec<Record>, Refusal> {
    let malformed = || contents.refuse(Reason::ContentMalformed, "the records before a member");
    let records = pax::read(text).ok_or_else(malformed)?;
    for Record { key, value } in &records {
        // Holes are left out of what is written, and another charset makes another text of the same bytes.
        let sparse = key.starts_with(b"GNU.sparse.") || key == b"SCHILY.realsize";
        let charset = key == b"hdrcharset" && value != b"ISO-IR 10646 2000 UTF-8";
        if sparse || charset {
            return Err(
                contents.refuse(Reason::ContentUninspectable, "a sparse member, or an unknown charset")
            );
        }
    }
    Ok(records)
}

/// Censors the values of records. True: something changed.
fn censor(contents: &mut dyn Contents, records: &mut [Record]) -> Result<bool, Refusal> {
    let mut changed = false;
    for record in records {
        if contents.text(None, &record.key)?.is_some() {
            return Err(contents.refuse(Reason::ContentBlocked, "the key of a record"));
        }
        let key = String::from_utf8_lossy(&record.key).into_owned();
        if let Some(censored) = contents.text(Some(&key), &record.value)? {
            record.value = censored;
            changed = true;
        }
    }
    Ok(changed)
}

/// Records for all that follow: censored at once.
pub(super) fn global(
    contents: &mut dyn Contents,
    header: &Header,
    text: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut header = header.clone();
    let mut records = records(contents, text)?;
    let named = [&b"path"[..], b"linkpath", b"size"];
    if records.iter().any(|record| named.contains(&&*record.key)) {
        return Err(contents.refuse(Reason::FieldAmbiguous, "one path or size for all members"));
    }
    let mut written = text.to_vec();
    if censor(contents, &mut records)? {
        written = pax::write(&records);
        header.set_size(written.len() as u64);
    }
    if own(contents, &header)? {
        header.set_text(NAME, b"PaxHeaders/global");
        for field in [PREFIX, LINK, USER, GROUP] {
            header.set_text(field, b"");
        }
    }
    if header.size() != Some(text.len() as u64) || !header.is_whole() {
        header.seal();
    }
    out.extend_from_slice(header.0.as_slice());
    out.extend_from_slice(&written);
    out.resize(out.len() + padding(written.len() as u64), 0);
    Ok(())
}

/// A member.
pub(super) struct Member {
    header: Header,
    announced: Announced,
    path: String,
    link: Option<Vec<u8>>,
    size: u64,
    /// The size stands in a record.
    recorded: bool,
    /// A text of it was censored.
    changed: bool,
}

impl Member {
    /// Puts together what is said of a member, and censors it.
    pub(super) fn read(
        contents: &mut dyn Contents,
        header: Header,
        announced: Announced,
        longest: usize,
        names: &mut Names,
    ) -> Result<Self, Refusal> {
        let ambiguous = |detail| contents.refuse(Reason::FieldAmbiguous, detail);
        let recorded = announced.record(b"path").map(<[u8]>::to_vec);
        if recorded.is_some() && announced.name.is_some() {
            return Err(ambiguous("two paths for a member"));
        }
        let link = announced.record(b"linkpath").map(<[u8]>::to_vec);
        if link.is_some() && announced.link.is_some() {
            return Err(ambiguous("two targets for a link"));
        }
        let size = match announced.record(b"size") {
            Some(text) => Some(
                std::str::from_utf8(text)
                    .ok()
                    .and_then(|text| text.parse::<u64>().ok())
                    .ok_or_else(|| ambiguous("the size of a member"))?,
            ),
            None => None,
        };
        let full = recorded.or_else(|| announced.name.clone()).unwrap_or_else(|| header.path());
        checked(contents, &full, longest)?;
        // Some readers know nothing of records.
        if leads_out(&String::from_utf8_lossy(&header.path())) {
            return Err(
                contents.refuse(Reason::ContentMalformed, "the path of a member leads out of the archive")
            );
        }
        let is_link = matches!(header.kind(), Kind::HardLink | Kind::SymbolicLink);
        let link = link.or_else(|| announced.link.clone()).unwrap_or_else(|| header.text(LINK).to_vec());
        let mut member = Self {
            path: String::from_utf8_lossy(&full).into_owned(),
            link: (!link.is_empty()).then_some(link),
            recorded: size.is_some(),
            size: size.or_else(|| header.size()).unwrap_or_default(),
            changed: announced.found,
            header,
            announced,
        };
        if is_link {
            member.follow(contents, longest)?;
        }
        member.censor(contents, names)?;
        Ok(member)
    }

    /// A link leads to something in the archive.
    fn follow(&self, contents: &dyn Contents, longest: usize) -> Result<(), Refusal> {
        let target = self.link.as_deref().unwrap_or_default();
        let from = if self.header.kind() == Kind::HardLink { "" } else { &*self.path };
        let own = String::from_utf8_lossy(self.header.text(LINK));
        match std::str::from_utf8(target) {
            Ok(target)
                if target.len() <= longest && stays_inside(from, target) && stays_inside(from, &own) =>
            {
                Ok(())
            }
            _ => Err(contents.refuse(Reason::ContentMalformed, "a link leads out of the archive")),
        }
    }

    fn censor(&mut self, contents: &mut dyn Contents, names: &mut Names) -> Result<(), Refusal> {
        self.changed |= censor(contents, &mut self.announced.records)?;
        // The header's own path may be another one than that which counts.
        self.changed |= contents.text(None, &self.header.path())?.is_some();
        self.changed |= contents.text(None, self.header.text(LINK))?.is_some();
        match contents.text(None, self.path.as_bytes())? {
            Some(censored) => {
                self.path = names.distinct(String::from_utf8_lossy(&censored).into_owned());
                self.changed = true;
            }
            // An archive may hold a path twice: the last one counts.
            None => drop(names.add(&self.path)),
        }
        if let Some(link) = &mut self.link
            && let Some(censored) = contents.text(None, link)?
        {
            *link = censored;
            self.changed = true;
        }
        for (field, name) in [(USER, "uname"), (GROUP, "gname")] {
            if let Some(censored) = contents.text(Some(name), self.header.text(field.clone()))? {
                self.header.set_text(field, &censored);
                self.changed = true;
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_file(&self) -> bool {
        self.header.kind() == Kind::File
    }

    /// The size that a record says.
    pub(super) const fn size(&self) -> Option<u64> {
        if self.recorded { Some(self.size) } else { None }
    }

    /// The size of what came.
    pub(super) const fn read_size(&self) -> u64 {
        self.size
    }

    /// Writes what stands before the content.
    pub(super) fn write(&self, length: u64, out: &mut Vec<u8>) {
        let resized = length != self.size;
        if self.changed || resized && (self.recorded || length >= 1 << 33) {
            self.anew(length, out);
            return;
        }
        out.extend_from_slice(&self.announced.raw);
        let mut header = self.header.clone();
        if resized {
            header.set_size(length);
            header.seal();
        }
        out.extend_from_slice(header.0.as_slice());
    }

    /// Writes header and records anew.
    fn anew(&self, length: u64, out: &mut Vec<u8>) {
        let own = [&b"path"[..], b"linkpath", b"size"];
        let mut records: Vec<Record> =
            self.announced.records.iter().filter(|record| !own.contains(&&*record.key)).cloned().collect();
        let mut header = self.header.clone();
        header.set_text(PREFIX, b"");
        header.set_text(NAME, self.path.as_bytes());
        if header.path() != self.path.as_bytes() {
            records.push(Record { key: b"path".to_vec(), value: self.path.clone().into_bytes() });
        }
        if let Some(link) = &self.link {
            header.set_text(LINK, link);
            if header.text(LINK) != link {
                records.push(Record { key: b"linkpath".to_vec(), value: link.clone() });
            }
        }
        header.set_size(length);
        if header.size() != Some(length) {
            records.push(Record { key: b"size".to_vec(), value: length.to_string().into_bytes() });
        }
        header.seal();
        if !records.is_empty() {
            let text = pax::write(&records);
            out.extend_from_slice(header.pax(text.len() as u64).0.as_slice());
            out.extend_from_slice(&text);
            out.resize(out.len() + padding(text.len() as u64), 0);
        }
        out.extend_from_slice(header.0.as_slice());
    }
}
