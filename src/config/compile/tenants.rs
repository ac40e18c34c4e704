//! The tenants: who they are, what was granted, what must not pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::master::MasterKey;
use super::super::schema::{self, OtherCharsets, StoreWithoutGrant, ThirdParties};
use super::super::snapshot::{Analysis, Policies, Tenant};
use super::super::units::Size;
use super::Compiler;
use super::policies::{self, Workshop};
use super::promised::{self, Floors};
use super::{analysers, consent, dry_run, records, rules};
use crate::analyser::Settings;
use crate::catalog::Catalog;
use crate::consent::SubjectKeyer;
use crate::diagnostic::{Diagnostic, from_yaml};
use crate::identity::{
    Algorithm, CertificateEntry, ClaimEntry, Directory, Entries, IssuerEntry, JwksSource, KeyEntry, KeyHash,
    KeyHasher, SubjectName,
};
use crate::names::{KeyId, OperationId, Purpose, TenantId};

/// What the tenants' files refer to.
pub(super) struct Context<'a> {
    pub(super) main: &'a Text,
    pub(super) issuers: &'a BTreeMap<String, Spanned<schema::Issuer>>,
    pub(super) catalogs: &'a BTreeMap<String, Arc<Catalog>>,
    /// The routes, and whether a dry run is allowed on them.
    pub(super) routes: &'a BTreeMap<&'a str, bool>,
    pub(super) analysers: &'a BTreeMap<String, Settings>,
    pub(super) policies: &'a promised::Known,
    pub(super) master: &'a MasterKey,
    /// Bytes that the spool may hold.
    pub(super) spool: u64,
}

type Compiled = (BTreeMap<TenantId, Arc<Tenant>>, Directory);

/// Reads the tenants' files, and no more.
pub(super) fn parse<'t>(c: &mut Compiler<'_>, files: &'t [Text]) -> Vec<(&'t Text, schema::Tenant)> {
    let mut tenants = Vec::with_capacity(files.len());
    for file in files {
        match from_yaml::<schema::Tenant>(&file.name, &file.text) {
            Ok(tenant) => tenants.push((file, tenant)),
            Err(error) => c.errors.push(error),
        }
    }
    tenants
}

/// What a tenant may have of the spool: by default as much as leaves the same to the others.
fn spool(c: &mut Compiler<'_>, file: &Text, total: u64, given: Option<&Spanned<Size>>) -> u64 {
    let Some(given) = given else { return total / 2 };
    if given.value.0 > total {
        c.error(file, given, "more than the spool of all tenants (`state.spool`)");
    }
    given.value.0
}

/// Compiles them all.
pub(super) fn compile(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    files: &[Text],
    rule_files: &[Text],
) -> Option<Compiled> {
    let parsed = parse(c, files);
    let shared = rules::shared(c, rule_files);
    let mut workshop = Workshop::default();
    let known = known(context);
    promised::check(c, context.policies, shared.as_ref(), &known);
    let mut entries = Entries::default();
    let mut claims: BTreeMap<String, Vec<ClaimEntry>> = BTreeMap::new();
    let mut tenants = BTreeMap::new();
    for (file, raw) in &parsed {
        let Some(id) = tenant_id(c, file, &raw.tenant) else { continue };
        identities(c, context, file, raw, &id, &mut entries, &mut claims);
        let floors = Floors::of(c, file, context.policies, raw.policy.as_ref());
        // Without rules no engine is made, and what is wrong with the rest is said all the same.
        let own = shared.as_ref().and_then(|shared| {
            let own = rules::of(c, file, &id, &raw.censor, shared)?;
            if let Some(at) = &raw.censor.rules {
                floors.replaced(c, file, at, &own.own, shared);
            }
            Some(own)
        });
        let analyser = raw.censor.analyser.as_ref();
        let analysis = analyser.and_then(|raw| analysers::of(c, file, raw, context.analysers, &known));
        let policies = own.as_ref().and_then(|rules| {
            let records = raw.records.as_ref();
            let tenant = policies::Tenant { file, rules, raw: &raw.censor, records, floors: &floors };
            workshop.policies(c, &tenant, analysis.as_ref(), &known)
        });
        let tenant = tenant(c, context, &known, (file, raw), (id.clone(), floors, policies, analysis));
        let Some(tenant) = tenant else { continue };
        if tenants.insert(id.clone(), Arc::new(tenant)).is_some() {
            c.error(file, &raw.tenant, format!("two files describe the tenant `{id}`"));
        }
    }
    issuers(c, context, &mut entries, claims);
    let hasher = match KeyHasher::derive(context.master.prk()) {
        Ok(hasher) => hasher,
        Err(error) => {
            c.errors.push(Diagnostic::whole("tenants", error.to_string()));
            return None;
        }
    };
    match Directory::compile(hasher, entries) {
        Ok(directory) => Some((tenants, directory)),
        Err(errors) => {
            c.errors.extend(errors.into_iter().map(|e| Diagnostic::whole("tenants", e.to_string())));
            None
        }
    }
}

