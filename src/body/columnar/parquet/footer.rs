//! The footer of a Parquet file: schema, row groups, what was said by whoever wrote it.

use super::super::arrow::{SchemaMessage, schema_message};
use super::super::codec::Codec;
use super::super::{Values, context};
use super::names::Names;
use super::thrift::{self, Fault, Struct, Value};
use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

// Fields of the structures, by the numbers that the format gives them.
const SCHEMA: i16 = 2;
pub(super) const ROW_GROUPS: i16 = 4;
const KEY_VALUES: i16 = 5;
const CREATED_BY: i16 = 6;
const ENCRYPTION: i16 = 8;
const SIGNING_KEY: i16 = 9;
pub(super) const COLUMNS: i16 = 1;
pub(super) const CHUNK_META: i16 = 3;
const CHUNK_KEY_VALUES: i16 = 8;
pub(super) const STATISTICS: i16 = 12;
/// The key under which Arrow's schema stands.
const ARROW: &[u8] = b"ARROW:schema";
/// Bytes of a value of the metadata in memory, at least.
pub(super) const VALUE: usize = 32;
/// Parts of a schema inside each other.
const DEPTH: usize = 64;

/// A column of values.
pub(super) struct Leaf {
    /// Its name, for rules with context.
    pub(super) name: Box<str>,
    pub(super) values: Values,
    kind: i64,
    /// Length of its values, if they have one.
    pub(super) fixed: Option<usize>,
    /// The highest levels of definition and repetition.
    pub(super) levels: (u32, u32),
    /// Of what the file says.
    path: Vec<Vec<u8>>,
    /// Of what is written.
    new_path: Vec<Vec<u8>>,
}

impl Leaf {
    /// What its texts stand under; a number stands under nothing.
    pub(super) fn field(&self) -> Option<&str> {
        (self.values != Values::Number).then_some(&*self.name)
    }
}

/// A column of a row group.
pub(super) struct Chunk {
    pub(super) leaf: usize,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) codec: Codec,
    pub(super) rows: u64,
}

/// What the footer says.
pub(super) struct Footer {
    pub(super) meta: Struct,
    pub(super) leaves: Vec<Leaf>,
    pub(super) chunks: Vec<Chunk>,
    /// A text of it was censored.
    pub(super) changed: bool,
}

pub(super) fn fault(contents: &dyn Contents, fault: Fault, what: &'static str) -> Refusal {
    let reason = match fault {
        Fault::Short => Reason::ContentTruncated,
        Fault::TooMany => Reason::RecordTooLarge,
        Fault::Malformed => Reason::ContentMalformed,
    };
    contents.refuse(reason, what)
}

const WHAT: &str = "the footer of the table";

impl Footer {
    /// Reads the footer and censors its texts. At most so much is in memory.
    pub(super) fn read(contents: &mut dyn Contents, bytes: &[u8], most: usize) -> Result<Self, Refusal> {
        let (meta, length) = thrift::read(bytes, most / VALUE).map_err(|f| fault(contents, f, WHAT))?;
        if length != bytes.len() {
            return Err(contents.refuse(Reason::ContentMalformed, WHAT));
        }
        if meta.get(ENCRYPTION).is_some() || meta.get(SIGNING_KEY).is_some() {
            return Err(contents.refuse(Reason::ContentUninspectable, "an encrypted table"));
        }
        let mut footer = Self { meta, leaves: Vec::new(), chunks: Vec::new(), changed: false };
        footer.schema(contents, most)?;
        footer.chunks(contents)?;
        footer.texts(contents)?;
        Ok(footer)
    }

