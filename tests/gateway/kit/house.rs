//! The gateway that most tests share: many tenants, a sandbox, and lanes, each with an upstream of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::gateway::{GRANTED, NOTHING, PURPOSES};
use super::sandbox::Sandbox;
use super::tls::{Leaf, Valid};
use super::upstream::{Arrived, Step, Upstream};
use super::{Caller, Gateway, Setup, Tenant};

/// Where the sandbox speaks Anthropic's API.
const ANTHROPIC: &str = "/anthropic";
const LANES: usize = 128;
// Together below the number of tenants that have a label of their own in the metrics (500).
const GRANTED_ONES: usize = 256;
const OTHERS: usize = 100;

const STORE: &str = "  grants:
    - {purpose: store, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: {dataset: \"*\"}, evidence: a test}
";
const KEEPING: &str = "opaque: [createTranscription]\n";

/// The shared gateway.
pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) sandbox: Sandbox,
    /// Shows that upstreams are who they say.
    leaf: Leaf,
    lanes: Mutex<Vec<Free>>,
    granted: Pool,
    keeping: Pool,
    nobody: Pool,
    /// Its key has expired.
    pub(crate) expired: Tenant,
    /// Its key is for inference only, whatever was granted.
    pub(crate) asking: Tenant,
    /// What asks to be stored is refused.
    pub(crate) refusing: Tenant,
    /// One request at a time.
    pub(crate) single: Tenant,
    /// Mail addresses don't pass.
    pub(crate) blocking: Tenant,
}

struct Free {
    prefix: String,
    listener: TcpListener,
}

struct Pool(Vec<Tenant>, AtomicUsize);

impl Pool {
    fn new(setup: &Setup, (many, name): (usize, &str), purposes: &str, rights: &str) -> Self {
        let tenant = |n| setup.tenant_for(&format!("{name}{n}"), purposes, rights);
        Self((0..many).map(tenant).collect(), AtomicUsize::new(0))
    }

    fn next(&self) -> &Tenant {
        self.0
            .get(self.1.fetch_add(1, Ordering::Relaxed))
            .unwrap_or_else(|| panic!("more tests than tenants"))
    }
}

/// A scripted upstream of one test, behind the shared gateway.
pub(crate) struct Lane {
    prefix: String,
    pub(crate) upstream: Upstream,
}

impl Lane {
    pub(crate) fn as_<'a>(&'a self, tenant: &'a Tenant) -> Caller<'a> {
        Caller { gateway: &house().gateway, tenant, prefix: &self.prefix }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl House {
    fn start() -> Self {
        let mut setup = Setup::new();
        let sandbox = Sandbox::start();
        let ca: PathBuf = sandbox.ca.clone();
        let at = |name| (name, sandbox.address.port(), ca.to_str().unwrap());
        setup.upstream_of("openai", at("sandbox"), "/", "");
        setup.upstream_of("anthropic", at("anthropic"), ANTHROPIC, "");
        let mut lanes = Vec::new();
        for n in 0..LANES {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let prefix = format!("/lane{n}");
            setup.upstream(&format!("lane{n}"), port, "ca.pem", &prefix);
            lanes.push(Free { prefix, listener });
        }
        // Small, so that a body without end is at its end soon.
        setup.more = "limits: {call_body: 4MiB, record: 1MiB}\n".to_owned();
        let granted = Pool::new(&setup, (GRANTED_ONES, "granted"), PURPOSES, GRANTED);
        let keeping = Pool::new(
            &setup,
            (OTHERS, "keeping"),
            "[inference, train, evaluate, store]",
            &format!("{}{KEEPING}", GRANTED.replace("  grants:\n", STORE)),
        );
        let nobody = Pool::new(&setup, (OTHERS, "nobody"), PURPOSES, NOTHING);
        let expired = setup.tenant("expired", NOTHING);
        let file = setup.config().join("tenants/expired.yaml");
        let text = std::fs::read_to_string(&file)
            .unwrap()
            .replace("id: main", "id: main, expires: 2020-01-01T00:00:00Z");
        std::fs::write(file, text).unwrap();
        let asking = setup.tenant_for("asking", "[inference]", GRANTED);
        let refusing = setup.tenant("refusing", "consent: {store_without_grant: refuse}\n");
        let single = setup.tenant("single", "limits: {concurrency: 1}\n");
        let block = "censor: {request: {EMAIL_ADDRESS: block}, response: {EMAIL_ADDRESS: block}}\n";
        let blocking = setup.tenant("blocking", block);
        setup.tenant("certified", "certificates: [{id: leaf, san: \"spiffe://test/certified\"}]\n");
        // Nobody listens at the port of the multiplexer that nobody has run for decades.
        setup.upstream("dead", 1, "ca.pem", "/dead");
        let leaf = setup.authority.leaf(&["localhost"], Valid::Now);
        Self {
            sandbox,
            leaf,
            lanes: Mutex::new(lanes),
            granted,
            keeping,
            nobody,
            expired,
            asking,
            refusing,
            single,
            blocking,
            gateway: setup.start_tied(),
        }
    }

    /// A tenant that no other test has, and that granted training.
    pub(crate) fn granted(&self) -> &Tenant {
        self.granted.next()
    }

    /// The same, and evaluation; the upstream may store, and sound passes as it is.
    pub(crate) fn keeping(&self) -> &Tenant {
        self.keeping.next()
    }

    /// A tenant that no other test has, and that granted nothing.
    pub(crate) fn nobody(&self) -> &Tenant {
        self.nobody.next()
    }

    /// A tenant before the sandbox.
    pub(crate) fn as_<'a>(&'a self, tenant: &'a Tenant) -> Caller<'a> {
        self.gateway.as_(tenant)
    }

    /// A tenant before the sandbox that speaks Anthropic's API.
    pub(crate) fn anthropic<'a>(&'a self, tenant: &'a Tenant) -> Caller<'a> {
        Caller { gateway: &self.gateway, tenant, prefix: ANTHROPIC }
    }

    /// An upstream that answers as the script says.
    pub(crate) fn lane(&self, script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static) -> Lane {
        let free = self.free();
        Lane { upstream: Upstream::start(free.listener, self.leaf.server(), script), prefix: free.prefix }
    }

    /// An upstream that shows another certificate.
    pub(crate) fn lane_with(&self, leaf: &Leaf) -> Lane {
        let free = self.free();
        let script = super::upstream::plain;
        Lane { upstream: Upstream::start(free.listener, leaf.server(), script), prefix: free.prefix }
    }

    fn free(&self) -> Free {
        self.lanes.lock().unwrap().pop().unwrap_or_else(|| panic!("more tests than lanes"))
    }
}

/// The shared gateway.
pub(crate) fn house() -> &'static House {
    static HOUSE: OnceLock<Arc<House>> = OnceLock::new();
    HOUSE.get_or_init(|| Arc::new(House::start()))
}