/// Puts together what a tenant's file and its policies say.
fn tenant(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    known: &BTreeSet<String>,
    (file, raw): (&Text, &schema::Tenant),
    (id, floors, policies, analysis): (TenantId, Floors, Option<Policies>, Option<Analysis>),
) -> Option<Tenant> {
    let opaque = operations(c, known, file, &raw.opaque);
    floors.opaque(c, file, &raw.opaque);
    let mut refuse_media = operations(c, known, file, &raw.refuse_media);
    refuse_media.extend(floors.refuse_media().map(OperationId::new));
    let dry_run = raw.censor.dry_run.as_ref().and_then(|raw| {
        floors.dry_run(c, file, raw);
        dry_run::of(c, context, file, raw)
    });
    let own = raw.consent.store_without_grant.as_ref();
    let store = floors.strictest(
        c,
        file,
        "/consent/store_without_grant",
        |options| options.consent.store_without_grant,
        own,
    );
    let own = raw.third_parties.as_ref();
    let third_parties =
        floors.strictest(c, file, "/third_parties", |options| options.third_parties, own).unwrap_or_default();
    Some(Tenant {
        secret: Arc::new(context.master.hmac("tenant values v1", Some(id.as_str()))),
        subjects: SubjectKeyer::new(context.master.hmac("consent subjects v1", Some(id.as_str()))),
        id,
        grants: raw.consent.grants.iter().map(consent::grant).collect(),
        consent: consent::of(c, file, &raw.consent),
        store_turned_off: store.unwrap_or_default() == StoreWithoutGrant::TurnOff,
        third_parties_refused: third_parties == ThirdParties::Refuse,
        policies: policies?,
        promised: floors.policies,
        records: raw.records.as_ref().map(|raw| records::of(c, file, &raw.value)),
        analysis,
        dry_run,
        opaque,
        refuse_media,
        transcode: raw.other_charsets == OtherCharsets::Transcode,
        concurrency: raw.limits.concurrency.unwrap_or(256),
        spool_bytes: spool(c, file, context.spool, raw.limits.spool.as_ref()),
    })
}

fn tenant_id(c: &mut Compiler<'_>, file: &Text, name: &Spanned<String>) -> Option<TenantId> {
    let text = &name.value;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    // Names that begin with `_` are the metrics' own (`_unknown`, `_other`).
    if !plain || text.is_empty() || text.len() > 64 || text.starts_with('_') {
        c.error(
            file,
            name,
            "a tenant's name has 1 to 64 letters, digits, `-`, `_` and `.`, and no `_` in front",
        );
        return None;
    }
    Some(TenantId::new(text))
}

fn purposes(given: Option<&Vec<Purpose>>) -> BTreeSet<Purpose> {
    given.map_or_else(|| BTreeSet::from([Purpose::Inference]), |list| list.iter().copied().collect())
}

