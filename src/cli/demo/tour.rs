//! The tour: one stop for each kind of decision. Every stop says what was sent, what went upstream, what came back and why,
//! and checks that it was so.

use std::path::PathBuf;

use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::output::say;
use super::Keys;
use super::client::{Answer, Client};

mod stops;

/// Where everything is.
pub(super) struct Places {
    pub(super) gateway: String,
    pub(super) metrics: String,
    pub(super) sandbox: String,
    pub(super) ca: PathBuf,
    pub(super) sandbox_ca: PathBuf,
    pub(super) audit: PathBuf,
    /// What the head of the audit trail is sealed with.
    pub(super) seal: aws_lc_rs::hmac::Key,
}

/// Somebody on the tour.
struct Guide<'a> {
    places: &'a Places,
    gateway: Client,
    sandbox: Client,
    acme: &'a str,
    globex: &'a str,
    number: usize,
    broken: usize,
}

/// One stop.
struct Stop<'a> {
    title: &'a str,
    sent: String,
    /// What the sandbox saw, or that it saw nothing.
    upstream: String,
    back: String,
    why: &'a str,
    kept: bool,
}

/// Walks the tour. False: something was not as promised.
pub(super) async fn walk(places: &Places, keys: &Keys) -> Result<bool, String> {
    let mut guide = Guide {
        places,
        gateway: Client::trusting(&places.ca)?,
        sandbox: Client::trusting(&places.sandbox_ca)?,
        acme: keys.acme.expose_secret(),
        globex: keys.globex.expose_secret(),
        number: 0,
        broken: 0,
    };
    stops::all(&mut guide).await?;
    let (number, broken) = (guide.number, guide.broken);
    say(format_args!("{number} decisions shown, {} as promised, {broken} not", number - broken));
    Ok(broken == 0)
}

impl Guide<'_> {
    fn show(&mut self, stop: &Stop<'_>) {
        self.number += 1;
        let mark = if stop.kept { "ok" } else { "NOT AS PROMISED" };
        self.broken += usize::from(!stop.kept);
        let Stop { title, sent, upstream, back, why, .. } = stop;
        say(format_args!(
            "{:>2}. {title}  [{mark}]\n      sent      {sent}\n      upstream  {upstream}\n      back      {back}\n      why       {why}\n",
            self.number
        ));
    }

    async fn json(&self, key: &str, method: Method, path: &str, body: &Value) -> Result<Answer, String> {
        self.with(key, method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    async fn get(&self, key: &str, path: &str) -> Result<Answer, String> {
        self.with(key, Method::GET, path, &[], String::new()).await
    }

    async fn with(
        &self,
        key: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        let bearer = format!("Bearer {key}");
        let mut all = headers.to_vec();
        if !key.is_empty() {
            all.push(("authorization", &bearer));
        }
        self.gateway.send(method, &format!("{}{path}", self.places.gateway), &all, body).await
    }

    /// How many requests the sandbox has seen.
    async fn seen(&self) -> Result<u64, String> {
        let journal = self.journal().await?;
        Ok(journal.last().and_then(|e| e["number"].as_u64()).map_or(0, |newest| newest + 1))
    }

    /// A file as the sandbox keeps it.
    async fn kept(&self, file: &str) -> Result<String, String> {
        let url = format!("{}/__sandbox/files/{file}", self.places.sandbox);
        Ok(self.sandbox.send(Method::GET, &url, &[], "").await?.body)
    }

    async fn journal(&self) -> Result<Vec<Value>, String> {
        let url = format!("{}/__sandbox/journal", self.places.sandbox);
        let answer = self.sandbox.send(Method::GET, &url, &[], "").await?;
        let value: Value = serde_json::from_str(&answer.body).map_err(|e| e.to_string())?;
        Ok(value["entries"].as_array().cloned().unwrap_or_default())
    }

    /// What the sandbox saw since then.
    async fn since(&self, seq: u64) -> Result<Vec<Value>, String> {
        let journal = self.journal().await?;
        Ok(journal.into_iter().filter(|e| e["number"].as_u64().is_some_and(|s| s >= seq)).collect())
    }
}

/// A file of a data set, as a form.
fn form(purpose: &str, name: &str, lines: &str) -> (String, String) {
    let boundary = "consentry-demo-boundary";
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/jsonl\r\n\r\n{lines}\r\n--{boundary}--\r\n"
    );
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 150 {
        format!("{}…", line.chars().take(150).collect::<String>())
    } else {
        line
    }
}

/// A key that nobody gave out, put together here so that no scanner takes this file for a leak.
fn fake_secret() -> String {
    ["AK", "IA", "Q3EGSTWVX", "7JRM2KA"].concat()
}

fn chat(content: &str) -> Value {
    json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": content }] })
}
