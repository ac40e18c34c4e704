//! Addresses with credentials: `scheme://user:password@host/…`.
//!
//! The whole address is the finding: host and database beside a password are half of the break-in. Passwords are
//! often written raw, with `/`, `:` and `@` in them, so for stores the last `@` that a host can follow decides.

use super::Shape;
use crate::censor::confirm::View;
use crate::censor::validate::is_placeholder;

/// Longest scheme with its drivers, in bytes: `postgresql+psycopg2`.
pub(in crate::censor) const SCHEME_MAX: usize = 37;
/// Longest address behind the scheme, in bytes.
pub(in crate::censor) const REST_MAX: usize = 640;

/// Which schemes are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::censor) enum Kind {
    /// Databases, queues, directories.
    Database,
    /// MongoDB, which has an id of its own.
    Mongodb,
    /// The web and its relatives.
    Web,
}

const DATABASES: &[&str] = &[
    "postgres",
    "postgresql",
    "pgsql",
    "postgis",
    "mysql",
    "mysqlx",
    "mysql2",
    "mysqls",
    "postgresqls",
    "cockroach",
    "greenplum",
    "mongo+srv",
    "amqp091",
    "memgraph",
    "dragonfly",
    "sqlanywhere",
    "tarantool",
    "aerospike",
    "voltdb",
    "immudb",
    "mariadb",
    "redis",
    "rediss",
    "valkey",
    "keydb",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "oracle",
    "cockroachdb",
    "clickhouse",
    "cassandra",
    "scylla",
    "neo4j",
    "bolt",
    "couchbase",
    "couchbases",
    "couchdb",
    "kafka",
    "nats",
    "mqtt",
    "mqtts",
    "ldap",
    "ldaps",
    "snowflake",
    "redshift",
    "trino",
    "presto",
    "influxdb",
    "memcached",
    "db2",
    "ibm_db_sa",
    "firebird",
    "sybase",
    "vertica",
    "teradata",
    "hive",
    "impala",
    "druid",
    "milvus",
    "sqlite",
    "rabbitmq",
    "stomp",
    "elasticsearch",
    "opensearch",
    "singlestoredb",
    "tidb",
    "yugabytedb",
    "timescaledb",
    "questdb",
    "arangodb",
    "rethinkdb",
    "surrealdb",
    "libsql",
    "hana",
    "crate",
    "databricks",
    "bigquery",
    "awsathena",
    "duckdb",
    "pulsar",
    "activemq",
    "nsq",
    "etcd",
    "consul",
    "zookeeper",
    "weaviate",
    "qdrant",
    "jdbc",
    "odbc",
    "db",
    "sql",
    "typedb",
    "dremio",
    "exasol",
    "monetdb",
    "pymssql",
];

const WEB: &[&str] = &[
    "http",
    "https",
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "git",
    "svn",
    "ws",
    "wss",
    "smtp",
    "smtps",
    "submission",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "rtsp",
    "rtsps",
    "rtmp",
    "rtmps",
    "s3",
    "s3a",
    "minio",
    "smb",
    "cifs",
    "nfs",
    "afp",
    "socks",
    "socks4",
    "socks5",
    "socks5h",
    "proxy",
    "telnet",
    "vnc",
    "rdp",
    "sip",
    "sips",
    "xmpp",
    "irc",
    "ircs",
    "dav",
    "davs",
    "webdav",
    "webdavs",
    "rsync",
    "scp",
    "turn",
    "turns",
    "stun",
    "tcp",
    "tls",
    "ssl",
    "udp",
    "docker",
    "oci",
    "registry",
    "vless",
    "trojan",
    "ss",
    "vmess",
    "nexus",
    "gs",
    "wasb",
    "abfs",
    "hdfs",
];

