//! Who is named as the owner of what: a table of ids, and rules over what the account shows.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::account::{Account, Found};
use crate::catalog::IdClass;
use crate::config::Snapshot;
use crate::diagnostic::{Diagnostic, from_yaml, nearest};
use crate::names::{Kind, TenantId};
use crate::pointer::Pointer;

/// The table's columns.
const COLUMNS: [&str; 3] = ["kind", "id", "tenant"];

/// So many errors of a file are told.
const TOLD: usize = 100;

/// A row of the table.
pub(super) struct Row {
    pub(super) tenant: TenantId,
    pub(super) line: u64,
}

struct Rule {
    kind: Kind,
    field: Pointer,
    pattern: Regex,
    tenant: TenantId,
}

/// Who is named.
pub(super) enum Assigned {
    /// Nobody.
    Nobody,
    /// One tenant.
    To(TenantId),
    /// Rules of several tenants fit.
    Several(Vec<TenantId>),
}

/// Table and rules.
#[derive(Default)]
pub(super) struct Plan {
    rows: HashMap<(Kind, String), Row>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    kind: Spanned<String>,
    field: Spanned<String>,
    pattern: Spanned<String>,
    tenant: Spanned<String>,
}

/// The names that there are.
struct Known<'a> {
    account: &'a Account,
    snapshot: &'a Snapshot,
}

impl Known<'_> {
    fn kind(&self, name: &str) -> Result<Kind, (String, Option<String>)> {
        let kind = Kind::new(name);
        if self.account.rule(&kind).is_some() {
            return Ok(kind);
        }
        let kinds = self.account.catalogs().flat_map(crate::catalog::Catalog::kinds);
        Err(unknown("kind", name, kinds.map(|rule| rule.kind().as_str()).collect()))
    }

    fn tenant(&self, name: &str) -> Result<TenantId, (String, Option<String>)> {
        let tenant = TenantId::new(name);
        if self.snapshot.tenants.contains_key(&tenant) {
            return Ok(tenant);
        }
        Err(unknown("tenant", name, self.snapshot.tenants.keys().map(TenantId::as_str).collect()))
    }
}

fn unknown(what: &str, name: &str, mut known: Vec<&str>) -> (String, Option<String>) {
    known.sort_unstable();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    (format!("unknown {what} `{}`", name.escape_debug()), Some(help))
}

