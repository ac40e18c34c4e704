//! The fields of a body: every place that its schema names, through references, `allOf`, `anyOf`, `oneOf`, arrays and
//! maps. A schema that contains itself is entered once, and its places are told with `**`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Document;

/// Places of one body that are looked at.
const MAX_PLACES: usize = 20_000;

/// Steps of a place.
const MAX_STEPS: usize = 48;

/// Schemas that one place may have.
const MAX_VARIANTS: usize = 2_000;

/// A step into a body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step<'d> {
    /// A member.
    Key(&'d str),
    /// Any item of an array, or any member of a map.
    Any,
}

/// What is known of a place.
#[derive(Clone, Debug)]
pub(super) struct Field<'d> {
    pub(super) steps: Vec<Step<'d>>,
    /// How many steps lead to each schema around it that contains itself.
    pub(super) recursive: Vec<usize>,
    /// It may hold a text or a number that is not one of a few.
    pub(super) open: bool,
    /// It may hold whole numbers, and no texts.
    pub(super) integer: bool,
    /// It may hold true or false.
    pub(super) boolean: bool,
    /// It may hold an array.
    pub(super) array: bool,
    /// It may hold an object.
    pub(super) object: bool,
    /// It holds bytes.
    pub(super) binary: bool,
    /// `format: uuid`.
    pub(super) uuid: bool,
    /// The values that are named, and that of `default`.
    pub(super) values: Vec<&'d Value>,
    pub(super) default: Option<&'d Value>,
    pub(super) maximum: Option<u64>,
    /// The member is needed, whichever of its object's schemas holds.
    pub(super) required: bool,
}

impl<'d> Field<'d> {
    /// The last key of the place.
    pub(super) fn key(&self) -> &'d str {
        self.steps.iter().rev().find_map(Step::key).unwrap_or_default()
    }

    /// The place is an item of an array or map of that name.
    pub(super) fn many(&self) -> bool {
        self.steps.last() == Some(&Step::Any)
    }

    /// The key before the last one.
    pub(super) fn parent(&self) -> Option<&'d str> {
        self.steps.iter().rev().filter_map(Step::key).nth(1)
    }

    /// The place as a profile spells it.
    pub(super) fn pointer(&self) -> String {
        let all = self.steps.iter().enumerate().map(|(index, step)| {
            let deep = if self.recursive.contains(&index) { "/**" } else { "" };
            format!("{deep}{}", step.spelt())
        });
        all.collect()
    }
}

impl<'d> Step<'d> {
    fn key(&self) -> Option<&'d str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Any => None,
        }
    }

    pub(super) fn spelt(&self) -> String {
        match self {
            Self::Any => "/*".to_owned(),
            Self::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        }
    }
}

/// The places of a body.
#[derive(Debug, Default)]
pub(super) struct Fields<'d> {
    pub(super) all: Vec<Field<'d>>,
    /// Not everything was looked at: too many places, or a reference that leads out of the file.
    pub(super) cut: bool,
}

impl<'d> Fields<'d> {
    /// Every place below the schema, itself among them.
    pub(super) fn of(document: &'d Document, schema: &'d Value) -> Self {
        let mut walk = Walk { document, fields: Self::default(), open: Vec::new(), recursive: Vec::new() };
        let schemas = walk.variants(&[schema]);
        walk.enter(&mut Vec::new(), &schemas, false);
        let Walk { mut fields, recursive, .. } = walk;
        for field in &mut fields.all {
            let inside = recursive.iter().filter(|root| field.steps.len() > root.len());
            let inside = inside.filter(|root| field.steps.get(..root.len()) == Some(root.as_slice()));
            field.recursive = inside.map(Vec::len).collect();
        }
        fields
    }

    /// The place with exactly these keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Field<'d>> {
        let same = |field: &&Field<'d>| {
            field.steps.len() == keys.len()
                && field.steps.iter().zip(keys).all(|(step, key)| step.key() == Some(key))
        };
        self.all.iter().find(same)
    }
}

struct Walk<'d> {
    document: &'d Document,
    fields: Fields<'d>,
    /// The schemas of objects that the place stands in, with the steps that lead to them.
    open: Vec<(&'d Value, usize)>,
    /// Places whose schema contains itself.
    recursive: Vec<Vec<Step<'d>>>,
}

