use super::*;
use crate::{Body, Framing};
use std::io::Write;
use std::net::{Shutdown, TcpStream};

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(20);

/// A reader and the peer that writes to it.
fn pair() -> (Reader, TcpStream) {
    let any = socketlab::net::resolve_one("127.0.0.1", 0).expect("an address");
    let listener = TcpSocket::new(any).expect("a socket");
    listener.bind(any).and_then(|()| listener.listen(1)).expect("a port");
    let local = listener.local_addr().expect("an address");
    let peer = TcpStream::connect(local).expect("a connection");
    let (client, _) = listener.accept().expect("a client");
    (Reader::new(client), peer)
}

fn body_of(reader: &mut Reader, framing: Framing) -> Result<Vec<u8>, Fault> {
    let (mut body, mut bytes) = (Body::new(framing), Vec::new());
    while let Some(piece) = body.next(reader)? {
        bytes.extend_from_slice(piece);
    }
    assert!(body.is_done());
    Ok(bytes)
}

#[test]
fn three_requests_in_one_segment_are_read_one_by_one() {
    let (mut reader, mut peer) = pair();
    peer.write_all(
        b"\r\nPOST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\
          POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
          3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
    )
    .expect("sent");
    peer.shutdown(Shutdown::Write).expect("a half-close");
    let mut seen = Vec::new();
    while let Some(request) = reader.read_request(LATE).expect("a request") {
        let body = body_of(&mut reader, request.framing).expect("a body");
        seen.push((request.target, body));
    }
    let expected = [("/1", "hello"), ("/2", "abcde"), ("/3", "")];
    let expected = expected.map(|(t, b)| (t.to_string(), b.into()));
    assert_eq!(seen, expected);
}

#[test]
fn bodies_end_where_they_should() {
    let (mut reader, mut peer) = pair();
    let long = vec![7; 3_000_000];
    let writer = std::thread::spawn(move || {
        peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")?;
        peer.write_all(&long)?;
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil close")
    });
    for length in [3_000_000, 11] {
        let response = reader.read_response(LATE).expect("one").expect("one");
        let framing = response.framing("GET").expect("a framing");
        let body = body_of(&mut reader, framing).expect("a body");
        assert_eq!(body.len(), length);
    }
    writer.join().expect("a writer").expect("sent");
}

#[test]
fn silence_and_half_messages_are_different_faults() {
    let (mut reader, mut peer) = pair();
    assert!(matches!(reader.read_request(SOON), Err(Fault::Idle)));
    peer.write_all(b"GET / HTT").expect("sent");
    peer.shutdown(Shutdown::Write).expect("a half-close");
    assert!(matches!(reader.read_request(LATE), Err(Fault::Cut)));
    let (mut reader, peer) = pair();
    peer.shutdown(Shutdown::Write).expect("a half-close");
    assert!(matches!(reader.read_request(LATE), Ok(None)));
    let (mut reader, mut peer) = pair();
    peer.write_all(b"12").expect("sent");
    reader.set_limits(LATE, Some(Instant::now() + SOON));
    let cut = body_of(&mut reader, Framing::Length(3));
    assert!(matches!(cut, Err(Fault::Slow)));
    drop(peer);
    let cut = body_of(&mut reader, Framing::Length(3));
    assert!(matches!(cut, Err(Fault::Slow)), "the deadline has passed");
    reader.set_limits(LATE, None);
    let cut = body_of(&mut reader, Framing::Length(3));
    assert!(matches!(cut, Err(Fault::Cut)));
}

#[test]
fn a_malformed_request_is_refused_before_its_end() {
    for (bytes, expected) in [
        (&b"\x16\x03\x01\x02"[..], 400), // a TLS client
        (b"HELO me\r\n", 400),
        (b"GET /\r\n", 400),
        (&[b'a'; 10_000], 414),
    ] {
        let (mut reader, mut peer) = pair();
        peer.write_all(bytes).expect("sent");
        match reader.read_request(LATE) {
            Err(Fault::Bad { status, .. }) => assert_eq!(status, expected),
            other => panic!("{other:?}"),
        }
    }
    let (mut reader, mut peer) = pair();
    let long = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(17_000));
    peer.write_all(long.as_bytes()).expect("sent");
    let refused = reader.read_request(LATE);
    assert!(matches!(refused, Err(Fault::Bad { status: 431, .. })));
}

#[test]
fn a_refused_head_request_is_recognised_by_its_first_word() {
    for (bytes, expected) in [
        (&b"HEAD / HTTP/1.1\r\n\r\n"[..], true), // no Host
        (b"\r\nHEAD / HTTP/3.0\r\nHost: h\r\n\r\n", true),
        (b"HEAD / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", true),
        (b"HEAD / HTTP/1.1\r\nContent-Length: x\r\nHost: h\r\n\r\n", true),
        (b"HEAD\r\n\r\n", true),
        (b"HEAD\t/ HTTP/1.1\r\n\r\n", true),
        (b"HEADER / HTTP/1.1\r\n\r\n", false),
        (b"head / HTTP/1.1\r\n\r\n", false),
        (b"GET /HEAD HTTP/1.1\r\n\r\n", false),
    ] {
        let (mut reader, mut peer) = pair();
        peer.write_all(bytes).expect("sent");
        assert!(reader.read_request(LATE).is_err());
        assert_eq!(reader.asks_head(), expected, "{bytes:?}");
    }
    let (mut reader, mut peer) = pair();
    peer.write_all(b"HEAD").expect("sent");
    reader.set_head_deadline(SOON);
    assert!(matches!(reader.read_request(LATE), Err(Fault::Slow)));
    assert!(reader.asks_head());
}
