//! Thrift's compact protocol, as Parquet writes its metadata: structures as they stand there, known fields or not, so
//! that they can be written again.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    /// With the type by which it was written.
    Int(u8, i64),
    Double([u8; 8]),
    Bytes(Vec<u8>),
    /// With the type of the items.
    List(u8, Vec<Self>),
    Struct(Struct),
}

/// Fields in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Struct(Vec<(i16, Value)>);

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BYTES: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// Structures and lists in each other.
const DEPTH: usize = 24;
/// Fields of a structure: those of the format have a few dozen.
const FIELDS: usize = 256;

/// Why something is no structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It goes on.
    Short,
    /// It has more values than may be.
    TooMany,
    Malformed,
}

/// Reads the structure that bytes begin with; gives its length.
pub(super) fn read(bytes: &[u8], values: usize) -> Result<(Struct, usize), Fault> {
    let mut reader = Reader { bytes, at: 0, left: values };
    let structure = reader.structure(0)?;
    Ok((structure, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    left: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.bytes.get(self.at).copied().ok_or(Fault::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Malformed)
    }

    fn zigzag(&mut self) -> Result<i64, Fault> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn structure(&mut self, depth: usize) -> Result<Struct, Fault> {
        let mut fields: Vec<(i16, Value)> = Vec::new();
        let mut id = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(Struct(fields));
            }
            let delta = i16::from(head >> 4);
            id = match delta {
                0 => i16::try_from(self.zigzag()?).map_err(|_range| Fault::Malformed)?,
                delta => id.checked_add(delta).ok_or(Fault::Malformed)?,
            };
            if fields.len() == FIELDS {
                return Err(Fault::TooMany);
            }
            // Readers disagree about which of two counts.
            if fields.iter().any(|(known, _)| *known == id) {
                return Err(Fault::Malformed);
            }
            self.left = self.left.checked_sub(1).ok_or(Fault::TooMany)?;
            let value = match head & 0x0f {
                TRUE => Value::Bool(true),
                FALSE => Value::Bool(false),
                kind => self.value(kind, depth)?,
            };
            fields.push((id, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, Fault> {
        if depth > DEPTH {
            return Err(Fault::Malformed);
        }
        Ok(match kind {
            // In a list; as a field it stands in the head.
            TRUE | FALSE => Value::Bool(self.byte()? == TRUE),
            BYTE => Value::Int(BYTE, i64::from(self.byte()?.cast_signed())),
            I16 | I32 | I64 => Value::Int(kind, self.zigzag()?),
            DOUBLE => {
                let bytes =
                    self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or(Fault::Short)?;
                self.at += 8;
                Value::Double(*bytes)
            }
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_range| Fault::Malformed)?;
                let end = self.at.checked_add(length).ok_or(Fault::Malformed)?;
                let bytes = self.bytes.get(self.at..end).ok_or(Fault::Short)?;
                self.at = end;
                Value::Bytes(bytes.to_vec())
            }
            LIST | SET => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    short => u64::from(short),
                };
                let item = head & 0x0f;
                let mut items = Vec::new();
                for _ in 0..count {
                    self.left = self.left.checked_sub(1).ok_or(Fault::TooMany)?;
                    items.push(self.value(item, depth + 1)?);
                }
                Value::List(item, items)
            }
            STRUCT => Value::Struct(self.structure(depth + 1)?),
            _ => return Err(Fault::Malformed),
        })
    }
}

