//! A whole gateway in this process: the stack of every request, the embedded store, the audit trail, and an account of
//! the sandbox behind it. Nothing of the gateway is left out but its sockets, and with [`Wire::Tls`] not even those.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consentry::audit::{self, Audit};
use consentry::body::spool::{SpoolBudget, Spools};
use consentry::config::{self, MasterKey, Mode};
use consentry::gateway::{Gateway, Live, Parts, stack};
use consentry::identity::{ApiKey, KeyHasher, Peer, Tagger};
use consentry::listener::{Connection, DeadlineBody, Door, Listener, Nobody, Protocol, Shutdown, TlsVersion};
use consentry::sandbox::{self, Account};
use consentry::store::{self, Sqlite};
use consentry::telemetry::{Build, Metrics, Names};
use consentry::tls::{self, HotServer};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::calls::Ask;

/// How many tenants the configuration has. When all have been used, the gateway begins anew with an empty store.
const TENANTS: usize = 96;
/// Longer than any answer takes.
const LONG: Duration = Duration::from_secs(60);
const ACCOUNT: &str = "sandbox-account-key";

/// How the callers reach the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Through memory: HTTP/1.1 over a pipe, into the service that the listener would have called.
    Memory,
    /// TLS over sockets, through the listener.
    Tls,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A tenant that nobody has used yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenant(usize);

type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;

/// A gateway, its account, and everything that it needs.
pub(crate) struct World {
    runtime: Runtime,
    tasks: TaskTracker,
    folder: TempDir,
    wire: Wire,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    keys: Vec<String>,
    account: Account,
    upstream: SocketAddr,
    /// A connection past the gateway.
    direct: RefCell<Option<Sender>>,
    running: RefCell<Option<Running>>,
    used: Cell<usize>,
}

/// A gateway with a store of its own.
struct Running {
    gateway: Gateway,
    shutdown: Shutdown,
    address: Option<SocketAddr>,
    client: Option<Arc<rustls::ClientConfig>>,
    open: Vec<Option<Sender>>,
    _state: TempDir,
}