fn identities(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    file: &Text,
    raw: &schema::Tenant,
    tenant: &TenantId,
    entries: &mut Entries,
    claims: &mut BTreeMap<String, Vec<ClaimEntry>>,
) {
    for spanned in &raw.keys {
        let key = &spanned.value;
        let Ok(hash) = key.hash.value.parse::<KeyHash>() else {
            c.error(file, &key.hash, "is not a key's hash").help =
                Some("`consentry keys new` makes a key and prints its hash".to_owned());
            continue;
        };
        entries.keys.push(KeyEntry {
            tenant: tenant.clone(),
            id: KeyId::new(&key.id),
            hash,
            purposes: purposes(key.purposes.as_ref()),
            not_before: key.from,
            expires: key.expires,
            operations: None,
        });
    }
    for spanned in &raw.certificates {
        let certificate = &spanned.value;
        match certificate.san.value.parse::<SubjectName>() {
            Ok(name) => entries.certificates.push(CertificateEntry {
                tenant: tenant.clone(),
                id: KeyId::new(&certificate.id),
                name,
                purposes: purposes(certificate.purposes.as_ref()),
                operations: None,
            }),
            Err(error) => drop(c.error(file, &certificate.san, error.to_string())),
        }
    }
    for spanned in &raw.tokens {
        let token = &spanned.value;
        if !context.issuers.contains_key(&token.issuer.value) {
            let known: Vec<&str> = context.issuers.keys().map(String::as_str).collect();
            c.unknown(file, &token.issuer, "issuer", &token.issuer.value, known);
        }
        claims.entry(token.issuer.value.clone()).or_default().push(ClaimEntry {
            value: token.claim.clone(),
            tenant: tenant.clone(),
            id: KeyId::new(&token.id),
            purposes: purposes(token.purposes.as_ref()),
            operations: None,
        });
    }
}

fn issuers(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    entries: &mut Entries,
    mut claims: BTreeMap<String, Vec<ClaimEntry>>,
) {
    for (name, spanned) in context.issuers {
        let raw = &spanned.value;
        let mut algorithms = Vec::with_capacity(raw.algorithms.len());
        for algorithm in &raw.algorithms {
            match algorithm.value.parse::<Algorithm>() {
                Ok(known) => algorithms.push(known),
                Err(_error) => {
                    let known =
                        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
                    c.unknown(context.main, algorithm, "algorithm", &algorithm.value, known);
                }
            }
        }
        let jwks = match (raw.jwks.value.strip_prefix("file:"), raw.jwks.value.parse::<http::Uri>()) {
            (Some(path), _) => JwksSource::File(c.path(path)),
            (None, Ok(url)) if url.scheme_str() == Some("https") => JwksSource::Url {
                url,
                ca: None,
                min_refresh: Duration::from_secs(30),
                max_age: Duration::from_secs(3600),
            },
            _ => {
                c.error(context.main, &raw.jwks, "a key set is `file:PATH` or an `https` URL");
                continue;
            }
        };
        entries.issuers.push(IssuerEntry {
            issuer: raw.issuer.clone(),
            audiences: raw.audiences.clone(),
            algorithms,
            jwks,
            leeway: Duration::from_secs(30),
            claim: raw.tenant_claim.clone().unwrap_or_else(|| "sub".to_owned()),
            tenants: claims.remove(name).unwrap_or_default(),
        });
    }
}

/// Every operation that some profile has.
fn known(context: &Context<'_>) -> BTreeSet<String> {
    let all = context.catalogs.values().flat_map(|catalog| catalog.operations());
    all.map(|operation| operation.id.as_str().to_owned()).collect()
}

/// Operations by name: each has to exist in some profile.
fn operations(
    c: &mut Compiler<'_>,
    known: &BTreeSet<String>,
    file: &Text,
    raw: &[Spanned<String>],
) -> Vec<OperationId> {
    for name in raw.iter().filter(|name| !known.contains(&name.value)) {
        c.unknown(file, name, "operation", &name.value, known.iter().map(String::as_str));
    }
    raw.iter().map(|name| OperationId::new(&name.value)).collect()
}