impl<'d> Walk<'d> {
    /// The schemas that a place may follow, without references and combinations.
    fn variants(&mut self, schemas: &[&'d Value]) -> Vec<&'d Value> {
        let mut left: Vec<&'d Value> = schemas.iter().rev().copied().collect();
        let mut seen: Vec<&'d Value> = Vec::new();
        while let Some(schema) = left.pop() {
            let Some(schema) = self.document.resolve(schema) else {
                self.fields.cut = true;
                continue;
            };
            if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            if seen.len() == MAX_VARIANTS {
                self.fields.cut = true;
                break;
            }
            seen.push(schema);
            for combination in ["allOf", "anyOf", "oneOf"] {
                let parts = schema.get(combination).and_then(Value::as_array);
                left.extend(parts.into_iter().flatten().rev());
            }
            left.extend(["then", "else"].iter().filter_map(|name| schema.get(name)));
        }
        seen
    }

    fn enter(&mut self, steps: &mut Vec<Step<'d>>, schemas: &[&'d Value], required: bool) {
        if self.fields.all.len() >= MAX_PLACES || steps.len() >= MAX_STEPS {
            self.fields.cut = true;
            return;
        }
        self.fields.all.push(described(steps, schemas, required));
        let before = self.open.len();
        let mut objects = 0;
        let mut children: BTreeMap<Step<'d>, (Vec<&'d Value>, usize)> = BTreeMap::new();
        for schema in schemas {
            if let Some((_, at)) = self.open.iter().find(|(known, _)| std::ptr::eq(*known, *schema)) {
                let root: Vec<Step<'d>> = steps.iter().take(*at).cloned().collect();
                if !self.recursive.contains(&root) {
                    self.recursive.push(root);
                }
                continue;
            }
            if holds(schema) {
                self.open.push((schema, steps.len()));
                add(&mut children, schema);
                objects += usize::from(schema.get("properties").is_some());
            }
        }
        for (step, (schemas, needed)) in children {
            steps.push(step);
            let schemas = self.variants(&schemas);
            self.enter(steps, &schemas, needed > 0 && needed == objects);
            steps.pop();
        }
        self.open.truncate(before);
    }
}

/// Whether a schema has places below it.
fn holds(schema: &Value) -> bool {
    ["properties", "items", "prefixItems", "additionalProperties", "patternProperties"]
        .iter()
        .any(|name| schema.get(name).is_some_and(|value| value.is_object() || value.is_array()))
}

fn add<'d>(children: &mut BTreeMap<Step<'d>, (Vec<&'d Value>, usize)>, schema: &'d Value) {
    let needed = schema.get("required").and_then(Value::as_array);
    let needed = |name: &str| needed.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(name)));
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let child = children.entry(Step::Key(name)).or_default();
        child.0.push(inner);
        child.1 += usize::from(needed(name));
    }
    let mut any = Vec::new();
    any.extend(["items", "additionalProperties"].iter().filter_map(|name| schema.get(name)));
    any.extend(schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten());
    any.extend(
        schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten().map(|(_, s)| s),
    );
    any.retain(|inner| inner.is_object());
    if !any.is_empty() {
        children.entry(Step::Any).or_default().0.extend(any);
    }
}

fn described<'d>(steps: &[Step<'d>], schemas: &[&'d Value], required: bool) -> Field<'d> {
    let mut field = Field {
        steps: steps.to_vec(),
        recursive: Vec::new(),
        open: false,
        integer: false,
        boolean: false,
        array: false,
        object: false,
        binary: false,
        uuid: false,
        values: Vec::new(),
        default: None,
        maximum: None,
        required,
    };
    let (mut texts, mut numbers) = (false, false);
    for schema in schemas {
        let values = schema.get("enum").and_then(Value::as_array);
        let closed = values.is_some() || schema.get("const").is_some();
        field.values.extend(values.into_iter().flatten().chain(schema.get("const")));
        field.default = field.default.or_else(|| schema.get("default"));
        field.maximum = field.maximum.or_else(|| schema.get("maximum").and_then(Value::as_u64));
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        field.uuid |= format == "uuid";
        field.binary |= format == "binary" || schema.get("contentMediaType").is_some();
        for name in types(schema) {
            match name {
                "string" => (field.open, texts) = (field.open || !closed, true),
                "integer" => (field.open, numbers) = (field.open || !closed, true),
                "boolean" => field.boolean = true,
                "array" => field.array = true,
                "object" => field.object = true,
                _ => {}
            }
        }
    }
    field.integer = numbers && !texts;
    field
}

/// The types that a schema names, or that follow from its members.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() => vec!["object"],
        _ if schema.get("items").is_some() => vec!["array"],
        _ if schema.get("enum").is_some() || schema.get("const").is_some() => vec!["string"],
        _ if schema.get("format").is_some() => vec!["string"],
        // `{}` and `true` are anything: FastAPI writes an untyped parameter so.
        _ if !["allOf", "anyOf", "oneOf"].iter().any(|name| schema.get(name).is_some()) => vec!["string"],
        _ => Vec::new(),
    }
}