impl World {
    /// With the profile as it is, or as a test has changed it.
    pub(crate) fn new(wire: Wire, profile: Option<&str>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = TaskTracker::new();
        let folder = place();
        let mut options =
            sandbox::Options::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), folder.path().join("unused"));
        options.step_by_poll = true;
        let account = Account::new(options);
        let port = runtime.block_on(upstream(&tasks, &account));
        let keys = configure(folder.path(), port, profile);
        let snapshot = config::load(folder.path(), Mode::Serve, 1).unwrap_or_else(|e| panic!("{e:?}"));
        let names = Names {
            tenants: snapshot.tenants.keys().cloned().collect(),
            routes: snapshot.routes.iter().map(|route| route.name.clone()).collect(),
            upstreams: snapshot.upstreams.keys().cloned().collect(),
            dry_runs: Vec::new(),
        };
        let metrics = Arc::new(Metrics::new(&Build::CURRENT, &names).unwrap());
        let live = Arc::new(Live::new(snapshot).unwrap_or_else(|e| panic!("{e:?}")));
        Self {
            runtime,
            tasks,
            folder,
            wire,
            live,
            metrics,
            keys,
            account,
            upstream: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            direct: RefCell::new(None),
            running: RefCell::new(None),
            used: Cell::new(TENANTS),
        }
    }

    /// Tenants that have nothing and never had.
    pub(crate) fn fresh<const N: usize>(&self) -> [Tenant; N] {
        if self.used.get() + N > TENANTS {
            self.begin();
        }
        let first = self.used.get();
        self.used.set(first + N);
        std::array::from_fn(|n| Tenant(first + n))
    }

    /// The account holds nothing any more.
    pub(crate) fn empty_account(&self) {
        self.account.forget();
    }

    /// Sends a request with the tenant's key, and reads the answer to its end.
    pub(crate) fn ask(&self, tenant: Tenant, ask: &Ask) -> Answer {
        let work = async { tokio::time::timeout(LONG, self.exchange(tenant, ask)).await.unwrap() };
        self.runtime.block_on(work)
    }

    /// Asks the account itself, past the gateway.
    pub(crate) fn ask_account(&self, ask: &Ask) -> Answer {
        let kept = self.direct.borrow_mut().take();
        self.runtime.block_on(async {
            let sender = match kept {
                Some(sender) => sender,
                None => self.speak(TcpStream::connect(self.upstream).await.unwrap()).await,
            };
            let (answer, sender) = send(sender, ask, ACCOUNT).await;
            *self.direct.borrow_mut() = Some(sender);
            answer
        })
    }

    async fn exchange(&self, tenant: Tenant, ask: &Ask) -> Answer {
        let kept = self.running.borrow_mut().as_mut().unwrap().open[tenant.0].take();
        let sender = match kept {
            Some(mut sender) => match sender.ready().await {
                Ok(()) => sender,
                // The gateway has closed it.
                Err(_) => self.connect().await,
            },
            None => self.connect().await,
        };
        let (answer, sender) = send(sender, ask, &self.keys[tenant.0]).await;
        self.running.borrow_mut().as_mut().unwrap().open[tenant.0] = Some(sender);
        answer
    }

    async fn connect(&self) -> Sender {
        let (gateway, over) = {
            let running = self.running.borrow();
            let running = running.as_ref().unwrap();
            (running.gateway.clone(), running.address.zip(running.client.clone()))
        };
        let Some((address, client)) = over else {
            let (near, far) = tokio::io::duplex(64 * 1024);
            self.tasks.spawn(serve(gateway, self.connection(), far));
            return self.speak(near).await;
        };
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let connector = tokio_rustls::TlsConnector::from(client);
        let tls = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        self.speak(tls).await
    }

    async fn speak(&self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.unwrap();
        self.tasks.spawn(connection);
        sender
    }

    fn connection(&self) -> Connection {
        let tagger = Tagger::derive(self.live.snapshot().master.prk()).unwrap();
        Connection {
            peer: Arc::new(Peer::from_chain(None)),
            tls: TlsVersion::Tls13,
            protocol: Protocol::Http1,
            client: tagger.address(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        }
    }

    /// A gateway with an empty store.
    fn begin(&self) {
        if let Some(before) = self.running.borrow_mut().take() {
            before.shutdown.begin();
        }
        let state = place();
        let at = |name: &str| state.path().join(name);
        let mut options = store::Options::serving(at("consentry.db"));
        options.readers = 1;
        let snapshot = self.live.snapshot();
        let trail = audit::Options::new(at("audit"), snapshot.master.audit_seal());
        fs::create_dir_all(at("spool")).unwrap();
        let budget = SpoolBudget::new(snapshot.state.spool_bytes);
        let _inside = self.runtime.enter();
        let parts = Parts {
            live: Arc::clone(&self.live),
            store: Arc::new(Sqlite::open(&options).unwrap()),
            audit: Arc::new(Audit::open(&trail).unwrap()),
            metrics: Arc::clone(&self.metrics),
            spool: Spools::new(budget, snapshot.limits.memory_bytes, at("spool")),
        };
        let gateway = Gateway::new(parts);
        let shutdown = Shutdown::new();
        gateway.start(&shutdown);
        let (address, client) = match self.wire {
            Wire::Memory => (None, None),
            Wire::Tls => {
                let (address, client) = self.listen(&gateway, &shutdown);
                (Some(address), Some(client))
            }
        };
        let open = std::iter::repeat_with(|| None).take(TENANTS).collect();
        let running = Running { gateway, shutdown, address, client, open, _state: state };
        *self.running.borrow_mut() = Some(running);
        self.used.set(0);
    }

    /// Through the listener, with a certificate that the client trusts.
    fn listen(&self, gateway: &Gateway, shutdown: &Shutdown) -> (SocketAddr, Arc<rustls::ClientConfig>) {
        let now = jiff::Timestamp::now();
        let made = tls::development(&self.folder.path().join("tls"), &[], now).unwrap();
        let server = tls::server(&made.chain, &made.key, None, now).unwrap();
        let snapshot = self.live.snapshot();
        let tagger = Tagger::derive(snapshot.master.prk()).unwrap();
        let bounds = snapshot.listeners.data.bounds.clone();
        let door = Door::new(Arc::new(HotServer::new(server)), bounds, tagger, Arc::new(Nobody));
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), door).unwrap();
        let address = listener.local_addr();
        let gateway = gateway.clone();
        let make = move |connection| TowerToHyperService::new(stack::service(gateway.clone(), connection));
        shutdown.spawn(listener.serve(make, shutdown.clone()));
        let mut client = tls::client(&tls::Roots::system_and(Some(&made.ca))).unwrap();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        (address, Arc::new(client))
    }
}

