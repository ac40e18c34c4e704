use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_header_section_that_trickles_is_cut_off() {
    let rig = Rig::new(Bounds { header: Duration::from_millis(400), ..roomy() });
    let mut stream = rig.raw().await;
    let began = Instant::now();
    let mut bytes = b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec();
    bytes.extend([b'x'; 1000]);
    for byte in bytes {
        if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
            break;
        }
        if began.elapsed() > Duration::from_secs(5) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    rig.notebook.wait(Seen::Closed(Protocol::Http1, End::HeaderTimeout)).await;
}

#[tokio::test]
async fn a_second_header_section_that_trickles_is_cut_off_too() {
    let rig =
        Rig::new(Bounds { header: Duration::from_millis(300), idle: Duration::from_secs(60), ..roomy() });
    let mut stream = rig.raw().await;
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut stream, "http/1.1").await;
    stream.write_all(b"GET /who HTTP/1.1\r\nhost").await.unwrap();
    let began = Instant::now();
    read_all(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    rig.notebook.wait(Seen::Closed(Protocol::Http1, End::HeaderTimeout)).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_both_protocols() {
    let rig = Rig::new(Bounds { idle: Duration::from_millis(300), ..roomy() });
    for (alpn, protocol) in [("http/1.1", Protocol::Http1), ("h2", Protocol::Http2)] {
        let mut stream = rig.connect(rig.config(&[alpn])).await.unwrap();
        if protocol == Protocol::Http2 {
            stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        }
        let began = Instant::now();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        let took = began.elapsed();
        assert!(took > Duration::from_millis(200) && took < Duration::from_secs(3), "{protocol:?}: {took:?}");
        rig.notebook.wait(Seen::Closed(protocol, End::Idle)).await;
    }
}

#[tokio::test]
async fn a_slow_answer_is_not_idleness() {
    let rig = Rig::new(Bounds { idle: Duration::from_millis(200), ..roomy() });
    let answer = rig.exchange("GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.ends_with("slow but whole"), "{answer}");
    rig.notebook.wait(Seen::Closed(Protocol::Http1, End::Idle)).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_refused_in_time() {
    let rig = Rig::new(Bounds { request_body: Duration::from_millis(400), ..roomy() });
    let stream = rig.raw().await;
    let (mut read, mut write) = tokio::io::split(stream);
    let began = Instant::now();
    let trickle = async {
        write
            .write_all(b"POST /count HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n")
            .await
            .unwrap();
        while began.elapsed() < Duration::from_secs(4) && write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = async {
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        while !answer.ends_with(b"request_timeout") {
            let got = read.read(&mut buffer).await.unwrap();
            assert!(got > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..got]);
        }
        began.elapsed()
    };
    let took = tokio::select! { took = answer => took, () = trickle => panic!("no answer in time") };
    assert!(took > Duration::from_millis(300) && took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn an_answer_that_never_comes_to_its_end_is_cut_off() {
    let rig = Rig::new(Bounds { response_body: Duration::from_millis(300), ..roomy() });
    let began = Instant::now();
    let answer = rig.exchange("GET /silent HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let rig = Rig::new(Bounds {
        response_body: Duration::from_millis(100),
        idle: Duration::from_millis(500),
        ..roomy()
    });
    let mut stream = rig.raw().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if rig.shutdown.connections() == 0 {
            rig.notebook.wait(Seen::Closed(Protocol::Http1, End::AnswerTimeout)).await;
            return;
        }
    }
    panic!("the connection is still open");
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once_and_counted() {
    let rig = Rig::new(Bounds { connections: 2, ..roomy() });
    let (mut first, second) = (rig.raw().await, rig.raw().await);
    let mut third = TcpStream::connect(rig.address).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(2), third.read(&mut [0; 16])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    rig.notebook.wait(Seen::Refused(Refused::ConnectionLimit)).await;
    first.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut first, "http/1.1").await;
    drop(second);
    for _ in 0..200 {
        if rig.shutdown.connections() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut fourth = rig.raw().await;
    fourth.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut fourth, "http/1.1").await;
}

#[tokio::test]
async fn a_permit_lasts_until_the_answers_end() {
    use http_body_util::Full;
    let gate = Gate::default();
    let held = |text: &'static str| {
        gate.enter(2).map(|permit| Held::new(Full::new(Bytes::from_static(text.as_bytes())), permit))
    };
    let (mut first, second) = (held("one").unwrap(), held("two").unwrap());
    let refused = held("three").unwrap_err();
    assert_eq!((refused.reason, refused.retry_after), (Reason::Overloaded, Some(Duration::from_secs(1))));
    assert_eq!(gate.inside(), 2);
    // The last frame ends it, a drop does, and an empty body never holds it.
    first.frame().await.unwrap().unwrap();
    assert_eq!(gate.inside(), 1);
    drop(second);
    assert_eq!(gate.inside(), 0);
    let _empty = held("").unwrap();
    assert_eq!(gate.inside(), 0);
}
