//! The draft as a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use crate::openapi::document::Document;
use crate::openapi::fields::Fields;
use crate::openapi::yaml;

use super::kinds::{Ids, Kinds};
use super::operation::{At, Body, Drafted, Fate, FormField};
use super::request::is_json;

/// The text, and which lines belong to which operation.
pub(super) struct Written {
    pub(super) yaml: String,
    lines: Vec<(Range<u64>, usize)>,
}

impl Written {
    /// The operation that a line belongs to.
    pub(super) fn operation_at(&self, line: u64) -> Option<usize> {
        self.lines.iter().find(|(lines, _)| lines.contains(&line)).map(|(_, index)| *index)
    }

    fn line(&mut self, text: impl AsRef<str>) {
        self.yaml.push_str(text.as_ref());
        self.yaml.push('\n');
    }

    fn next_line(&self) -> u64 {
        u64::try_from(self.yaml.matches('\n').count()).unwrap_or(0) + 1
    }
}

/// Writes the profile.
pub(super) fn profile(document: &Document, name: &str, kinds: &Kinds, drafted: &[Drafted]) -> Written {
    let mut to = Written { yaml: String::new(), lines: Vec::new() };
    let title = yaml::comment(document.info("title"));
    let version = yaml::comment(document.info("version"));
    to.line("# A draft, made from a specification by `consentry profile draft`. It is closed: what a specification can't tell is");
    to.line("# refused, or belongs to nobody. Go through every `decide:`, then drive each operation with the keys of two tenants.");
    to.line(format!("profile: {}", yaml::scalar(name)));
    to.line(format!(
        "about: {}",
        yaml::quoted(&format!("Drafted from the specification of {title}, version {version}."))
    ));
    if document.prefix().is_none() {
        to.line("# decide: the server's address has variables, so the paths below may lack its path.");
    }
    write_kinds(&mut to, kinds, drafted);
    to.line(HEADERS);
    to.line("# decide: the API's own shape of errors, so that its clients raise their own exceptions.");
    to.line("errors:");
    to.line("  content_type: application/json");
    let shape = errors(document);
    to.line(format!("  body: {shape}"));
    to.line(format!("  event: {shape}"));
    to.line("  types: {default: error}");
    to.line("  own_words: [402, 403, 429]");
    to.line("  request_id: x-request-id");
    to.line("");
    let served: Vec<(usize, &Drafted)> = drafted.iter().enumerate().filter(|(_, one)| one.served()).collect();
    to.line(if served.is_empty() { "operations: {}" } else { "operations:" });
    for (index, one) in served {
        let first = to.next_line();
        operation(&mut to, one);
        to.lines.push((first..to.next_line(), index));
    }
    refused(&mut to, drafted);
    for one in drafted {
        if let Fate::LeftOut(why) = &one.fate {
            let (id, why) = (yaml::comment(&one.id), yaml::comment(why));
            to.line(format!(
                "# decide: {} {} ({id}) can't stand here: {why}",
                one.method,
                yaml::comment(&one.path)
            ));
        }
    }
    to
}

/// Headers pass by name. What a specification names is told at its operation.
const HEADERS: &str = "
# decide: which headers the API needs. What is not named here is dropped.
headers:
  request:
    pass: [accept, content-type]
    refuse: [x-http-method-override, x-http-method, x-method-override, x-original-url, x-rewrite-url]
    set: {user-agent: consentry}
    others: drop
  response:
    pass: [content-type, content-disposition, date, etag, last-modified, cache-control, vary, retry-after]
    others: drop
";

