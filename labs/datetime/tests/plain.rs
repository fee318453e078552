//! Proves that the first programs of question 3 do what the handout says,
//! with Python at the other end, and survive what they must.

use std::time::{Duration, Instant};

use crate::{ask, fake_server, is_date, is_time, next_request, right};
use harness::{Server, python_server};

const SERVER: &str = "datetime-plain-server";
const CLIENT: &str = "datetime-plain-client";

#[test]
fn g_3_plain_programs_hold_the_handouts_dialogue() {
    let mut server = Server::start(SERVER, &[]);
    let mut client = server.client(CLIENT, &["--count", "2"]);
    for _ in 0..2 {
        let line = client.read_line().expect("a line").unwrap_or_default();
        let (request, answer) = line.split_once(": ").expect("an answer");
        match request {
            "SEND_DATE" => assert!(is_date(answer), "{line}"),
            "SEND_TIME" => assert!(is_time(answer), "{line}"),
            other => panic!("unknown request {other}"),
        }
        server.wait_for(&format!("[…] {request} -> {answer}"));
    }
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.interrupt();
}

#[test]
fn g_3_plain_client_and_a_python_server() {
    if let Some(server) = python_server("datetime/server.py", &[]) {
        let mut client = server.client(CLIENT, &["--count", "1"]);
        let line = client.read_line().expect("a line").unwrap_or_default();
        let (_, answer) = line.split_once(": ").expect("an answer");
        assert!(is_date(answer) || is_time(answer), "{line}");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_3_a_python_client_and_the_plain_server() {
    let mut server = Server::start(SERVER, &[]);
    let arguments = ["2", "0"]; // requests, and seconds between them
    let Some(mut client) = server.python("datetime/client.py", &arguments)
    else {
        return;
    };
    client.wait_for("SEND_…").unwrap();
    client.wait_for("SEND_…").unwrap();
    server.wait_for("[…] SEND_… -> …");
    server.wait_for("[…] SEND_… -> …");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_3a_plain_server_answers_every_request_of_every_client() {
    let mut server = Server::start(SERVER, &[]);
    let clients = [server.datagrams(), server.datagrams()];
    for client in &clients {
        for wrong in [b"".as_slice(), b"SEND_DATE\n", b"SEND", &[0xff; 60_000]]
        {
            assert!(ask(client, wrong).starts_with("ERROR: "));
        }
        // Not answered, because two servers would never stop.
        client.send(b"ERROR: what?").expect("it is sent");
        assert!(is_time(&ask(client, b"SEND_TIME")));
        assert!(is_date(&ask(client, b"SEND_DATE")));
    }
    server.interrupt();
}

#[test]
fn g_3c_plain_client_keeps_its_pace_and_goes_on_without_answers() {
    let (server, place) = fake_server();
    let mut client = place.client(CLIENT, &["--count", "3"]);
    let mut moments = Vec::new();
    for turn in 0..3 {
        let (request, address) = next_request(&server);
        moments.push(Instant::now());
        if turn > 0 {
            let answer = right(&request).as_bytes();
            server.send_to(answer, address).expect("it is sent");
            client
                .wait_for(&format!("{request}: {}", right(&request)))
                .unwrap();
        } else {
            let lost = format!("{request}: no answer within 1 s: …");
            client.wait_for(&lost).unwrap();
        }
    }
    for pair in moments.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap >= Duration::from_millis(990), "{gap:?}");
    }
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}