impl Plan {
    /// Reads both files; either may be missing.
    ///
    /// # Errors
    /// Everything that is wrong in them.
    pub(super) fn read(
        owners: Option<&Path>,
        rules: Option<&Path>,
        account: &Account,
        snapshot: &Snapshot,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (mut plan, mut errors) = (Self::default(), Vec::new());
        let known = Known { account, snapshot };
        for (path, table) in
            owners.map(|path| (path, true)).into_iter().chain(rules.map(|path| (path, false)))
        {
            let file = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(text) if table => plan.table(&file, &text, &known, &mut errors),
                Ok(text) => plan.rules(&file, &text, &known, &mut errors),
                Err(error) => errors.push(Diagnostic::whole(&file, format!("can't be read: {error}"))),
            }
        }
        errors.truncate(TOLD);
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    fn table(&mut self, file: &str, text: &str, known: &Known<'_>, errors: &mut Vec<Diagnostic>) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut head = true;
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    errors.push(Diagnostic::whole(file, format!("is no CSV: {error}")));
                    return;
                }
            };
            let begins = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
            let at = |field: usize| place(text, begins, field);
            let fields: Vec<&str> = record.iter().collect();
            let mut fault = |field: usize, (message, help): (String, Option<String>)| {
                let (line, column) = at(field);
                let file = file.to_owned();
                errors.push(Diagnostic { file, line, column, message, help, source: None });
            };
            let [kind, id, tenant] = *fields else {
                let message = format!("a row has the columns {}, not {}", COLUMNS.join(","), fields.len());
                fault(0, (message, None));
                if head {
                    return;
                }
                continue;
            };
            if std::mem::take(&mut head) {
                if fields != COLUMNS {
                    let help = format!("the first line is `{}`", COLUMNS.join(","));
                    fault(0, ("the columns have other names".to_owned(), Some(help)));
                    return;
                }
                continue;
            }
            let (kind, tenant) = match (known.kind(kind), known.tenant(tenant)) {
                (Ok(kind), Ok(tenant)) => (kind, tenant),
                (kind, tenant) => {
                    kind.err().into_iter().for_each(|said| fault(0, said));
                    tenant.err().into_iter().for_each(|said| fault(2, said));
                    continue;
                }
            };
            let rule = known.account.rule(&kind);
            if !rule.is_some_and(|rule| rule.classify(id) == IdClass::Owned) {
                fault(1, (format!("no {kind} that has an owner has such an id"), None));
            } else if let Some(whole) = rule.and_then(|rule| rule.registry_ids(id).whole) {
                let help = format!("name `{}`", whole.escape_debug());
                fault(1, (format!("this {kind} is its whole's owner's"), Some(help)));
            } else {
                let line = at(0).0;
                let before = self.rows.insert((kind, id.to_owned()), Row { tenant, line });
                if let Some(before) = before {
                    fault(1, (format!("the id stands in line {} already", before.line), None));
                }
            }
        }
    }

    fn rules(&mut self, file: &str, text: &str, known: &Known<'_>, errors: &mut Vec<Diagnostic>) {
        let read: RulesFile = match from_yaml(file, text) {
            Ok(read) => read,
            Err(error) => return errors.push(error),
        };
        for RuleText { kind, field, pattern, tenant } in read.rules {
            let mut fault = |at: &Spanned<String>, message: String, help: Option<String>| {
                let mut said = Diagnostic::at(file, at.referenced, message).with_source(text);
                said.help = help;
                errors.push(said);
            };
            let named = known.kind(&kind.value).map_err(|(said, help)| fault(&kind, said, help));
            let to = known.tenant(&tenant.value).map_err(|(said, help)| fault(&tenant, said, help));
            let place = field.value.parse::<Pointer>();
            let place = place.map_err(|error| fault(&field, format!("no pointer: {error}"), None));
            let fits = Regex::new(&pattern.value);
            let fits = fits.map_err(|_error| fault(&pattern, "no regular expression".to_owned(), None));
            if let (Ok(kind), Ok(field), Ok(pattern), Ok(tenant)) = (named, place, fits, to) {
                self.rules.push(Rule { kind, field, pattern, tenant });
            }
        }
    }

    /// Who is named as the owner of a thing. A row goes before the rules.
    pub(super) fn of(&self, found: &Found) -> Assigned {
        if let Some(row) = self.row(&(found.kind.clone(), found.id.clone())) {
            return Assigned::To(row.clone());
        }
        let fits = |rule: &&Rule| {
            rule.kind == found.kind && found.texts(&rule.field).iter().any(|text| rule.pattern.is_match(text))
        };
        let tenants: BTreeSet<&str> =
            self.rules.iter().filter(fits).map(|rule| rule.tenant.as_str()).collect();
        let mut tenants: Vec<TenantId> = tenants.into_iter().map(TenantId::new).collect();
        match tenants.len() {
            0 => Assigned::Nobody,
            1 => tenants.pop().map_or(Assigned::Nobody, Assigned::To),
            _ => Assigned::Several(tenants),
        }
    }

    /// Whom the table names.
    pub(super) fn row(&self, key: &(Kind, String)) -> Option<&TenantId> {
        self.rows.get(key).map(|row| &row.tenant)
    }

    /// Whether the table names it.
    pub(super) fn has(&self, key: &(Kind, String)) -> bool {
        self.rows.contains_key(key)
    }

    /// The table, in its order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&(Kind, String), &Row)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| row.line);
        rows.into_iter()
    }
}

/// Line and column of a field of the record that begins at a byte.
fn place(text: &str, begins: usize, field: usize) -> (u64, u64) {
    let before = text.get(..begins).unwrap_or_default();
    let breaks = before.bytes().filter(|byte| *byte == b'\n').count();
    let (mut line, mut column) = (u64::try_from(breaks).unwrap_or(0) + 1, 1);
    let (mut left, mut quoted) = (field, false);
    let mut begun = false;
    for c in text.get(begins..).unwrap_or_default().chars() {
        // The reader counts the break of the line before, and empty lines, to the record.
        if !begun && matches!(c, '\r' | '\n') {
            line += u64::from(c == '\n');
            continue;
        }
        begun = true;
        if left == 0 {
            break;
        }
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => left -= 1,
            _ => {}
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    (line, column)
}
