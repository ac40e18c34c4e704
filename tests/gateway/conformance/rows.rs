//! Faults in the store: rows that say something else than what was decided. A trigger writes them, as a careless hand or
//! migration would.

use rusqlite::Connection;

use super::{Rig, Said, conformance};

/// Walks some operations of a deployment in whose store this happens to each new file or vector store of A's.
fn planted(kind: &str, then: &str, operations: &[&str]) -> Said {
    let gateway = Rig::new().start();
    let store = Connection::open(gateway.setup.config().join("data/consentry.db")).unwrap();
    store.busy_timeout(super::super::kit::LONG).unwrap();
    let trigger = format!(
        "CREATE TRIGGER planted AFTER INSERT ON resource
         WHEN NEW.kind = (SELECT n FROM name WHERE text = '{kind}')
         AND NEW.tenant = (SELECT n FROM name WHERE text = 'acme') BEGIN {then}; END"
    );
    store.execute_batch(&trigger).unwrap();
    let mut more = vec!["--wait", "3"];
    more.extend(operations.iter().flat_map(|id| ["--operation", id]));
    let said = conformance(&gateway, gateway.data.port(), &more);
    let rows = "SELECT count(*) FROM resources WHERE kind = ?1";
    let made: i64 = store.query_row(rows, [kind], |row| row.get(0)).unwrap();
    assert!(made > 1, "no {kind} was made: {}", said.text);
    said
}

fn shared(access: &str) -> String {
    format!(
        "INSERT INTO share (resource, tenant, access, since, until, recorded_by)
         VALUES (NEW.seq, NULL, '{access}', 0, NULL, 'nobody')"
    )
}

#[test]
fn a_file_that_nobody_made_public() {
    let said = planted("file", &shared("read"), &["retrieveFile"]);
    said.found("place", "retrieveFile");
    said.found("apart", "listFiles");
}

#[test]
fn a_file_that_nobody_lent() {
    planted("file", &shared("use"), &["createVectorStore"]).found("place", "createVectorStore");
}