/// Looks at a `://`.
pub(super) fn look(view: &View<'_>, at: usize, kind: Kind) -> Shape {
    let text = view.text;
    let low = at.saturating_sub(SCHEME_MAX);
    let before = text.get(low..at).unwrap_or(&[]);
    let run = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_' | b'.'))
        .count();
    let mut scheme = before.get(before.len() - run..).unwrap_or(&[]);
    // An escape before it, as in JSON inside a string: `\npostgres://`.
    if before.len() > run && before.get(before.len() - run - 1) == Some(&b'\\') && !known(scheme, kind) {
        scheme = scheme.get(1..).unwrap_or(&[]);
    }
    if !known(scheme, kind) {
        return Shape::No;
    }
    let mut start = at - scheme.len();
    if text.get(start.saturating_sub(5)..start).is_some_and(|head| head.eq_ignore_ascii_case(b"jdbc:")) {
        start -= 5;
    }
    let rest = text.get(at + 3..).unwrap_or(&[]);
    let len = rest.iter().take(REST_MAX).take_while(|byte| in_address(**byte)).count();
    if len == rest.len() && len < REST_MAX && !view.complete {
        return Shape::Undecided { from: start };
    }
    let address = rest.get(..len).unwrap_or(&[]);
    match credentials(address, kind) {
        Some((user, password, host)) if holds(user, password, host) => {
            Shape::whole(start, at + 3 + end_of(address))
        }
        _ => Shape::No,
    }
}

/// `postgresql+psycopg2` is `postgresql`, `git+ssh` is `ssh`.
fn known(scheme: &[u8], kind: Kind) -> bool {
    let mut parts = scheme.split(|byte| *byte == b'+').filter(|part| !part.is_empty());
    let is = |part: &[u8], list: &[&str]| list.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(part));
    match kind {
        Kind::Mongodb => parts.next().is_some_and(|part| is(part, &["mongodb", "mongo"])),
        Kind::Database => parts.next().is_some_and(|part| is(part, DATABASES)),
        Kind::Web => {
            !known(scheme, Kind::Database) && !known(scheme, Kind::Mongodb) && parts.any(|part| is(part, WEB))
        }
    }
}

fn in_address(byte: u8) -> bool {
    byte > b' ' && byte < 0x7F && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'|')
}

/// User, password and what follows the `@`.
fn credentials(address: &[u8], kind: Kind) -> Option<(&[u8], &[u8], &[u8])> {
    let slash = address.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(address.len());
    let colon = address.iter().position(|byte| *byte == b':')?;
    let authority = address.get(..slash)?;
    let at = match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) => at,
        // The password holds a `/` or `#`: then what stands between the colon and it is no port.
        None if kind != Kind::Web && colon < slash => {
            let port = address.get(colon + 1..slash)?;
            if !port.is_empty() && port.iter().all(u8::is_ascii_digit) {
                return None;
            }
            address.iter().rposition(|byte| *byte == b'@')?
        }
        None => return None,
    };
    if colon >= at {
        return None;
    }
    Some((address.get(..colon)?, address.get(colon + 1..at)?, address.get(at + 1..)?))
}

fn holds(user: &[u8], password: &[u8], host: &[u8]) -> bool {
    const LOCAL: &[&str] = &[
        "localhost",
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "host",
        "hostname",
        "db",
        "database",
        "postgres",
        "mysql",
        "redis",
        "rabbitmq",
        "example",
        "server",
    ];
    let name = host.split(|byte| matches!(byte, b':' | b'/' | b'?' | b',')).next().unwrap_or(&[]);
    let local = LOCAL.iter().any(|local| local.as_bytes().eq_ignore_ascii_case(name))
        || name.starts_with(b"example.");
    let host_holds =
        host.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b'_'));
    let template = |part: &[u8]| {
        part.first().is_some_and(|byte| matches!(byte, b'$' | b'{' | b'<' | b'[' | b'%' | b'('))
            && is_placeholder(part)
    };
    let weak = local && (user.eq_ignore_ascii_case(password) || password.len() < 4);
    !password.is_empty()
        && host_holds
        && !weak
        && !is_placeholder(password)
        && !template(user)
        && password.len() > 2
}

/// Without the punctuation of the sentence around it.
fn end_of(address: &[u8]) -> usize {
    let mut len = address.len();
    while let Some(last) = len.checked_sub(1).and_then(|index| address.get(index)) {
        let open = |byte: u8| address.get(..len).is_some_and(|rest| rest.contains(&byte));
        let closes = match last {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'*' => true,
            b')' => !open(b'('),
            b']' => !open(b'['),
            b'}' => !open(b'{'),
            _ => false,
        };
        if !closes {
            break;
        }
        len -= 1;
    }
    len
}
