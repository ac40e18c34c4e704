//! Secrets stand in files or in the environment, never in the configuration itself.

use std::borrow::Cow;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

/// Where a secret stands: `file:PATH` (relative to the configuration's folder) or `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// The text of a file, without its last line break.
    File(String),
    /// An environment variable.
    Env(String),
}

impl SecretRef {
    /// Reads the secret.
    ///
    /// # Errors
    /// Says what could not be read, never what was.
    pub fn read(&self, base: &Path) -> Result<SecretString, String> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(base.join(path))
                .map_err(|error| format!("the secret file `{path}` can't be read: {error}"))?,
            Self::Env(name) => std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => format!("the environment variable `{name}` is not set"),
                // The error itself would show the value.
                std::env::VarError::NotUnicode(_) => format!("the environment variable `{name}` is not text"),
            })?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(format!("the secret {self} is empty"));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{path}"),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The text itself is not repeated: someone may have written the secret here.
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            _ => Err(serde::de::Error::custom(
                "a secret is given by reference, `file:PATH` or `env:NAME`, never written here",
            )),
        }
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret stands: `file:PATH` or `env:NAME`.",
            "type": "string",
            "pattern": "^(file|env):.+$"
        })
    }
}
