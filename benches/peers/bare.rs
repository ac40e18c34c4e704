//! A bare TLS proxy out of the libraries that the gateway is made of: it passes bytes on and does nothing else. Beside the
//! gateway it tells what the libraries cost and what the gateway adds.
//!
//! `bare-proxy LISTEN ORIGIN CERTIFICATE KEY`, the addresses as `host:port`.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use http::header::{CONNECTION, HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Body = Either<Incoming, Empty<Bytes>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, origin, certificate, key] = arguments.as_slice() else {
        return Err("bare-proxy LISTEN ORIGIN CERTIFICATE KEY".into());
    };
    let origin: Authority = origin.parse()?;
    let acceptor = acceptor(Path::new(certificate), Path::new(key))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(listen, origin, acceptor))
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listen: &str, origin: Authority, acceptor: TlsAcceptor) -> Result<(), Box<dyn Error>> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(tcp);
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (acceptor, client, origin) = (acceptor.clone(), client.clone(), origin.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "a peer to measure against has no connections to drain"
        )]
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(socket).await else { return };
            let service = service_fn(move |request| pass(client.clone(), origin.clone(), request));
            let http = auto::Builder::new(TokioExecutor::new());
            // A connection that breaks off is the load generator's affair: it counts its failures.
            drop(http.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn pass(
    client: Client<HttpConnector, Incoming>,
    origin: Authority,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(CONNECTION);
    if let Ok(host) = HeaderValue::from_str(origin.as_str()) {
        parts.headers.insert(HOST, host);
    }
    let mut uri = parts.uri.into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(origin);
    parts.uri = http::Uri::from_parts(uri).unwrap_or_default();
    parts.version = http::Version::HTTP_11;
    Ok(match client.request(Request::from_parts(parts, body)).await {
        Ok(mut response) => {
            response.headers_mut().remove(CONNECTION);
            *response.version_mut() = http::Version::HTTP_11;
            response.map(Either::Left)
        }
        Err(_broken) => {
            let mut response = Response::new(Either::Right(Empty::new()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    })
}
