//! Proves the parsers with random heads and chunks, made by damaging good
//! ones. No input causes a panic. No result depends on how the bytes were
//! split into segments. Each accepted request has one meaning only.
//!
//! `FUZZ=10000000 cargo test --release --test web fuzz` is the long run.

use http::chunked::{Chunked, Piece};
use http::{Fault, Framing, Head, Request, Response, Version};

/// A small random generator (xorshift), so that every run has the same inputs.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

fn rounds() -> u64 {
    let wanted = std::env::var("FUZZ").ok().and_then(|n| n.parse().ok());
    wanted.unwrap_or(20_000)
}

const SPICE: [&[u8]; 28] = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\0",
    b",",
    b";",
    b"\x0b",
    b"chunked",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length",
    b"Host: h\r\n",
    b"Host",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"GET ",
    b"+5",
    b"0x",
    b"-1",
    b"99999999999999999999",
    b"%00",
    b"\xff",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
];

/// A seed with some bytes changed, removed, doubled or inserted.
fn damage(dice: &mut Dice, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(4) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = dice.next() as u8;
                }
            }
            1 => {
                let end = (at + 1 + dice.below(8)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            2 => {
                let end = (at + dice.below(32)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => {
                let spice = dice.pick(&SPICE);
                bytes.splice(at..at, spice.iter().copied());
            }
        }
    }
    bytes
}

const REQUESTS: [&[u8]; 6] = [
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /a?b HTTP/1.0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: h:80\r\nContent-Length: 5\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET http://h:80/a HTTP/1.1\r\nHost: h\r\nX: y\r\nX:\r\n\r\n",
    b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\nConnection: close, x\r\n\r\n",
];

#[test]
fn fuzz_what_is_accepted_as_a_request_has_one_meaning() {
    let mut dice = Dice(0x5eed);
    let mut accepted = 0u64;
    for _ in 0..rounds() {
        let seed = dice.pick(&REQUESTS);
        let bytes = damage(&mut dice, seed);
        let Ok(request) = Request::parse(&bytes) else { continue };
        accepted += 1;
        let shown = || String::from_utf8_lossy(&bytes).to_string();
        let fields = &request.fields;
        let hosts = fields.get_all("Host").count();
        let old = request.version == Version::Http10;
        assert!(hosts == 1 || hosts == 0 && old, "{}", shown());
        let lengths = fields.get_all("Content-Length").count();
        let codings = fields.get_all("Transfer-Encoding").count();
        assert!(lengths + codings <= 1 || lengths == 0, "{}", shown());
        let expected = match (lengths, codings) {
            (0, 0) => request.framing == Framing::None,
            (1, 0) => matches!(request.framing, Framing::Length(_)),
            _ => request.framing == Framing::Chunked,
        };
        assert!(expected, "{}", shown());
        for (name, value) in fields.iter() {
            assert!(!name.is_empty() && !name.contains([' ', '\r', '\n']));
            assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
        }
        // A proxy would write it again: that must have the same meaning.
        let target = &request.target;
        let again = Head::request(&request.method, target).fields(fields).end();
        if fields.has("Host") {
            let again = Request::parse(&again).expect("our own writing");
            assert_eq!(again.framing, request.framing, "{}", shown());
            assert_eq!(again.target, request.target, "{}", shown());
        }
    }
    assert!(accepted > rounds() / 20, "only {accepted} were accepted");
}

#[test]
fn fuzz_responses_cause_no_panic() {
    let seeds: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ];
    let mut dice = Dice(0x7e57);
    for _ in 0..rounds() {
        let seed = dice.pick(&seeds);
        let bytes = damage(&mut dice, seed);
        let Ok(response) = Response::parse(&bytes) else { continue };
        for method in ["GET", "HEAD", "CONNECT"] {
            let framing = response.framing(method);
            if matches!(response.status, 100..=199 | 204 | 304) {
                assert!(!matches!(framing, Ok(Framing::Length(_))));
            }
        }
    }
}

/// Decodes all pieces. Returns the data and how many bytes were used, or why
/// it failed: malformed, or incomplete.
fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, usize), &'static str> {
    let (mut chunked, mut data, mut used_in_all) = (Chunked::new(), vec![], 0);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let (used, found) = match chunked.decode(rest) {
                Ok(found) => found,
                Err(Fault::Bad { .. }) => return Err("bad"),
                Err(_) => return Err("other"),
            };
            rest = &rest[used..];
            used_in_all += used;
            match found {
                Piece::Data(bytes) => data.extend_from_slice(bytes),
                Piece::More => break,
                Piece::End => return Ok((data, used_in_all)),
            }
        }
    }
    Err("more")
}

#[test]
fn fuzz_chunks_do_not_depend_on_segments() {
    let seeds: [&[u8]; 4] = [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"1a;x=\"y z\"\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nGET /",
        b"3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
        b"0\r\n\r\n",
    ];
    let mut dice = Dice(0xc0de);
    for _ in 0..rounds() {
        let seed = dice.pick(&seeds);
        let bytes = damage(&mut dice, seed);
        let whole = decode(&[&bytes]);
        let (one, two) = bytes.split_at(dice.below(bytes.len() + 1));
        assert_eq!(decode(&[one, two]), whole);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(&single), whole);
        if let Ok((_, used)) = whole {
            assert!(bytes[..used].ends_with(b"\r\n"), "ends with its CRLF");
        }
    }
}

proptest::proptest! {
    #[test]
    fn chunks_decode_to_what_was_encoded(
        pieces in proptest::collection::vec(
            proptest::collection::vec(proptest::num::u8::ANY, 1..300), 0..8),
        cut in 1..400usize,
    ) {
        let mut coded = Vec::new();
        for piece in &pieces {
            coded.extend(http::chunk_line(piece.len()).bytes());
            coded.extend(piece);
            coded.extend(b"\r\n");
        }
        coded.extend(b"0\r\n\r\n");
        coded.extend(b"next");
        let segments: Vec<&[u8]> = coded.chunks(cut).collect();
        let (data, used) = decode(&segments).expect("a body");
        proptest::prop_assert_eq!(data, pieces.concat());
        proptest::prop_assert_eq!(used, coded.len() - 4);
    }
}