fn write_kinds(to: &mut Written, kinds: &Kinds, drafted: &[Drafted]) {
    let served: Vec<&Drafted> = drafted.iter().filter(|one| one.served()).collect();
    let mut all: BTreeSet<&str> = BTreeSet::new();
    let mut made: BTreeSet<&str> = BTreeSet::new();
    for one in &served {
        all.extend(one.uses.iter().map(|used| used.kind.as_str()));
        all.extend(one.list.iter().map(|list| list.kind.as_str()));
        made.extend(one.creates.iter().map(|(kind, _)| kind.as_str()));
    }
    all.extend(&made);
    to.line("");
    to.line(
        "# decide: what the ids of each kind look like, and the API's own words for one that does not exist.",
    );
    to.line(if all.is_empty() { "kinds: {}" } else { "kinds:" });
    for kind in all {
        to.line(format!("  {}:", yaml::scalar(kind)));
        match kinds.known.get(kind) {
            Some(Ids { integer: true, .. }) => to.line("    numeric: true"),
            Some(Ids { uuid: true, .. }) => {
                to.line("    owned: ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}']");
            }
            Some(Ids { named: true, .. }) => {
                to.line("    # decide: if people choose these names, tenants can clash, and a clash tells that a name is taken.");
                to.line("    owned: ['[A-Za-z0-9][A-Za-z0-9._-]{0,127}']");
            }
            _ => to.line("    owned: ['[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}']"),
        }
        if !made.contains(kind) {
            let known = kinds.known.contains_key(kind);
            let places = if known { "" } else { ", and no path names one" };
            to.line(format!("    # decide: nothing that is served creates one{places}, so every such id is refused as unknown. Name where they come"));
            to.line("    # from in `creates` or `yields`; if all may use them, say `shared`; if it is no resource, take its places out.");
            to.line("    adopted: true");
        }
        to.line(format!(
            "    not_found: {{message: {}}}",
            yaml::quoted(&format!("No such {}.", kind.replace('_', " ")))
        ));
    }
}

fn body(body: &Body) -> String {
    match body {
        Body::None => "none".to_owned(),
        Body::Json => "json".to_owned(),
        Body::Word(word) => (*word).to_owned(),
        Body::Form(word, fields) => {
            let field = |field: &FormField| {
                let required = if field.required { ", required: true" } else { "" };
                format!(
                    "\n        - {{name: {}, content: {}{required}}}",
                    yaml::scalar(&field.name),
                    field.content
                )
            };
            if fields.is_empty() {
                return format!("{{{word}: []}}");
            }
            format!("\n      {word}:{}", fields.iter().map(field).collect::<String>())
        }
    }
}

fn operation(to: &mut Written, one: &Drafted) {
    to.line(format!("  {}:", yaml::scalar(&one.id)));
    for what in &one.decide {
        to.line(format!("    # decide: {}", yaml::comment(what)));
    }
    to.line(format!("    match: {} {}", one.method, template(&one.path)));
    if one.trains {
        to.line("    # decide: taken for training by its name.");
        to.line("    purpose: train");
    }
    if !matches!(one.request, Body::None) {
        let text = body(&one.request);
        to.line(format!("    request:{}{text}", if text.starts_with('\n') { "" } else { " " }));
    }
    if one.upload {
        to.line("    limit: upload");
    }
    if !matches!(one.response, Body::Json) {
        to.line(format!("    response: {}", body(&one.response)));
    }
    if one.stream && matches!(one.response, Body::Word("json_or_events" | "events")) {
        to.line("    stream: {json: /stream}");
    }
    if let Some(default) = one.store {
        to.line(format!("    store: {{at: /store, default: {default}}}"));
    }
    if !one.query.is_empty() {
        to.line(format!("    query: {}", yaml::list(&one.query)));
    }
    if !one.plain.is_empty() {
        to.line(format!("    plain: {}", yaml::list(&one.plain)));
    }
    resources(to, one);
    if !one.needs.is_empty() {
        to.line("    needs:");
        for (purpose, when) in &one.needs {
            let when = when.as_ref().map(|when| format!(", when: {when}")).unwrap_or_default();
            to.line(format!("      - {{purpose: {purpose}{when}}}"));
        }
    }
    if !one.refuses.is_empty() {
        to.line("    refuses:");
        for (place, because) in &one.refuses {
            to.line(format!(
                "      - {{when: {{json: {}}}, because: {}}}",
                yaml::scalar(place),
                yaml::quoted(because)
            ));
        }
    }
    if !one.removed.is_empty() {
        to.line(format!("    response_edits: [{{at: {}, do: remove}}]", yaml::list(&one.removed)));
    }
}

/// A template stands unquoted: braces are safe behind a method.
fn template(path: &str) -> String {
    yaml::comment(path)
}

