use tokio::signal::unix::{SignalKind, signal};

use super::*;

#[tokio::test]
async fn a_request_in_flight_finishes_and_nobody_new_comes_in() {
    let rig = Rig::new(roomy());
    let mut busy = rig.raw().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut quiet = rig.raw().await;
    quiet.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut quiet, "http/1.1").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.shutdown.begin();
    assert!(rig.shutdown.draining());
    tokio::select! {
        biased;
        left = read_all(&mut quiet) => assert_eq!(left, "", "an idle connection is closed"),
        answer = read_until(&mut busy, "slow but whole") => panic!("the idle connection outlived a request: {answer}"),
    }
    TcpStream::connect(rig.address).await.unwrap_err();
    let answer = read_all(&mut busy).await;
    assert!(answer.contains("slow but whole") && answer.contains("connection: close"), "{answer}");
    drop((busy, quiet));
    let drained = rig.drained.await.unwrap();
    assert!(drained.clean() && drained.took < Duration::from_secs(3), "{drained:?}");
}

#[tokio::test]
async fn a_stream_in_flight_finishes_after_goaway() {
    let rig = Rig::new(roomy());
    let mut stream = rig.connect(rig.config(&["h2"])).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(b"\0\0\x14\x01\x05\0\0\0\x01\x82\x87\x04\x05/slow\x01\x09localhost");
    stream.write_all(&bytes).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.shutdown.begin();
    let mut all = Vec::new();
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = [0; 4096];
    loop {
        let got =
            tokio::time::timeout(Duration::from_secs(5), read.read(&mut buffer)).await.unwrap().unwrap();
        if got == 0 {
            break;
        }
        // A graceful end asks for an acknowledged ping before it names the last stream (RFC 9113, 6.8).
        if let Some(at) = memchr::memmem::find(&buffer[..got], b"\0\0\x08\x06\0\0\0\0\0") {
            let mut pong = b"\0\0\x08\x06\x01\0\0\0\0".to_vec();
            pong.extend(&buffer[at + 9..at + 17]);
            write.write_all(&pong).await.unwrap();
        }
        all.extend_from_slice(&buffer[..got]);
    }
    let goaway = memchr::memmem::find(&all, b"\0\0\x08\x07\0\0\0\0\0").expect("a GOAWAY");
    let answer = memchr::memmem::find(&all, b"slow but whole").expect("the answer");
    assert!(goaway < answer);
    let drained = rig.drained.await.unwrap();
    assert!(drained.clean(), "{drained:?}");
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off_at_the_end_of_the_drain() {
    let rig = Rig::new(Bounds { drain: Duration::from_millis(500), ..roomy() });
    let mut first = rig.raw().await;
    first.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut second = rig.connect(rig.config(&["h2"])).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(b"\0\0\x15\x01\x05\0\0\0\x01\x82\x87\x04\x06/never\x01\x09localhost");
    second.write_all(&bytes).await.unwrap();
    let _in_its_handshake = TcpStream::connect(rig.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.shutdown.begin();
    let drained = rig.drained.await.unwrap();
    assert_eq!(drained.aborted, 2, "{drained:?}");
    assert!(
        drained.took >= Duration::from_millis(500) && drained.took < Duration::from_secs(4),
        "{drained:?}"
    );
    assert_eq!(rig.shutdown.connections(), 0);
}

#[tokio::test]
async fn before_the_drain_readiness_fails_and_connections_still_come_in() {
    let rig = Rig::new(Bounds { pre_drain: Duration::from_millis(600), ..roomy() });
    rig.shutdown.begin();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(rig.shutdown.draining());
    let answer = rig.exchange("GET /who HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let drained = rig.drained.await.unwrap();
    assert!(drained.clean() && drained.took >= Duration::from_millis(600), "{drained:?}");
}

#[tokio::test]
async fn probes_are_answered_until_the_end() {
    let shutdown = Shutdown::new();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let own = shutdown.clone();
    let probe = service_fn(move |_: Request<hyper::body::Incoming>| {
        let ready = !own.draining();
        async move {
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            Ok::<_, BoxError>(text(status, "probe"))
        }
    });
    shutdown.spawn(crate::listener::serve_plain(socket, probe, shutdown.clone()));
    let caller = shutdown.enter(1).unwrap();
    let ask = || async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(ask().await.starts_with("HTTP/1.1 200"));
    shutdown.begin();
    assert!(ask().await.starts_with("HTTP/1.1 503"));
    // As long as there is a caller, and no longer: the drain does not wait for the probes' own listener.
    let leave = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(ask().await.starts_with("HTTP/1.1 503"));
        drop(caller);
    };
    let bounds = Bounds { pre_drain: Duration::from_millis(50), ..roomy() };
    let (drained, ()) = tokio::join!(shutdown.drain(&bounds), leave);
    assert!(drained.clean() && drained.took < Duration::from_secs(2), "{drained:?}");
    TcpStream::connect(address).await.unwrap_err();
}

#[tokio::test]
async fn a_signal_begins_the_end_and_a_second_one_hastens_it() {
    let rig =
        Rig::new(Bounds { drain: Duration::from_secs(60), pre_drain: Duration::from_secs(30), ..roomy() });
    let mut stuck = rig.raw().await;
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let term = || {
        let own = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &own]).status().unwrap().success());
    };
    let signals = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!rig.shutdown.draining());
        term();
        rig.shutdown.begun().await;
        assert!(rig.shutdown.draining());
        term();
    };
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    tokio::join!(rig.shutdown.on_signals(&mut terminate, &mut interrupt), signals);
    let drained = tokio::time::timeout(Duration::from_secs(5), rig.drained).await.unwrap().unwrap();
    assert_eq!(drained.aborted, 1, "{drained:?}");
}

#[tokio::test]
async fn several_acceptors_share_an_address_if_they_say_so() {
    let authority = Authority::new();
    let leaf = authority.server();
    let loaded = server(&leaf.chain, &leaf.key, None, jiff::Timestamp::now()).unwrap();
    let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(b"test");
    let tagger = Tagger::derive(&master).unwrap();
    let door =
        Door::new(Arc::new(HotServer::new(loaded)), roomy(), tagger, Arc::new(crate::listener::Nobody));
    let first = Listener::bind_shared("127.0.0.1:0".parse().unwrap(), Arc::clone(&door)).unwrap();
    let second = Listener::bind_shared(first.local_addr(), Arc::clone(&door)).unwrap();
    assert_eq!(first.local_addr(), second.local_addr());
    let alone = Listener::bind(first.local_addr(), door).unwrap_err();
    assert_eq!(alone.kind(), std::io::ErrorKind::AddrInUse);
}
