//! The upstream accounts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri, header};
use secrecy::ExposeSecret;
use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::schema;
use super::super::secret::SecretRef;
use super::super::snapshot::{Credential, Upstream};
use super::Compiler;
use crate::names::UpstreamId;

/// Compiles them all.
pub(super) fn compile(
    c: &mut Compiler<'_>,
    file: &Text,
    raw: &BTreeMap<String, Spanned<schema::Upstream>>,
) -> BTreeMap<UpstreamId, Arc<Upstream>> {
    raw.iter()
        .filter_map(|(name, spanned)| {
            let upstream = one(c, file, name, spanned)?;
            Some((upstream.id.clone(), Arc::new(upstream)))
        })
        .collect()
}

fn one(
    c: &mut Compiler<'_>,
    file: &Text,
    name: &str,
    spanned: &Spanned<schema::Upstream>,
) -> Option<Upstream> {
    let raw = &spanned.value;
    let base = base(c, file, &raw.url)?;
    let mut headers = Vec::with_capacity(raw.headers.len());
    for (name, secret) in &raw.headers {
        let Ok(header) = HeaderName::try_from(name.as_str()) else {
            c.error(file, secret, format!("`{name}` is not a header name"));
            continue;
        };
        if let Some(value) = value(c, file, secret, &secret.value, "") {
            headers.push((header, value));
        }
    }
    let credential = match &raw.credential {
        None => None,
        Some(given) => Some(credential(c, file, spanned, given)?),
    };
    let ca = raw.ca.as_ref().map(|path| c.path(&path.value));
    if let (Some(path), Some(spanned)) = (&ca, &raw.ca)
        && let Err(error) = crate::tls::client(&crate::tls::Roots::system_and(Some(path)))
    {
        c.error(file, spanned, error.to_string());
    }
    let time = |given: Option<super::super::units::Span>, default| given.map_or(default, |s| s.0);
    Some(Upstream {
        id: UpstreamId::new(name),
        base,
        credential,
        headers,
        ca,
        third_party: raw.third_party,
        region: raw.region.clone(),
        output_rights: raw.output_rights.as_ref().and_then(|given| label(c, file, given)),
        shared_connections: raw.shared_connections,
        connect: time(raw.connect_timeout, Duration::from_secs(5)),
        head: time(raw.head_timeout, Duration::from_secs(600)),
        idle: time(raw.idle_timeout, Duration::from_secs(4)),
    })
}

/// A text that can stand in a header of an answer.
fn label(c: &mut Compiler<'_>, file: &Text, given: &Spanned<String>) -> Option<HeaderValue> {
    let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.trim().is_empty();
    let label = Some(given.value.as_str()).filter(|text| plain(text) && text.len() <= 256);
    let value = label.and_then(|text| HeaderValue::from_str(text).ok());
    if value.is_none() {
        c.error(file, given, "is a line of at most 256 ASCII characters");
    }
    value
}

/// A credential and the header that carries it.
pub(super) fn credential<T>(
    c: &mut Compiler<'_>,
    file: &Text,
    at: &Spanned<T>,
    raw: &schema::Credential,
) -> Option<Credential> {
    match raw {
        schema::Credential::Bearer(secret) => {
            let value = value(c, file, at, secret, "Bearer ")?;
            Some(Credential { header: header::AUTHORIZATION, value })
        }
        schema::Credential::Header(own) => {
            let Ok(header) = HeaderName::try_from(own.name.as_str()) else {
                c.error(file, at, format!("`{}` is not a header name", own.name));
                return None;
            };
            Some(Credential { header, value: value(c, file, at, &own.value, "")? })
        }
    }
}

/// Everything that leaves the machine is encrypted (W4): plain HTTP is for a neighbour on the loopback interface.
pub(super) fn base(c: &mut Compiler<'_>, file: &Text, url: &Spanned<String>) -> Option<Uri> {
    let Ok(uri) = url.value.parse::<Uri>() else {
        c.error(file, url, "is not a URL");
        return None;
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") if uri.query().is_none() && !host.is_empty() => Some(uri),
        Some("http") if loopback && uri.query().is_none() => Some(uri),
        Some("http") if !host.is_empty() => {
            c.error(file, url, "`http` is allowed for loopback addresses only").help =
                Some("use `https`, or run the gateway beside the API".to_owned());
            None
        }
        _ => {
            c.error(file, url, "the URL is `https://host[:port][/path]`");
            None
        }
    }
}

fn value<T>(
    c: &mut Compiler<'_>,
    file: &Text,
    at: &Spanned<T>,
    secret: &SecretRef,
    prefix: &str,
) -> Option<HeaderValue> {
    let text = match secret.read(c.base) {
        Ok(text) => text,
        Err(message) => {
            c.error(file, at, message);
            return None;
        }
    };
    match HeaderValue::try_from(format!("{prefix}{}", text.expose_secret())) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Some(value)
        }
        Err(_error) => {
            c.error(file, at, format!("the secret {secret} can't stand in a header"));
            None
        }
    }
}