impl Struct {
    pub(super) fn get(&self, id: i16) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, id: i16) -> Option<&mut Value> {
        self.0.iter_mut().find(|(known, _)| *known == id).map(|(_, value)| value)
    }

    pub(super) fn int(&self, id: i16) -> Option<i64> {
        match self.get(id)? {
            Value::Int(_, value) => Some(*value),
            _ => None,
        }
    }

    /// A number that is no less than zero.
    pub(super) fn size(&self, id: i16) -> Option<u64> {
        u64::try_from(self.int(id)?).ok()
    }

    pub(super) fn bytes(&self, id: i16) -> Option<&[u8]> {
        match self.get(id)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn structure(&self, id: i16) -> Option<&Self> {
        match self.get(id)? {
            Value::Struct(inner) => Some(inner),
            _ => None,
        }
    }

    pub(super) fn structure_mut(&mut self, id: i16) -> Option<&mut Self> {
        match self.get_mut(id)? {
            Value::Struct(inner) => Some(inner),
            _ => None,
        }
    }

    /// The structures of a list.
    pub(super) fn structures(&self, id: i16) -> impl Iterator<Item = &Self> {
        let items = match self.get(id) {
            Some(Value::List(_, items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| match item {
            Value::Struct(inner) => Some(inner),
            _ => None,
        })
    }

    pub(super) fn structures_mut(&mut self, id: i16) -> impl Iterator<Item = &mut Self> {
        let items = match self.get_mut(id) {
            Some(Value::List(_, items)) => items.as_mut_slice(),
            _ => &mut [],
        };
        items.iter_mut().filter_map(|item| match item {
            Value::Struct(inner) => Some(inner),
            _ => None,
        })
    }

    pub(super) fn list_mut(&mut self, id: i16) -> Option<&mut Vec<Value>> {
        match self.get_mut(id)? {
            Value::List(_, items) => Some(items),
            _ => None,
        }
    }

    /// Changes a number that is there.
    pub(super) fn set_int(&mut self, id: i16, to: u64) {
        if let Some(Value::Int(_, value)) = self.get_mut(id) {
            *value = i64::try_from(to).unwrap_or(i64::MAX);
        }
    }

    pub(super) fn remove(&mut self, id: i16) {
        self.0.retain(|(known, _)| *known != id);
    }

    /// All texts in it, wherever they stand.
    pub(super) fn texts<'a>(&'a self, all: &mut Vec<&'a [u8]>) {
        self.0.iter().for_each(|(_, value)| value.texts(all));
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut last = 0_i16;
        for (id, value) in &self.0 {
            let kind = match value {
                Value::Bool(true) => TRUE,
                Value::Bool(false) => FALSE,
                other => other.kind(),
            };
            match id.checked_sub(last) {
                Some(delta @ 1..=15) => out.push((delta.cast_unsigned() as u8) << 4 | kind),
                _ => {
                    out.push(kind);
                    zigzag(i64::from(*id), out);
                }
            }
            last = *id;
            if !matches!(value, Value::Bool(_)) {
                value.write(out);
            }
        }
        out.push(0);
    }
}

impl Value {
    const fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => TRUE,
            Self::Int(kind, _) => *kind,
            Self::Double(_) => DOUBLE,
            Self::Bytes(_) => BYTES,
            Self::List(..) => LIST,
            Self::Struct(_) => STRUCT,
        }
    }

    fn texts<'a>(&'a self, all: &mut Vec<&'a [u8]>) {
        match self {
            Self::Bool(_) | Self::Int(..) | Self::Double(_) => {}
            Self::Bytes(bytes) => all.push(bytes),
            Self::List(_, items) => items.iter().for_each(|item| item.texts(all)),
            Self::Struct(inner) => inner.texts(all),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
            Self::Int(BYTE, value) => out.push(value.to_le_bytes()[0]),
            Self::Int(_, value) => zigzag(*value, out),
            Self::Double(bytes) => out.extend_from_slice(bytes),
            Self::Bytes(bytes) => {
                varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Self::List(item, items) => {
                match u8::try_from(items.len()) {
                    Ok(short @ 0..=14) => out.push(short << 4 | item),
                    _ => {
                        out.push(0xf0 | item);
                        varint(items.len() as u64, out);
                    }
                }
                for value in items {
                    value.write(out);
                }
            }
            Self::Struct(inner) => inner.write(out),
        }
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}
