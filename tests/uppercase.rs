//! The uppercase lab, black box: TCP and UDP, our programs and Python's, and
//! networks and people that break things.

mod support;

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;

use socketlab::terminal::{self, Terminal};
use support::{
    DEADLINE, Server, allow_descriptors, half_close, installed, play_readme,
    python_server, receive, receive_all, reset, send, trickle,
};

const TCP: &str = "uppercase-tcp-server";
const UDP: &str = "uppercase-udp-server";
const PROMPT: &str = "Input lowercase sentence:";

/// Every byte there is, and what must come back.
fn all_bytes() -> (Vec<u8>, Vec<u8>) {
    let bytes: Vec<u8> = (0..=255).collect();
    let upper = bytes.iter().map(u8::to_ascii_uppercase).collect();
    (bytes, upper)
}

fn ask_tcp(server: &Server, sentence: &[u8]) -> Vec<u8> {
    let client = server.connect();
    send(&client, sentence);
    half_close(&client);
    receive_all(&client)
}

fn ask_udp(client: &UdpSocket, sentence: &[u8]) -> Vec<u8> {
    client.send(sentence).expect("it is sent");
    next_datagram(client)
}

fn next_datagram(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let count = client.recv(&mut buffer).expect("an answer in time");
    buffer.truncate(count);
    buffer
}

/// Runs a client, types the sentence, gives all that it printed and its
/// exit status.
fn run_client(
    server: &Server,
    program: &str,
    sentence: &[u8],
) -> (String, Option<i32>) {
    let mut client = server.client(program, &[]);
    client.type_bytes(sentence).expect("it reads");
    client.end_input();
    let printed = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends");
    (String::from_utf8_lossy(&printed).into(), status.code())
}

/// A port of 127.0.0.1 on which nobody listens. TCP's is held meanwhile by
/// the second value, a socket that is bound and nothing more.
fn nobodys_port() -> (Server, socket2::Socket) {
    use socket2::{Domain, Socket, Type};
    let held = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    held.bind(&any.into()).expect("a port");
    let address = held.local_addr().expect("an address").as_socket();
    (Server::at(address.expect("an IP address")), held)
}

#[test]
fn w_e5_the_readmes_transcripts_hold() {
    play_readme("uppercase");
}

// ---- what is changed and what is not --------------------------------------

#[test]
fn w_t1_1a_only_the_letters_a_to_z_change() {
    let server = Server::start_or_check(TCP, &[]);
    let answer = ask_tcp(&server, b"hello, world &*! 123 [`{@");
    assert_eq!(answer, b"HELLO, WORLD &*! 123 [`{@");
    let (bytes, upper) = all_bytes();
    assert_eq!(ask_tcp(&server, &bytes), upper, "bytes, not text");
}

#[test]
fn w_t1_1a_the_same_bytes_change_over_udp() {
    let server = Server::start(UDP, &[]);
    let (bytes, upper) = all_bytes();
    assert_eq!(ask_udp(&server.datagrams(), &bytes), upper);
}

#[test]
fn w_t1_1a_letters_beyond_ascii_stay() {
    // Python: "héllo ß".upper() is "HÉLLO SS", its bytes.upper() is ours.
    let server = Server::start_or_check(TCP, &[]);
    let answer = ask_tcp(&server, "héllo ß".as_bytes());
    assert_eq!(String::from_utf8_lossy(&answer), "HéLLO ß");
}

#[test]
fn w_t1_1b_upper_case_stays() {
    let server = Server::start_or_check(TCP, &[]);
    assert_eq!(ask_tcp(&server, b"HELLO World"), b"HELLO WORLD");
}

#[test]
fn w_t1_2_tcp_and_udp_serve_one_port_number_together() {
    let tcp = Server::start(TCP, &[]);
    // The number may be taken in UDP's space by another test: ask again.
    let mut udp = tcp.client(UDP, &[]);
    let first = udp.read_line().expect("a line").unwrap_or_default();
    if first.starts_with("listening on ") {
        assert_eq!(ask_udp(&tcp.datagrams(), b"one"), b"ONE");
    }
    assert_eq!(ask_tcp(&tcp, b"two"), b"TWO");
    let mut second = tcp.client(TCP, &[]);
    second.wait_for("Error: bind(…): … (EADDRINUSE). …").unwrap();
}