    fn schema(&mut self, contents: &mut dyn Contents, most: usize) -> Result<(), Refusal> {
        let malformed =
            |contents: &dyn Contents| contents.refuse(Reason::ContentMalformed, "the schema of the table");
        // For each open group: its children that are to come, and its levels.
        let mut open: Vec<(u64, (u32, u32))> = Vec::new();
        let (mut path, mut new_path): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        let mut names = Names::new(most);
        let mut first = true;
        let mut leaves = Vec::new();
        let mut changed = false;
        for element in self.meta.structures_mut(SCHEMA) {
            while open.last().is_some_and(|(left, _)| *left == 0) {
                open.pop();
                path.pop();
                new_path.pop();
            }
            let name = element.bytes(4).ok_or_else(|| malformed(contents))?.to_vec();
            if std::str::from_utf8(&name).is_err() {
                return Err(contents.refuse(Reason::ContentNotUtf8, "the name of a column"));
            }
            let censored = contents.text(None, &name)?;
            changed |= censored.is_some();
            let mut new_name = censored.clone().unwrap_or_else(|| name.clone());
            if !first {
                let Some((left, levels)) = open.last_mut() else { return Err(malformed(contents)) };
                *left -= 1;
                let levels = *levels;
                let depth = path.len();
                // Each column has its whole path, and the parts of paths may be long.
                let long = path.iter().chain(&new_path).map(|part| part.len() + VALUE).sum::<usize>();
                if !names.take(long + name.len() + new_name.len()) {
                    return Err(contents.refuse(Reason::RecordTooLarge, "the schema of the table"));
                }
                new_name = names.distinct(&new_path, &new_name, censored.is_some());
                let levels = match element.int(3) {
                    Some(1) => (levels.0 + 1, levels.1),
                    Some(2) => (levels.0 + 1, levels.1 + 1),
                    _ => levels,
                };
                if depth > DEPTH {
                    return Err(contents.refuse(Reason::ContentTooDeep, "the schema of the table"));
                }
                path.push(name);
                new_path.push(new_name.clone());
                if element.get(1).is_some() {
                    leaves.push(leaf(contents, element, (&path, &new_path), levels)?);
                    path.pop();
                    new_path.pop();
                } else {
                    // Values of any shape, packed into bytes.
                    if element.structure(10).is_some_and(|logical| logical.get(16).is_some()) {
                        contents.uninspectable("a column of Variants")?;
                    }
                    open.push((element.size(5).unwrap_or_default(), levels));
                }
            } else {
                open.push((element.size(5).unwrap_or_default(), (0, 0)));
                // The root has no part in paths.
                path.push(Vec::new());
                new_path.push(Vec::new());
            }
            first = false;
            if let Some(Value::Bytes(place)) = element.get_mut(4) {
                *place = new_name;
            }
        }
        if open.iter().any(|(left, _)| *left > 0) || first {
            return Err(malformed(contents));
        }
        self.leaves = leaves;
        self.changed |= changed;
        Ok(())
    }

    fn chunks(&mut self, contents: &mut dyn Contents) -> Result<(), Refusal> {
        let malformed = || contents.refuse(Reason::ContentMalformed, "a row group of the table");
        let mut rows = 0_u64;
        for group in self.meta.structures(ROW_GROUPS) {
            let mut count = 0;
            for chunk in group.structures(COLUMNS) {
                if chunk.get(1).is_some() {
                    return Err(contents.refuse(Reason::ContentUninspectable, "a column in another file"));
                }
                if chunk.get(8).is_some() || chunk.get(9).is_some() {
                    return Err(contents.refuse(Reason::ContentUninspectable, "an encrypted column"));
                }
                let meta = chunk.structure(CHUNK_META).ok_or_else(malformed)?;
                let leaf = self.leaves.get(count).ok_or_else(malformed)?;
                let path_is = |path: &[Vec<u8>]| match meta.get(3) {
                    Some(Value::List(_, names)) => {
                        names.len() == path.len()
                            && names.iter().zip(path).all(|(a, b)| matches!(a, Value::Bytes(a) if a == b))
                    }
                    _ => false,
                };
                if meta.int(1) != Some(leaf.kind) || !path_is(&leaf.path) {
                    return Err(malformed());
                }
                let data = meta.size(9).ok_or_else(malformed)?;
                // Some writers say 0 for none.
                let dictionary = meta.size(11).filter(|at| *at > 0 && *at < data);
                self.chunks.push(Chunk {
                    leaf: count,
                    start: dictionary.unwrap_or(data),
                    length: meta.size(7).ok_or_else(malformed)?,
                    codec: codec(contents, meta.int(4), leaf.values)?,
                    rows,
                });
                count += 1;
            }
            if count != self.leaves.len() {
                return Err(malformed());
            }
            rows = rows.saturating_add(group.size(3).ok_or_else(malformed)?);
        }
        Ok(())
    }

