//! The sandbox over real TLS connections, and its parts alone.

mod hostile;
mod life;
mod parts;
mod shapes;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{Bound, Options, run};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A sandbox that runs until this is dropped, and a client of it.
pub(super) struct Running {
    pub(super) bound: Bound,
    client: Client<HttpsConnector<HttpConnector>, Body>,
    _stop: oneshot::Sender<()>,
    _task: JoinSet<()>,
    _folder: TempDir,
}

/// An answer, read to its end or to where it broke off.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) broke_off: bool,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

pub(super) async fn start(change: impl FnOnce(&mut Options)) -> Running {
    let folder = TempDir::new().unwrap();
    let mut options = Options::new(([127, 0, 0, 1], 0).into(), folder.path());
    options.journal = true;
    options.step_by_poll = true;
    change(&mut options);
    let (ready, bound) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut task = JoinSet::new();
    task.spawn(async move {
        run(options, ready, async { drop(stopped.await) }).await.unwrap();
    });
    let bound = bound.await.unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&bound.ca).unwrap()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_all_versions();
    let connector = connector.wrap_connector(http);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    Running { bound, client, _stop: stop, _task: task, _folder: folder }
}

impl Running {
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.bound.address.port())
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Got {
        let response = self.client.request(request).await.unwrap();
        let (parts, mut body) = response.into_parts();
        let mut got =
            Got { status: parts.status, headers: parts.headers, bytes: Vec::new(), broke_off: false };
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => got.bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => {
                    got.broke_off = true;
                    break;
                }
            }
        }
        got
    }

    pub(super) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(self.url(path));
        request.header("authorization", "Bearer sandbox-account-key")
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.send(self.request(Method::GET, path).body(bytes("")).unwrap()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Got {
        self.send(self.request(Method::DELETE, path).body(bytes("")).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Got {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(bytes(&body.to_string())).unwrap()).await
    }

    /// Uploads a file, the content before the purpose; gives its id.
    pub(super) async fn upload(&self, purpose: &str, content: &str) -> String {
        let got = self.form("/v1/files", &form(purpose, content)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn form(&self, path: &str, body: &str) -> Got {
        let request =
            self.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=cut");
        self.send(request.body(bytes(body)).unwrap()).await
    }
}

fn form(purpose: &str, content: &str) -> String {
    format!(
        "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{content}\r\n\
         --cut\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n--cut--\r\n"
    )
}

fn bytes(text: &str) -> Body {
    BodyExt::boxed_unsync(Full::new(Bytes::copy_from_slice(text.as_bytes())))
}

/// The `data:` of each event.
pub(super) fn events(text: &str) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    lines.map(|data| serde_json::from_str(data).unwrap()).collect()
}