// ---- host and port come from the command line -----------------------------

#[test]
fn w_t1_3_wrong_places_are_usage_errors() {
    let programs = [TCP, UDP, "uppercase-tcp-client", "uppercase-udp-client"];
    for program in programs {
        for place in [
            ["127.0.0.1", "abc"],
            ["127.0.0.1", "65536"],
            ["127.0.0.1", "-1"],
            ["12000", ""], // a port alone
        ] {
            let words = place.iter().filter(|word| !word.is_empty());
            let mut run = Terminal::start(program, words).expect("it starts");
            run.wait_for("Example: …").unwrap_or_else(|e| panic!("{e}"));
            let status = run.wait_for_end().expect("it ends");
            assert_eq!(status.code(), Some(2), "{program} {place:?}");
        }
        let words = ["127.0.0.1", "12000", "too", "many"];
        let mut run = Terminal::start(program, words).expect("it starts");
        assert_eq!(run.wait_for_end().expect("it ends").code(), Some(2));
    }
    let mut low = Terminal::start(TCP, ["127.0.0.1", "80"]).expect("it starts");
    low.wait_for("port 80 is refused: …").unwrap();
}

#[test]
fn w_t1_3_names_and_ipv6_addresses_are_places_too() {
    for (server, client) in
        [(TCP, "uppercase-tcp-client"), (UDP, "uppercase-udp-client")]
    {
        let server = Server::start(server, &[]);
        let port = server.address.port().to_string();
        let words = ["localhost", &port, "--wait", "300"];
        let words =
            if client.contains("udp") { &words[..] } else { &words[..2] };
        let mut run = Terminal::start(client, words).expect("it starts");
        run.type_line("by name").expect("it reads");
        run.wait_for("…BY NAME").unwrap_or_else(|e| panic!("{client}: {e}"));
    }
    if UdpSocket::bind("[::1]:0").is_ok() {
        let mut command = terminal::command(TCP);
        let server = Server::run(command.args(["::1", "0"]));
        assert_eq!(ask_tcp(&server, b"six"), b"SIX");
        let mut command = terminal::command(UDP);
        let server = Server::run(command.args(["::1", "0"]));
        let (printed, _) = run_client(&server, "uppercase-udp-client", b"six");
        assert_eq!(printed, format!("{PROMPT}SIX\n"));
    }
}

#[test]
fn w_t1_3_an_unknown_name_is_explained() {
    let name = "no-such-host.invalid";
    for program in ["uppercase-tcp-client", "uppercase-udp-client"] {
        let words = [name, "12000"];
        let mut run = Terminal::start(program, words).expect("it starts");
        run.wait_for(&format!("Error: getaddrinfo({name}): …")).unwrap();
        assert_eq!(run.wait_for_end().expect("it ends").code(), Some(1));
    }
}

// ---- the four skeletons, and Python at the other end ----------------------

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
    if let Some(server) = python_server("uppercase_udp_server.py", &[]) {
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
    // No sentence at all is no datagram.
    let answer = run_client(&server, "uppercase-udp-client", b"");
    assert_eq!(answer, (PROMPT.to_string(), Some(0)));
}

#[test]
fn w_k1_datagrams_of_strangers_are_ignored() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let place = Server::at(server.local_addr().expect("an address"));
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
    let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let place = Server::at(server.local_addr().expect("an address"));
    let mut client = place.client("uppercase-udp-client", &["--wait", "100"]);
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
    let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let place = Server::at(server.local_addr().expect("an address"));
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
        let client = server.python("uppercase_udp_client.py", &[sentence]);
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
    // 65,508 bytes fit into no datagram: the kernel of the sender says so.
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
        // The answer finds no socket; ICMP says so to the server's kernel.
        server.datagrams().send(b"bye").expect("it is sent");
    }
    assert_eq!(ask_udp(&server.datagrams(), b"here"), b"HERE");
    server.interrupt();
}