    /// What was said beside the values.
    fn texts(&mut self, contents: &mut dyn Contents) -> Result<(), Refusal> {
        let mut changed = key_values(contents, &mut self.meta, KEY_VALUES)?;
        if let Some(Value::Bytes(by)) = self.meta.get_mut(CREATED_BY)
            && let Some(censored) = contents.text(None, by)?
        {
            *by = censored;
            changed = true;
        }
        for group in self.meta.structures_mut(ROW_GROUPS) {
            for (chunk, leaf) in group.structures_mut(COLUMNS).zip(&self.leaves) {
                let Some(meta) = chunk.structure_mut(CHUNK_META) else { continue };
                changed |= key_values(contents, meta, CHUNK_KEY_VALUES)?;
                if let Some(statistics) = meta.structure_mut(STATISTICS) {
                    changed |= extremes(contents, statistics, leaf)?;
                }
                if leaf.path != leaf.new_path
                    && let Some(names) = meta.list_mut(3)
                {
                    *names = leaf.new_path.iter().cloned().map(Value::Bytes).collect();
                }
            }
        }
        self.changed |= changed;
        // What Arrow says of its schema was looked at as what it is, and goes back afterwards.
        let mut said = Vec::new();
        for pair in self.meta.structures_mut(KEY_VALUES).filter(|pair| pair.bytes(1) == Some(ARROW)) {
            said.push(pair.get_mut(2).map(|value| std::mem::replace(value, Value::Bytes(Vec::new()))));
        }
        let left = nothing_left(contents, &self.meta);
        let pairs = self.meta.structures_mut(KEY_VALUES).filter(|pair| pair.bytes(1) == Some(ARROW));
        for (pair, said) in pairs.zip(said) {
            if let (Some(value), Some(said)) = (pair.get_mut(2), said) {
                *value = said;
            }
        }
        left
    }
}

/// Sees that nothing is left in texts of fields that nobody here knows.
pub(super) fn nothing_left(contents: &mut dyn Contents, of: &Struct) -> Result<(), Refusal> {
    let mut texts = Vec::new();
    of.texts(&mut texts);
    for text in texts {
        if contents.holds(text)? {
            return Err(
                contents.refuse(Reason::ContentUninspectable, "a finding in metadata of unknown meaning")
            );
        }
    }
    Ok(())
}

/// Takes the least and the greatest value out of statistics if one of them holds something. True: it did.
pub(super) fn extremes(
    contents: &mut dyn Contents,
    statistics: &mut Struct,
    leaf: &Leaf,
) -> Result<bool, Refusal> {
    if leaf.values == Values::Other {
        return Ok(false);
    }
    let mut found = false;
    for field in EXTREMES {
        if let Some(value) = statistics.bytes(*field) {
            found |= contents.text(leaf.field(), value)?.is_some();
        }
    }
    if found {
        forget_extremes(statistics);
    }
    Ok(found)
}

/// The least and the greatest value, in the old order and in the new one, and whether they are exact.
const EXTREMES: &[i16] = &[1, 2, 5, 6];

pub(super) fn forget_extremes(statistics: &mut Struct) {
    for field in EXTREMES.iter().chain(&[7, 8]) {
        statistics.remove(*field);
    }
}