/// Sends a request, and reads the answer to its end.
async fn send(mut sender: Sender, ask: &Ask, key: &str) -> (Answer, Sender) {
    let mut request = http::Request::builder()
        .method(ask.method)
        .uri(&ask.target)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {key}"));
    if let Some(kind) = ask.kind {
        request = request.header("content-type", kind);
    }
    let request = request.body(Full::new(Bytes::from(ask.body.clone()))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        body.extend(frame.unwrap().into_data().unwrap_or_default());
    }
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    (Answer { status: head.status.as_u16(), headers, body }, sender)
}

/// In memory if the system has a folder for that.
fn place() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { TempDir::new_in(shared).unwrap() } else { TempDir::new().unwrap() }
}

/// Writes a configuration; gives the tenants' keys.
fn configure(folder: &Path, port: u16, profile: Option<&str>) -> Vec<String> {
    let write = |name: &str, text: &str| {
        let path: PathBuf = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let master = MasterKey::embedded(&folder.join("master.key"), true).unwrap();
    let hasher = KeyHasher::derive(master.prk()).unwrap();
    write("account.key", ACCOUNT);
    write(
        "consentry.yaml",
        &format!(
            "listeners:\n  data: {{address: \"127.0.0.1:0\", tls: {{development: {{}}}}}}\n  metrics: {{address: \"127.0.0.1:0\"}}\n\
             master_key: \"file:master.key\"\nupstreams:\n  account: {{url: \"http://127.0.0.1:{port}\", \
             credential: {{bearer: \"file:account.key\"}}, shared_connections: true}}\n\
             routes:\n  - {{name: account, path: /, upstream: account, api: openai}}\n"
        ),
    );
    if let Some(profile) = profile {
        write("apis/openai.yaml", profile);
    }
    let tenant = |n: usize| {
        let key = ApiKey::generate().unwrap();
        let hash = hasher.hash(ApiKey::parse(key.expose_secret()).unwrap()).to_string();
        let grant = |scope: &str, purpose: &str| {
            format!("    - {{purpose: {purpose}, scope: {scope}, evidence: a test}}\n")
        };
        let grants =
            [grant("tenant", "train"), grant("{dataset: \"*\"}", "train"), grant("tenant", "store")].concat();
        write(
            &format!("tenants/t{n}.yaml"),
            &format!(
                "tenant: t{n}\nkeys:\n  - {{id: main, hash: \"{hash}\", purposes: [inference, train, evaluate, store]}}\n\
                 consent:\n  grants:\n{grants}"
            ),
        );
        key.expose_secret().to_owned()
    };
    (0..TENANTS).map(tenant).collect()
}

/// The gateway behind one end of a pipe.
async fn serve(gateway: Gateway, connection: Connection, io: tokio::io::DuplexStream) {
    let service = stack::service(gateway, connection);
    let service = service_fn(move |request: http::Request<Incoming>| {
        service.clone().call(request.map(|body| DeadlineBody::new(body, LONG)))
    });
    // The caller goes when it has what it wants.
    let _ended = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
}

/// The account at a port of this machine.
async fn upstream(tasks: &TaskTracker, account: &Account) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (own, account) = (tasks.clone(), account.clone());
    tasks.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let account = account.clone();
            let service = service_fn(move |request| {
                let account = account.clone();
                async move { Ok::<_, Infallible>(account.answer(request).await) }
            });
            own.spawn(async move {
                let served = hyper::server::conn::http1::Builder::new();
                let _ended = served.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    port
}