#[test]
fn w_k3_tcp_client_asks_and_prints_from_server() {
    let server = Server::start(TCP, &[]);
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", b"hello &*!\n");
    assert_eq!(printed, format!("{PROMPT}From Server: HELLO &*!\n"));
    assert_eq!(status, Some(0));
}

#[test]
fn w_k3_the_prompt_comes_before_the_typing() {
    let server = Server::start(TCP, &[]);
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.read_prompt(PROMPT).expect("also when stdin is a pipe");
    client.type_line("hello").expect("it reads");
    let line = client.read_line().expect("a line");
    assert_eq!(line, Some("From Server: HELLO".into()));
}

#[test]
fn w_k3_an_empty_sentence_is_nothing_to_send_over_tcp() {
    let server = Server::start(TCP, &[]);
    for nothing in [b"\n".as_slice(), b""] {
        let (printed, status) =
            run_client(&server, "uppercase-tcp-client", nothing);
        assert!(printed.contains("there is nothing to answer"), "{printed}");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn w_k3_our_tcp_client_is_answered_by_python() {
    let Some(server) = python_server("uppercase_tcp_server.py", &[]) else {
        return;
    };
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", "née\n".as_bytes());
    assert_eq!(printed, format!("{PROMPT}From Server: NéE\n"));
    assert_eq!(status, Some(0));
    // It calls recv(1024) once: a longer sentence gets a part of an answer.
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", &[b'x'; 3000]);
    let part = format!("From Server: {}\n", "X".repeat(1024));
    assert!(printed.contains(&part), "{printed}");
    assert!(printed.contains("answered 1024 of 3000 bytes"), "{printed}");
    assert_eq!(status, Some(1));
}

#[test]
fn w_k3_a_server_that_does_not_close_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = Server::at(listener.local_addr().expect("an address"));
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.type_line("stay").expect("it reads");
    let (peer, _) = listener.accept().expect("a client");
    assert_eq!(receive_all(&peer), b"stay", "no line end, then FIN");
    trickle(&peer, b"STAY");
    client.wait_for("…From Server: STAY").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn w_k3_an_answer_that_drips_is_left() {
    let server = support::dripping_server();
    let mut client = server.client("uppercase-tcp-client", &["--wait", "500"]);
    client.type_line(&"x".repeat(500)).expect("it reads");
    client.wait_for("…Error: recv(…): …").expect("one deadline for all");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    // The same when the sentence is answered, and more comes.
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.type_line("x").expect("it reads");
    client.wait_for("…From Server: x…").expect("an answer");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn w_k2_two_servers_do_not_answer_each_other_for_ever() {
    let mut server = Server::start(UDP, &[]);
    let answers = support::answer_each_other(&server, b"forged", None);
    assert!(answers >= 1000, "a client may well ask {answers} times");
    server.wait_for("[127.0.0.1:…] not answered: too many; …");
    assert_eq!(ask_udp(&server.datagrams(), b"others"), b"OTHERS");
}

#[test]
fn w_k3_an_endless_answer_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = Server::at(listener.local_addr().expect("an address"));
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.type_line("flood").expect("it reads");
    let (mut peer, _) = listener.accept().expect("a client");
    let flood = thread::spawn(move || {
        while std::io::Write::write(&mut peer, &[b'X'; 4096]).is_ok() {}
    });
    client.wait_for("…Error: the server sent more than 1039 bytes …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    flood.join().expect("the flood ends with its reader");
}

#[test]
fn w_k3_a_server_that_hangs_up_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = Server::at(listener.local_addr().expect("an address"));
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.read_prompt(PROMPT).expect("the prompt");
    reset(listener.accept().expect("a client").0);
    client.type_line("too late").expect("it reads");
    client.wait_for("Error: …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_k4_tcp_server_says_that_it_is_ready_and_answers_python() {
    let mut server = Server::start(TCP, &[]);
    let line = server.console().read_line().expect("a line");
    assert_eq!(line, Some("The server is ready to receive".into()));
    // Without a line end, and it waits for the answer before it closes.
    for sentence in ["hello", "grün"] {
        let client = server.python("uppercase_tcp_client.py", &[sentence]);
        let Some(mut client) = client else { return };
        let answer = sentence.to_ascii_uppercase();
        client.wait_for(&format!("From Server: {answer}")).unwrap();
    }
    // It reads once and closes with unread bytes: RST for us.
    let long = "x".repeat(100_000);
    let client = server.python("uppercase_tcp_client.py", &[&long]);
    let mut client = client.expect("python3 was there");
    client.wait_for("From Server: X…").unwrap();
    assert_eq!(ask_tcp(&server, b"next"), b"NEXT");
    server.interrupt();
}

#[test]
fn w_k4_once_is_the_letter_of_the_skeleton() {
    let mut server = Server::start(TCP, &["--once"]);
    let client = server.connect();
    send(&client, &[b'y'; 1024]);
    assert_eq!(receive_all(&client), [b'Y'; 1024], "closed after one answer");
    // A silent client keeps the next one waiting, connected and unserved.
    let silent = server.connect();
    let waiting = server.connect();
    send(&waiting, b"my turn?");
    drop(silent);
    assert_eq!(receive_all(&waiting), b"MY TURN?");
    server.wait_for("[…] 8 bytes answered");
    server.interrupt();
}

#[test]
fn w_k4_steps_are_the_system_calls_in_the_order_of_the_banners() {
    support::strace_shows(
        TCP,
        &["socket", "setsockopt", "bind", "listen", "accept4"],
    );
}

// ---- the handout's problems -----------------------------------------------

#[test]
fn w_p1_tcp_client_first_is_refused_before_it_asks() {
    let (nobody, _held) = nobodys_port();
    let mut client = nobody.client("uppercase-tcp-client", &[]);
    let line = client.read_line().expect("a line").unwrap_or_default();
    let wanted = format!("Error: connect({}): Connection", nobody.address);
    assert!(line.starts_with(&wanted), "{line}");
    assert!(line.contains("(ECONNREFUSED)"), "{line}");
    assert!(line.ends_with("make uppercase-tcp-server"), "{line}");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_p2_udp_client_first_fails_only_by_silence() {
    let (nobody, _held) = nobodys_port();
    let options = ["--wait", "50"];
    let mut client = nobody.client("uppercase-udp-client", &options);
    client.read_prompt(PROMPT).expect("nothing fails at the start");
    client.type_line("anybody?").expect("it reads");
    client.wait_for("no answer, attempt 3 of 3").unwrap();
    client.wait_for("Error: no answer from …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_p2_udp_server_may_start_while_the_client_waits_for_enter() {
    let (nobody, _held) = nobodys_port();
    let mut client = nobody.client("uppercase-udp-client", &[]);
    client.read_prompt(PROMPT).expect("the prompt");
    let mut server = nobody.client(UDP, &[]);
    server.wait_for("The server is ready to receive").unwrap();
    client.type_line("just in time").expect("it reads");
    client.wait_for("JUST IN TIME").unwrap();
}

#[test]
fn w_p3_another_port_is_refused_by_tcp_and_lost_by_udp() {
    let (_tcp, udp) = (Server::start(TCP, &[]), Server::start(UDP, &[]));
    let (wrong, _held) = nobodys_port();
    let mut client = wrong.client("uppercase-tcp-client", &[]);
    client.wait_for("Error: connect(…): … (ECONNREFUSED). …").unwrap();
    let options = ["--wait", "50"];
    let mut client = wrong.client("uppercase-udp-client", &options);
    client.type_line("hello").expect("it reads");
    client.wait_for("Error: no answer from …").unwrap();
    // The client's own port is another one each time, and does not matter.
    let (one, two) = (udp.datagrams(), udp.datagrams());
    assert_ne!(one.local_addr().unwrap(), two.local_addr().unwrap());
    assert_eq!(ask_udp(&one, b"a"), b"A");
    assert_eq!(ask_udp(&two, b"b"), b"B");
}

// ---- poor networks and crowds ---------------------------------------------

#[test]
fn w_k4_one_byte_at_a_time_is_answered_byte_by_byte() {
    let server = Server::start_or_check(TCP, &[]);
    let client = server.connect();
    for &byte in b"slowly" {
        send(&client, &[byte]);
        assert_eq!(receive(&client, 1), [byte.to_ascii_uppercase()]);
    }
    trickle(&client, "é und ß\n".as_bytes());
    half_close(&client);
    assert_eq!(receive_all(&client), "é UND ß\n".as_bytes());
}

#[test]
fn w_k4_two_sentences_in_one_segment_are_both_answered() {
    let server = Server::start_or_check(TCP, &[]);
    let client = server.connect();
    send(&client, b"one\ntwo\n");
    assert_eq!(receive(&client, 8), b"ONE\nTWO\n");
    send(&client, b"three\n");
    assert_eq!(receive(&client, 6), b"THREE\n");
}

#[test]
fn w_k4_rude_clients_do_not_end_the_server() {
    let mut server = Server::start(TCP, &[]);
    let silent = server.connect();
    for _ in 0..20 {
        drop(server.connect());
        half_close(&server.connect());
        let client = server.connect();
        send(&client, b"reset");
        reset(client);
        let client = server.connect();
        send(&client, b"never reads the answer");
        drop(client);
    }
    assert_eq!(ask_tcp(&server, b"alive"), b"ALIVE");
    send(&silent, b"me too");
    assert_eq!(receive(&silent, 6), b"ME TOO");
    server.interrupt();
}

#[test]
fn w_k4_what_a_client_sends_cannot_drive_the_terminal() {
    let mut server = Server::start(TCP, &[]);
    ask_tcp(&server, b"\x1b[2Jhi\n");
    server.wait_for("[…] 7 bytes: \\x1b[2Jhi\\n");
}

#[test]
fn w_e3_a_sentence_of_8_mib_does_not_deadlock_the_client() {
    let server = Server::start(TCP, &["--quiet"]);
    let size = 8 * 1024 * 1024;
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.type_bytes(&vec![b'm'; size]).expect("it reads");
    client.end_input();
    let printed = client.read_to_end().expect("it ends");
    let wanted = format!("{PROMPT}From Server: ").len() + size + 1;
    assert_eq!(printed.len(), wanted);
    assert!(printed.ends_with(b"MMM\n"));
}

#[test]
fn w_e4_a_thousand_clients_are_served_at_once() {
    allow_descriptors(4096);
    let mut server = Server::start(TCP, &["--quiet"]);
    let clients: Vec<TcpStream> = (0..1000).map(|_| server.connect()).collect();
    for round in ["first", "second"] {
        for client in &clients {
            send(client, round.as_bytes());
        }
        for client in &clients {
            let answer = receive(client, round.len());
            assert_eq!(answer, round.to_uppercase().as_bytes());
        }
    }
    drop(clients);
    server.interrupt();
}

#[test]
fn w_e4_beyond_max_clients_a_newcomer_is_told() {
    let mut server = Server::start(TCP, &["--max-clients", "1"]);
    let first = server.connect();
    send(&first, b"in");
    assert_eq!(receive(&first, 2), b"IN");
    let second = server.connect();
    assert_eq!(receive_all(&second), b"no room, try again later\n");
    send(&first, b"still");
    assert_eq!(receive(&first, 5), b"STILL");
    drop(first);
    server.wait_for("[…] left: end of stream");
    server.interrupt();
}

#[test]
fn w_e1_nc_is_answered_over_udp_and_tcp() {
    if !installed("nc", "netcat-openbsd") {
        return;
    }
    for (program, options) in [(TCP, vec!["-q1"]), (UDP, vec!["-u", "-q1"])] {
        let server = Server::start(program, &[]);
        let (host, port) = server.host_and_port();
        let words = options.into_iter().chain([host.as_str(), port.as_str()]);
        let mut nc = Terminal::start("nc", words).expect("it starts");
        nc.type_line("from nc").expect("it reads");
        nc.wait_for("FROM NC").unwrap_or_else(|e| panic!("{program}: {e}"));
    }
}

#[test]
fn w_d_a_server_on_every_interface_says_who_can_reach_it() {
    for program in [TCP, UDP] {
        let mut command = terminal::command(program);
        let mut run = Terminal::run(command.args(["0.0.0.0", "0"])).unwrap();
        run.wait_for("listening on 0.0.0.0:…").unwrap();
        run.wait_for("warning: bound to 0.0.0.0, every interface: …").unwrap();
    }
}
