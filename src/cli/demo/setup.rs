//! The demo's configuration: written as files, and loaded like any other.

use std::path::Path;

use super::{Arguments, Failure, Keys, Sandbox, key};
use crate::config::MasterKey;

/// Writes it, and returns the tenants' keys.
pub(super) fn write(directory: &Path, sandbox: &Sandbox, arguments: &Arguments) -> Result<Keys, Failure> {
    let config = directory.join("config");
    let failed = |error: String| Failure::Start(format!("the demo's configuration: {error}"));
    let file = |name: &str, text: &str| -> Result<(), Failure> {
        let path = config.join(name);
        let made =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        made.map_err(|error| failed(format!("{}: {error}", path.display())))
    };
    let master = MasterKey::embedded(&config.join("data/master.key"), true).map_err(failed)?;
    let port = sandbox.address.rsplit(':').next().unwrap_or_default();
    let main = format!(
        "\
# The gateway of the demo.
listeners:
  data:
    address: 127.0.0.1:{gateway}
    tls:
      development: {{}}
  metrics:
    address: 127.0.0.1:0

upstreams:
  sandbox:
    url: https://localhost:{port}
    ca: {ca}
    credential:
      bearer: file:account.key

routes:
  - name: openai
    path: /
    upstream: sandbox
    api: openai
",
        gateway = arguments.port,
        ca = sandbox.ca.display(),
    );
    file("consentry.yaml", &main)?;
    file("account.key", "sandbox-account-key\n")?;
    let (acme, acme_hash) = key(&master)?;
    let (globex, globex_hash) = key(&master)?;
    file(
        "tenants/acme.yaml",
        &format!(
            "\
tenant: acme
keys:
  - id: main
    hash: \"{acme_hash}\"
    purposes: [inference, train]
consent:
  grants:
    - purpose: train
      scope: tenant
      evidence: contract 2026-07
    - purpose: train
      scope: {{ dataset: support }}
      evidence: contract 2026-07, annex B
censor:
  request:
    EMAIL_ADDRESS: pseudonym
    PHONE_NUMBER: pseudonym
"
        ),
    )?;
    file(
        "tenants/globex.yaml",
        &format!(
            "\
tenant: globex
keys:
  - id: main
    hash: \"{globex_hash}\"
    purposes: [inference, train]
"
        ),
    )?;
    Ok(Keys { acme, globex })
}
