use std::fs;

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::audit::{self, Audit};
use crate::body::Outgoing;
use crate::body::spool::{SpoolBudget, Spools};
use crate::config::{self, Mode};
use crate::gateway::{Live, Parts, Place};
use crate::listener::{DeadlineBody, Held};
use crate::reason::Reason;
use crate::store::{Options, Sqlite};
use crate::telemetry::{Build, Listener, Metrics, Names};

const MAIN: &str = "\
listeners:
  data: {address: '127.0.0.1:0', tls: {development: {}}}
  metrics: {address: '127.0.0.1:0'}
upstreams: {only: {url: 'http://localhost:1'}}
routes: [{name: only, upstream: only, api: openai}]
";

fn gateway(folder: &TempDir) -> (Gateway, Arc<Metrics>) {
    fs::create_dir(folder.path().join("tenants")).unwrap();
    fs::write(folder.path().join("consentry.yaml"), MAIN).unwrap();
    let snapshot = config::load(folder.path(), Mode::Serve, 1).unwrap();
    let state = &snapshot.state;
    let store = Sqlite::open(&Options::serving(&state.store)).unwrap();
    let seal = snapshot.master.hmac("audit seal v1", None);
    let audit = Arc::new(Audit::open(&audit::Options::new(&state.audit, seal)).unwrap());
    let spool = Spools::new(SpoolBudget::new(1 << 20), 1 << 10, state.spool.clone());
    let names = Names::default();
    let metrics = Arc::new(Metrics::new(&Build::CURRENT, &names).unwrap());
    let live = Arc::new(Live::new(snapshot).unwrap());
    let parts = Parts { live, store: Arc::new(store), audit, metrics: Arc::clone(&metrics), spool };
    (Gateway::new(parts), metrics)
}

/// A mistake of ours in one request is answered, recorded and counted, and the connection goes on.
#[tokio::test]
async fn a_panic_is_that_requests_failure_alone() {
    let folder = TempDir::new().unwrap();
    let (gateway, metrics) = gateway(&folder);
    let counting = Arc::clone(&metrics);
    let inner = tower::service_fn(move |request: Request<RequestBody>| {
        let place = Place { _permits: None, _counted: counting.in_flight(Listener::Data) };
        async move {
            assert!(request.uri().path() != "/mistake", "a mistake");
            Ok::<_, Infallible>(Response::new(Held::new(Outgoing::Empty, place)))
        }
    });
    let contained = Contain(gateway).layer(inner);
    let deadline = std::time::Duration::from_secs(10);
    let service = tower::ServiceBuilder::new()
        .map_request(move |request: Request<hyper::body::Incoming>| {
            request.map(|body| DeadlineBody::new(body, deadline))
        })
        .service(contained);
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(server), TowerToHyperService::new(service));
    let asking = async move {
        let get = |path| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        client.write_all((get("/mistake") + &get("/fine")).as_bytes()).await.unwrap();
        client.write_all(b"GET /mistake HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.unwrap();
        answers
    };
    let (served, answers) = tokio::join!(serving, asking);
    served.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 500").count(), 2, "{answers}");
    assert_eq!(answers.matches("\"code\":\"internal\"").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
    assert!(!answers.contains("a mistake"), "{answers}");
    let text = metrics.encode().unwrap();
    let counted = format!("reason=\"{}\",tenant=\"_unknown\"}} 2", Reason::Internal.code());
    assert!(text.contains(&counted), "{text}");
    let trail = fs::read_to_string(folder.path().join("data/audit/audit-000001.jsonl")).unwrap();
    assert_eq!(trail.matches("\"reason\":\"internal\"").count(), 2, "{trail}");
}

#[tokio::test]
async fn a_panic_in_a_body_is_its_refusal() {
    let panics = async {
        tokio::task::yield_now().await;
        let text = String::from("\u{e9}");
        Ok(text[1..].len())
    };
    assert_eq!(contained(panics).await.unwrap_err().reason, Reason::Internal);
    assert_eq!(contained(async { Ok(3) }).await.unwrap(), 3);
    let refused = contained(async { Err::<(), _>(Refusal::new(Reason::ClientGone)) }).await;
    assert_eq!(refused.unwrap_err().reason, Reason::ClientGone);
}
