use super::*;

async fn who(rig: &Rig, config: Arc<ClientConfig>) -> String {
    let mut stream = rig.connect(config).await.unwrap();
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    read_all(&mut stream).await
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let rig = Rig::new(roomy());
    for (version, name, seen) in [
        (&rustls::version::TLS13, "1.3 http/1.1", TlsVersion::Tls13),
        (&rustls::version::TLS12, "1.2 http/1.1", TlsVersion::Tls12),
    ] {
        for alpn in [&["http/1.1"][..], &[]] {
            let answer = who(&rig, rig.authority.client(alpn, &[version], None)).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(name), "{answer}");
        }
        rig.notebook.wait(Seen::Handshake(Handshake::Done, Some(seen))).await;
    }
    rig.notebook.wait(Seen::Closed(Protocol::Http1, End::Closed)).await;
}

#[tokio::test]
async fn the_protocol_is_what_both_speak() {
    let rig = Rig::new(roomy());
    let stream = rig.connect(rig.config(&["h2", "http/1.1"])).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let stream = rig.connect(rig.config(&["spdy/1", "http/1.1"])).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    rig.connect(rig.config(&["spdy/1"])).await.unwrap_err();
    rig.notebook.wait(Seen::Handshake(Handshake::Incompatible, None)).await;
}

/// A ClientHello as a TLS 1.1 client sends it: no `supported_versions`, legacy version 3.2.
fn hello_of_tls_11() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x13, 0xc0, 0x09, 1, 0]);
    let mut handshake = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    handshake.extend(body);
    let mut record = vec![0x16, 3, 1, 0, u8::try_from(handshake.len()).unwrap()];
    record.extend(handshake);
    record
}

#[tokio::test]
async fn tls_11_is_refused_with_a_fatal_alert() {
    let rig = Rig::new(roomy());
    let mut tcp = TcpStream::connect(rig.address).await.unwrap();
    tcp.write_all(&hello_of_tls_11()).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    assert_eq!((answer[0], answer[5]), (0x15, 2), "a fatal alert: {answer:?}");
    assert!(matches!(answer[6], 40 | 70), "handshake_failure or protocol_version: {answer:?}");
    rig.notebook.wait(Seen::Handshake(Handshake::Incompatible, None)).await;
}

#[tokio::test]
async fn plain_http_is_closed_without_an_answer_in_plain_text() {
    let rig = Rig::new(roomy());
    let mut tcp = TcpStream::connect(rig.address).await.unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _end = tcp.read_to_end(&mut answer).await;
    assert!(memchr::memmem::find(&answer, b"HTTP").is_none(), "{answer:?}");
    rig.notebook.wait(Seen::Handshake(Handshake::NotTls, None)).await;
}

#[tokio::test]
async fn a_handshake_that_dawdles_is_cut_off() {
    let rig = Rig::new(Bounds { handshake: Duration::from_millis(200), ..roomy() });
    let mut tcp = TcpStream::connect(rig.address).await.unwrap();
    tcp.write_all(&[0x16, 3, 1]).await.unwrap();
    let began = std::time::Instant::now();
    let _end = tcp.read_to_end(&mut Vec::new()).await;
    assert!(began.elapsed() < Duration::from_secs(3));
    rig.notebook.wait(Seen::Handshake(Handshake::Timeout, None)).await;
}

#[tokio::test]
async fn whoever_hangs_up_or_distrusts_is_told_apart() {
    let rig = Rig::new(roomy());
    drop(TcpStream::connect(rig.address).await.unwrap());
    rig.notebook.wait(Seen::Handshake(Handshake::Closed, None)).await;
    let stranger = Authority::new().client(&["h2"], &[&rustls::version::TLS13], None);
    rig.connect(stranger).await.unwrap_err();
    rig.notebook.wait(Seen::Handshake(Handshake::Alert, None)).await;
}

#[tokio::test]
async fn a_client_certificate_is_asked_for_and_its_names_are_told() {
    let rig = Rig::with(roomy(), true);
    let leaf = rig.authority.leaf("client", |params| {
        params.subject_alt_names = vec![rcgen::SanType::URI("spiffe://td/ns/a/sa/b".try_into().unwrap())];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = rig.authority.client(&["http/1.1"], &[version], Some(&leaf));
        let answer = who(&rig, Arc::clone(&config)).await;
        assert!(answer.contains("spiffe://td/ns/a/sa/b"), "{answer}");
        // A resumed session has the certificate of the first.
        let answer = who(&rig, config).await;
        assert!(answer.contains("spiffe://td/ns/a/sa/b"), "{answer}");
    }
    let answer = who(&rig, rig.config(&["http/1.1"])).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "without one the handshake succeeds: {answer}");
    // TLS 1.3 clients learn of it with the first bytes they read.
    let elsewhere = Authority::new();
    let unknown = elsewhere.leaf("client", |_| {});
    let config = rig.authority.client(&["http/1.1"], &[&rustls::version::TLS13], Some(&unknown));
    if let Ok(mut stream) = rig.connect(config).await {
        assert_eq!(read_all(&mut stream).await, "");
    }
    rig.notebook.wait(Seen::Handshake(Handshake::ClientCertificate, None)).await;
}
