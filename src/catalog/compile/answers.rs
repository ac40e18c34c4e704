//! Headers and errors.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};

use super::Compiler;
use crate::catalog::HeaderRules;
use crate::catalog::errors::ErrorShape;
use crate::catalog::headers::{Names, RequestRules, ResponseRules};
use crate::catalog::profile::{Entries, Others, Text};

impl Compiler<'_> {
    /// The query of the gateway's own calls.
    pub(super) fn own_query(&mut self) -> Option<Arc<str>> {
        let text = self.profile.own_query.as_ref()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~=&%".contains(&byte);
        if text.value.is_empty() || !text.value.bytes().all(plain) {
            self.error(text.referenced, "no query: names and values, as they stand in a URL").help =
                Some("write it like `api-version=2024-10-21`".to_owned());
            return None;
        }
        Some(Arc::from(text.value.as_str()))
    }

    pub(super) fn compile_headers(&mut self) -> Option<HeaderRules> {
        let raw = &self.profile.headers;
        let request = RequestRules {
            pass: self.names(&raw.request.pass),
            drop: self.names(&raw.request.drop),
            salt: self.names(&raw.request.salt),
            refuse: self.names(&raw.request.refuse),
            set: self.values(&raw.request.set),
            others_pass: raw.request.others == Others::Pass,
        };
        let response = ResponseRules {
            pass: self.names(&raw.response.pass),
            drop: self.names(&raw.response.drop),
            pin: self.values(&raw.response.pin),
            others_pass: raw.response.others == Others::Pass,
        };
        Some(HeaderRules::new(request, response))
    }

    fn names(&mut self, texts: &[Text]) -> Names {
        let mut names = Names::default();
        for text in texts {
            match text.value.strip_suffix('*') {
                Some(start) if !start.is_empty() && self.header_name(text, start).is_some() => {
                    names.starts.push(Box::from(start));
                }
                Some("") => {
                    self.error(text.referenced, "`*` alone names no header; say so with `others`");
                }
                Some(_) => {}
                None => names.exact.extend(self.header_name(text, &text.value)),
            }
        }
        names
    }

    /// Names are written in lower case, so that the file can be searched.
    pub(super) fn header_name(&mut self, text: &Text, name: &str) -> Option<HeaderName> {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(parsed) if parsed.as_str() == name => Some(parsed),
            Ok(parsed) => {
                self.error(text.referenced, "header names are written in lower case").help =
                    Some(format!("write `{parsed}`"));
                None
            }
            Err(_) => {
                self.error(text.referenced, format!("`{name}` is no header's name"));
                None
            }
        }
    }

    fn values(&mut self, entries: &Entries<String>) -> Vec<(HeaderName, HeaderValue)> {
        let mut values = Vec::new();
        for (name, value) in &entries.0 {
            let parsed = self.header_name(name, &name.value);
            match HeaderValue::from_str(value) {
                Ok(value) => values.extend(parsed.map(|name| (name, value))),
                Err(_) => {
                    self.error(
                        name.referenced,
                        format!("the value of `{}` can't stand in a header", name.value),
                    );
                }
            }
        }
        values
    }

    pub(super) fn compile_errors(&mut self) -> Option<ErrorShape> {
        let raw = &self.profile.errors;
        let mut types = Vec::new();
        let mut default_type = None;
        for (name, kind) in &raw.types.0 {
            match name.value.as_str() {
                "default" => default_type = Some(kind.clone()),
                status => match status.parse::<StatusCode>() {
                    Ok(status) => types.push((status, kind.clone())),
                    Err(_) => {
                        self.error(
                            name.referenced,
                            format!("`{status}` is neither an HTTP status nor `default`"),
                        );
                    }
                },
            }
        }
        if default_type.is_none() {
            self.error(raw.request_id.referenced, "`errors.types` names no `default`");
        }
        let content_type = HeaderValue::from_str(&raw.content_type.value).ok();
        if content_type.is_none() {
            self.error(raw.content_type.referenced, "the media type can't stand in a header");
        }
        for (shape, what) in [(&raw.body, "body"), (&raw.event, "event")] {
            if !shape.value.to_string().contains("\"$message\"") {
                self.error(shape.referenced, format!("`errors.{what}` has no place for `$message`"));
            }
        }
        let request_id = self.header_name(&raw.request_id, &raw.request_id.value);
        let no_retry = self.values(&raw.no_retry);
        Some(ErrorShape {
            content_type: content_type?,
            body: raw.body.value.clone(),
            event: raw.event.value.clone(),
            event_name: raw.event_name.clone(),
            types,
            default_type: default_type?,
            own_words: raw.own_words.clone(),
            request_id: request_id?,
            no_retry,
        })
    }
}
