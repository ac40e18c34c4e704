//! The sandbox API as a process, and what it saw.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::Value;
use tempfile::TempDir;

use super::gateway::ACCOUNT;
use super::process::Process;
use super::{Answer, Ask, Conn, tls};

/// The sandbox. Its account is shared by everybody who has the key.
pub(crate) struct Sandbox {
    _process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) ca: PathBuf,
    client: Arc<ClientConfig>,
}

impl Sandbox {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap().keep();
        let tls = folder.join("tls");
        let arguments = ["sandbox", "--journal", "--step-by-poll", "--tls-dir", tls.to_str().unwrap()];
        let process = Process::tied(&arguments, &[], &folder);
        let line = process.line(" ");
        let (address, ca) = line.split_once(' ').unwrap();
        let client = tls::trusting(ca.as_ref(), "http/1.1");
        Self { address: address.parse().unwrap(), ca: ca.into(), client, _process: process }
    }

    /// Asks it directly, past the gateway, with the account's key.
    pub(crate) fn ask(&self, ask: &Ask) -> Answer {
        let mut conn = Conn::open(self.address, Arc::clone(&self.client));
        conn.write(&ask.clone().header("authorization", &format!("Bearer {ACCOUNT}")).bytes());
        conn.answer()
    }

    /// The journal's entries that hold a text anywhere.
    pub(crate) fn journal(&self, text: &str) -> Vec<Value> {
        let all = self.ask(&Ask::get("/__sandbox/journal?limit=100000")).value();
        let entries = all["entries"].as_array().unwrap().iter();
        entries.filter(|entry| entry.to_string().contains(text)).cloned().collect()
    }
}
