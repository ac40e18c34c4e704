//! One header block of a tar file: POSIX ustar, GNU, and the old form without a mark.

use std::ops::Range;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 512;

pub(super) const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
/// Mode, owner, group and time; the numbers of a device.
const NUMBERS: [Range<usize>; 6] = [100..108, 108..116, 116..124, 136..148, 329..337, 337..345];
const KIND: usize = 156;
pub(super) const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const USTAR: &[u8] = b"ustar\0";
const GNU: &[u8] = b"ustar ";
pub(super) const USER: Range<usize> = 265..297;
pub(super) const GROUP: Range<usize> = 297..329;
pub(super) const PREFIX: Range<usize> = 345..500;
/// Behind the fields that every form has.
const REST_OLD: Range<usize> = 257..512;
const REST_USTAR: Range<usize> = 500..512;
const GNU_TIMES: Range<usize> = 345..369;
/// Offsets and the parts of sparse files, in GNU's form.
const REST_GNU: Range<usize> = 369..512;

/// A header block.
#[derive(Clone)]
pub(super) struct Header(pub(super) Box<[u8; BLOCK]>);

/// What stands in the kind field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    SymbolicLink,
    Folder,
    /// Records for the next member.
    Pax,
    /// Records for all that follow.
    Global,
    /// The path of the next member.
    LongName,
    /// The target of the next member.
    LongLink,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Old,
    Ustar,
    Gnu,
}

/// Whether bytes begin with a header block.
pub(crate) fn is_header(first: &[u8]) -> bool {
    first
        .first_chunk::<BLOCK>()
        .is_some_and(|block| block.first() != Some(&0) && Header(Box::new(*block)).is_whole())
}

impl Header {
    fn field(&self, at: Range<usize>) -> &[u8] {
        self.0.get(at).unwrap_or_default()
    }

    fn set(&mut self, at: Range<usize>, bytes: &[u8]) {
        let field = self.0.get_mut(at).unwrap_or_default();
        field.fill(0);
        field.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    }

    /// Whether the checksum is right.
    pub(super) fn is_whole(&self) -> bool {
        number(self.field(CHECKSUM)) == Some(u64::from(self.sum()))
    }

    /// The sum of all bytes, those of the checksum as spaces.
    fn sum(&self) -> u32 {
        let all: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        let own: u32 = self.field(CHECKSUM).iter().map(|byte| u32::from(*byte)).sum();
        all - own + 8 * u32::from(b' ')
    }

    fn form(&self) -> Form {
        match self.field(MAGIC) {
            USTAR => Form::Ustar,
            GNU => Form::Gnu,
            _ => Form::Old,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.0.get(KIND).copied().unwrap_or_default() {
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'5' => Kind::Folder,
            b'x' => Kind::Pax,
            b'g' => Kind::Global,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            _ => Kind::Other,
        }
    }

    pub(super) fn size(&self) -> Option<u64> {
        number(self.field(SIZE))
    }

    /// Whether nothing stands where this form has no field.
    pub(super) fn is_tidy(&self) -> bool {
        let fields = [NAME, LINK, USER, GROUP, PREFIX];
        let (rest, used) = match self.form() {
            Form::Old => (REST_OLD, 2),
            Form::Ustar => (REST_USTAR, 5),
            Form::Gnu => (REST_GNU, 4),
        };
        let ended = fields.into_iter().take(used).all(|at| {
            let field = self.field(at);
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            field.iter().skip(end).all(|byte| *byte == 0)
        });
        let times = self.form() != Form::Gnu
            || self.field(GNU_TIMES).iter().all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0));
        let numbers = NUMBERS.into_iter().take(if self.form() == Form::Old { 4 } else { 6 });
        ended
            && times
            && numbers.into_iter().all(|at| is_number(self.field(at)))
            && self.field(rest).iter().all(|byte| *byte == 0)
    }

    /// A text, up to its NUL.
    pub(super) fn text(&self, at: Range<usize>) -> &[u8] {
        let has_it = match self.form() {
            Form::Ustar => true,
            Form::Gnu => at != PREFIX,
            Form::Old => at == NAME || at == LINK,
        };
        let field = if has_it { self.field(at) } else { &[] };
        field.get(..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())).unwrap_or_default()
    }

    /// The path as this block alone says it.
    pub(super) fn path(&self) -> Vec<u8> {
        let prefix = self.text(PREFIX);
        if prefix.is_empty() {
            return self.text(NAME).to_vec();
        }
        [prefix, b"/", self.text(NAME)].concat()
    }

    /// A text is put into its field, as much of it as there is room for. Fields that the form does not have stay.
    pub(super) fn set_text(&mut self, at: Range<usize>, text: &[u8]) {
        if !self.text(at.clone()).is_empty() || at == NAME {
            // No character is cut.
            let room = at.len().min(text.len());
            let whole = (0..=room).rev().find(|end| text.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80));
            self.set(at, text.get(..whole.unwrap_or_default()).unwrap_or_default());
        }
    }

    /// A number with as many octal digits as the field has. Larger ones stand in a record.
    pub(super) fn set_size(&mut self, size: u64) {
        let octal = if size < 1 << 33 { format!("{size:011o}") } else { "0".repeat(11) };
        self.set(SIZE, octal.as_bytes());
    }

    /// The checksum for what the block holds now.
    pub(super) fn seal(&mut self) {
        let sum = format!("{:06o}\0 ", self.sum());
        self.set(CHECKSUM, sum.as_bytes());
    }

    /// A header of records for the next member.
    pub(super) fn pax(&self, size: u64) -> Self {
        let mut header = Self(Box::new([0; BLOCK]));
        header.set(NAME, b"PaxHeaders/member");
        header.set(100..108, b"0000644\0");
        header.set(108..116, b"0000000\0");
        header.set(116..124, b"0000000\0");
        header.set_size(size);
        header.set(136..148, self.field(136..148));
        header.set(KIND..KIND + 1, b"x");
        header.set(MAGIC, USTAR);
        header.set(263..265, b"00");
        header.seal();
        header
    }
}

/// Whether nothing but a number stands in a field. Times may be before 1970.
fn is_number(field: &[u8]) -> bool {
    number(field).is_some()
        || matches!(field, [0xff, rest @ ..] if rest.iter().rev().skip(8).all(|byte| *byte == 0xff))
}

/// Octal digits between spaces and NULs, or GNU's binary form.
fn number(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => {
            rest.iter().try_fold(0_u64, |n, byte| n.checked_mul(256)?.checked_add(u64::from(*byte)))
        }
        Some((0xff, _)) => None,
        _ => {
            let text = std::str::from_utf8(field).ok()?;
            let digits = text.trim_matches(['\0', ' ']);
            if digits.is_empty() {
                return Some(0);
            }
            u64::from_str_radix(digits, 8).ok()
        }
    }
}
