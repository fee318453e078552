//! Proves that our UDP programs and Python's understand each other.

use std::net::UdpSocket;

use crate::{PROMPT, UDP, ask_udp, own_udp_server, run_client};
use harness::{Server, answer_each_other, python_server};

#[test]
fn w_k1_udp_client_asks_and_prints_the_bare_answer() {
    let server = Server::start(UDP, &[]);
    let (printed, status) =
        run_client(&server, "uppercase-udp-client", b"hello &*!\n");
    assert_eq!(printed, format!("{PROMPT}HELLO &*!\n"));
    assert_eq!(status, Some(0));
}

#[test]
fn w_k1_our_udp_client_is_answered_by_python() {
    if let Some(server) = python_server("uppercase/udp_server.py", &[]) {
        let (printed, status) =
            run_client(&server, "uppercase-udp-client", "née\n".as_bytes());
        assert_eq!(printed, format!("{PROMPT}NéE\n"));
        assert_eq!(status, Some(0));
        // Its buffer has 2048 bytes: the rest of a longer one is lost.
        let (printed, status) =
            run_client(&server, "uppercase-udp-client", &[b'x'; 3000]);
        assert_eq!(printed.trim_start_matches(PROMPT), "X".repeat(2048) + "\n");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn w_k1_an_empty_sentence_is_a_datagram_too() {
    let server = Server::start(UDP, &[]);
    let answer = run_client(&server, "uppercase-udp-client", b"\n");
    assert_eq!(answer, (format!("{PROMPT}\n"), Some(0)));
    // Without a sentence no datagram is sent.
    let answer = run_client(&server, "uppercase-udp-client", b"");
    assert_eq!(answer, (PROMPT.to_string(), Some(0)));
}

#[test]
fn w_k1_datagrams_of_strangers_are_ignored() {
    let (server, place) = own_udp_server();
    let mut client = place.client("uppercase-udp-client", &["--wait", "9000"]);
    client.type_line("who?").expect("it reads");
    let mut buffer = [0; 100];
    let (count, address) = server.recv_from(&mut buffer).expect("a datagram");
    assert_eq!(&buffer[..count], b"who?", "no line end, no frame");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    stranger.send_to(b"FORGED", address).expect("it is sent");
    client.wait_for("…a datagram of …, ignored").unwrap();
    server.send_to(b"WHO?", address).expect("it is sent");
    assert_eq!(client.read_line().expect("a line"), Some("WHO?".into()));
}

#[test]
fn w_k1_a_lost_datagram_is_sent_again() {
    let (server, place) = own_udp_server();
    let mut client = place.client("uppercase-udp-client", &["--wait", "1000"]);
    client.type_line("again").expect("it reads");
    let mut buffer = [0; 100];
    for _ in 0..2 {
        server.recv_from(&mut buffer).expect("a datagram");
    }
    let (count, address) = server.recv_from(&mut buffer).expect("the third");
    assert_eq!(&buffer[..count], b"again");
    server.send_to(b"AGAIN", address).expect("it is sent");
    client.wait_for("no answer, attempt 2 of 3").unwrap();
    client.wait_for("AGAIN").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn w_k1_wait_0_waits_for_ever_like_the_skeleton() {
    let (server, place) = own_udp_server();
    let mut client = place.client("uppercase-udp-client", &["--wait", "0"]);
    client.type_line("letter").expect("it reads");
    let mut buffer = [0; 100];
    let (_, address) = server.recv_from(&mut buffer).expect("a datagram");
    server.send_to(b"LETTER", address).expect("it is sent");
    client.wait_for("…LETTER").unwrap();
}

#[test]
fn w_k2_udp_server_says_that_it_is_ready_and_answers_python() {
    let mut server = Server::start(UDP, &[]);
    let line = server.console().read_line().expect("a line");
    assert_eq!(line, Some("The server is ready to receive".into()));
    for sentence in ["hello", "grün"] {
        let client = server.python("uppercase/udp_client.py", &[sentence]);
        let Some(mut client) = client else { return };
        client.wait_for(&sentence.to_ascii_uppercase()).unwrap();
    }
    server.interrupt();
}

#[test]
fn w_e2_datagrams_of_every_size_are_answered() {
    let mut server = Server::start(UDP, &[]);
    let (one, two) = (server.datagrams(), server.datagrams());
    for size in [0, 1, 1024, 1025, 2049, 65_507] {
        let sentence = vec![b'q'; size];
        assert_eq!(ask_udp(&one, &sentence).len(), size);
        assert_eq!(ask_udp(&two, b"other"), b"OTHER", "a second client");
    }
    // 65,508 bytes do not fit into a datagram: EMSGSIZE at the sender.
    assert!(one.send(&[0; 65_508]).is_err());
    assert_eq!(ask_udp(&one, b"still there"), b"STILL THERE");
    server.interrupt();
}

#[test]
fn w_k2_the_skeletons_buffer_cuts_a_longer_datagram() {
    let server = Server::start(UDP, &["--buffer", "2048"]);
    let client = server.datagrams();
    assert_eq!(ask_udp(&client, &[b'a'; 3000]), [b'A'; 2048]);
    assert_eq!(ask_udp(&client, b"next"), b"NEXT", "the rest is lost");
}

#[test]
fn w_k2_a_client_that_left_does_not_disturb_the_server() {
    let mut server = Server::start(UDP, &[]);
    for _ in 0..20 {
        // The reply finds no socket, and ICMP reports it to the server.
        server.datagrams().send(b"bye").expect("it is sent");
    }
    assert_eq!(ask_udp(&server.datagrams(), b"here"), b"HERE");
    server.interrupt();
}

#[test]
fn w_k2_two_servers_do_not_answer_each_other_for_ever() {
    let mut server = Server::start(UDP, &[]);
    let answers = answer_each_other(&server, b"forged", None);
    assert!(answers >= 1000, "a client may well ask {answers} times");
    server.wait_for("[127.0.0.1:…] not answered: too many; …");
    assert_eq!(ask_udp(&server.datagrams(), b"others"), b"OTHERS");
}

#[test]
fn w_k2_the_console_prints_a_datagram_complete_up_to_4_kib() {
    let mut server = Server::start(UDP, &[]);
    let client = server.datagrams();
    let sentence = "abcdefgh".repeat(512);
    ask_udp(&client, sentence.as_bytes());
    server.wait_for(&format!("[…] 4096 bytes: {sentence}"));
    ask_udp(&client, &[b'x'; 5000]);
    server.wait_for("[…] 5000 bytes: xxx…x… and 904 bytes more");
}

#[test]
fn w_k1_retry_asks_for_longer_than_three_times() {
    let (server, place) = own_udp_server();
    let arguments = ["--wait", "100", "--retry", "30"];
    let mut client = place.client("uppercase-udp-client", &arguments);
    client.type_line("who?").expect("it reads");
    client.wait_for("…no answer, attempt 1 of 300").unwrap();
    client.wait_for("no answer, attempt 4 of 300").unwrap();
    let mut buffer = [0; 100];
    let (_, address) = server.recv_from(&mut buffer).expect("a datagram");
    server.send_to(b"WHO?", address).expect("it is sent");
    client.wait_for("WHO?").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}