fn key_values(contents: &mut dyn Contents, of: &mut Struct, field: i16) -> Result<bool, Refusal> {
    let mut changed = false;
    for pair in of.structures_mut(field) {
        let key = pair.bytes(1).unwrap_or_default().to_vec();
        let value = pair.bytes(2).unwrap_or_default().to_vec();
        if key == ARROW && !value.is_empty() {
            // The same schema once more, as bytes in base64.
            let unknown = contents.refuse(Reason::ContentUninspectable, "the Arrow schema of the table");
            let Ok(schema) = data_encoding::BASE64.decode(&value) else { return Err(unknown) };
            match schema_message(contents, &schema)? {
                SchemaMessage::Clean => {}
                SchemaMessage::Unknown => return Err(unknown),
                SchemaMessage::Changed(schema) => {
                    if let Some(Value::Bytes(place)) = pair.get_mut(2) {
                        *place = data_encoding::BASE64.encode(&schema).into_bytes();
                        changed = true;
                    }
                }
            }
            continue;
        }
        let name = String::from_utf8_lossy(&key).into_owned();
        for (field, text, context) in [(1, &key, None), (2, &value, Some(&*name))] {
            if let Some(censored) = contents.text(context, text)?
                && let Some(Value::Bytes(place)) = pair.get_mut(field)
            {
                *place = censored;
                changed = true;
            }
        }
    }
    Ok(changed)
}

fn codec(contents: &dyn Contents, number: Option<i64>, values: Values) -> Result<Codec, Refusal> {
    Ok(match number {
        Some(0) => Codec::Plain,
        Some(1) => Codec::Snappy,
        Some(2) => Codec::Gzip,
        Some(4) => Codec::Brotli,
        Some(6) => Codec::Zstd,
        Some(7) => Codec::Lz4Block,
        // What is not read stays packed.
        _ if values == Values::Other => Codec::Plain,
        _ => {
            return Err(
                contents.refuse(Reason::ContentUninspectable, "a column whose compression is unknown")
            );
        }
    })
}

fn leaf(
    contents: &dyn Contents,
    element: &Struct,
    (path, new_path): (&[Vec<u8>], &[Vec<u8>]),
    levels: (u32, u32),
) -> Result<Leaf, Refusal> {
    const BYTE_ARRAY: i64 = 6;
    const FIXED: i64 = 7;
    let kind = element.int(1).unwrap_or(-1);
    let logical = match element.structure(10) {
        None => None,
        Some(logical) => (1..=64).find(|id| logical.get(*id).is_some()).or(Some(0)),
    };
    let fixed =
        (kind == FIXED).then(|| usize::try_from(element.size(2).unwrap_or_default()).unwrap_or_default());
    let values = match (kind, logical, element.int(6)) {
        (0..=5, ..) => Values::Other,
        // Strings, enumerations, JSON.
        (BYTE_ARRAY, Some(1 | 4 | 12), _) | (BYTE_ARRAY, None, Some(0 | 4 | 19)) => Values::Text,
        // UUIDs, small floats, intervals: of one length.
        (FIXED, Some(14), _) if fixed == Some(16) => Values::Other,
        (FIXED, Some(15), _) if fixed == Some(2) => Values::Other,
        (FIXED, None, Some(21)) if fixed == Some(12) => Values::Other,
        // Decimals, as long as they like.
        (BYTE_ARRAY | FIXED, Some(5), _) | (BYTE_ARRAY | FIXED, None, Some(5)) => Values::Number,
        // Bytes, and the shapes of maps.
        (BYTE_ARRAY, Some(17 | 18), _) | (BYTE_ARRAY, None, None) => Values::Bytes,
        (FIXED, None, None) => Values::Fixed,
        _ => {
            contents.uninspectable("a column whose type is unknown")?;
            Values::Other
        }
    };
    let (path, new_path) = (path.get(1..).unwrap_or_default(), new_path.get(1..).unwrap_or_default());
    let names: Vec<&str> = path.iter().filter_map(|name| std::str::from_utf8(name).ok()).collect();
    Ok(Leaf {
        name: context(&names).into(),
        values,
        kind,
        fixed,
        levels,
        path: path.to_vec(),
        new_path: new_path.to_vec(),
    })
}