fn resources(to: &mut Written, one: &Drafted) {
    if !one.uses.is_empty() {
        to.line("    uses:");
        let mut json: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
        for used in &one.uses {
            let kind = yaml::scalar(&used.kind);
            let required = if used.required { ", required: true" } else { "" };
            let (word, name) = match &used.at {
                At::Path(name) => ("path", name),
                At::Query(name) => ("query", name),
                At::Header(name) => ("header", name),
                At::Form(name) => ("form", name),
                At::Json(pointer) => {
                    json.entry((&used.kind, used.required)).or_default().push(pointer);
                    continue;
                }
            };
            to.line(format!("      - {{kind: {kind}, {word}: {}{required}}}", yaml::scalar(name)));
        }
        for ((kind, required), places) in json {
            to.line(format!("      - kind: {}", yaml::scalar(kind)));
            to.line("        json:");
            for place in places {
                to.line(format!("          - {}", yaml::scalar(place)));
            }
            if required {
                to.line("        required: true");
            }
        }
    }
    if !one.creates.is_empty() {
        to.line("    creates:");
        let undo =
            one.undo.as_ref().map(|undo| format!(", undo: {}", yaml::scalar(undo))).unwrap_or_default();
        for (kind, places) in &one.creates {
            if undo.is_empty() {
                to.line("      # decide: nothing takes it back if it can't be recorded; name the call in `undo`, if there is one.");
            }
            to.line(format!("      - {{kind: {}, at: {}{undo}}}", yaml::scalar(kind), yaml::list(places)));
        }
    }
    if let Some(ends) = &one.ends {
        to.line(format!("    ends: {}", yaml::scalar(ends)));
    }
    if let Some(list) = &one.list {
        let mut text = format!(
            "    list: {{kind: {}, items: {}, id: {}",
            yaml::scalar(&list.kind),
            yaml::scalar(&list.items),
            yaml::scalar(&list.id)
        );
        if let Some(cursor) = &list.cursor {
            let ends = if cursor.ends { "ends: true, " } else { "" };
            let by = yaml::list(&cursor.by);
            let _ = write!(
                text,
                ", cursor: {{by: {by}, {ends}default: {}, max: {}}}",
                cursor.default, cursor.max
            );
        }
        to.line(text + "}");
    }
}

fn refused(to: &mut Written, drafted: &[Drafted]) {
    let mut groups: BTreeMap<(&str, &str), Vec<(usize, &Drafted)>> = BTreeMap::new();
    for (index, one) in drafted.iter().enumerate() {
        if let Fate::Refused { reason, because } = &one.fate {
            groups.entry((reason, because)).or_default().push((index, one));
        }
    }
    if groups.is_empty() {
        return;
    }
    to.line("");
    to.line("refused:");
    for ((reason, because), operations) in groups {
        to.line(format!("  # decide: {} operation(s) below, refused because of what their specification says or leaves out.", operations.len()));
        to.line(format!("  - reason: {reason}"));
        to.line(format!("    because: {}", yaml::quoted(because)));
        to.line("    operations:");
        for (index, one) in operations {
            let first = to.next_line();
            to.line(format!("      {}: {} {}", yaml::scalar(&one.id), one.method, template(&one.path)));
            if !one.uses.is_empty() && !one.names() {
                as_served(to, one);
            }
            to.lines.push((first..to.next_line(), index));
        }
    }
}

/// What would stand under `operations`, in comments: it names resources, but not in every call.
fn as_served(to: &mut Written, one: &Drafted) {
    let mut served = Written { yaml: String::new(), lines: Vec::new() };
    operation(&mut served, one);
    to.line("        # Served, once somebody has said whose it is without them (`required`, `one_of`, `creates`):");
    for line in served.yaml.lines() {
        to.line(format!("        #{line}"));
    }
}

/// The API's shape of errors, as far as its specification tells.
fn errors(document: &Document) -> String {
    let described = document.operations();
    let mut bodies = described.iter().flat_map(|one| &one.errors).filter(|media| is_json(media));
    let found = bodies.find_map(|media| {
        let fields = Fields::of(document, media.schema?);
        let has = |keys: &[&str]| fields.at(keys).is_some();
        let members = |outer: &[&str]| {
            let one = |name: &&str| has(&[outer, &[*name]].concat());
            let named: Vec<String> = ["message", "type", "param", "code"]
                .iter()
                .filter(|name| one(name))
                .map(|name| format!("{name}: ${name}"))
                .collect();
            named.join(", ")
        };
        if has(&["error", "message"]) {
            Some(format!("{{error: {{{}}}}}", members(&["error"])))
        } else if has(&["message"]) {
            Some(format!("{{{}}}", members(&[])))
        } else if has(&["detail"]) {
            Some("{detail: $message}".to_owned())
        } else if fields.at(&["error"]).is_some_and(|field| field.open) {
            Some("{error: $message}".to_owned())
        } else {
            None
        }
    });
    found.unwrap_or_else(|| "{error: {message: $message, code: $code}}".to_owned())
}
