//! The calculator lab, black box: sessions one at a time and many at once,
//! on a poor network, with Python and nc at the other end.

mod answers;
mod client;
mod crowd;
mod plain;

use std::io::Read;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::source_tree;
use harness::terminal;
use harness::{
    DEADLINE, Server, half_close, installed, play_readme, receive_all,
    receive_line, reset, send, trickle,
};
use rustix::process::Signal;

/// Both of them: they hold the same conversation.
const SERVERS: [&str; 2] =
    ["calculator-sequential-server", "calculator-server"];

/// A session that has begun: the name is said.
#[track_caller]
fn session(server: &Server, name: &str) -> TcpStream {
    let client = server.connect();
    send(&client, format!("{name}\n").as_bytes());
    client
}

/// Sends a sum, gives the answer.
#[track_caller]
fn ask(client: &TcpStream, sum: &str) -> String {
    send(client, format!("{sum}\n").as_bytes());
    receive_line(client)
}

#[test]
fn g_6_the_readmes_transcripts_hold() {
    play_readme("calculator");
}

/// Tests that only look at bytes: CHECK=host:port runs them against any
/// calculator of question 6. `cargo test --test calculator any_server`
mod any_server {
    use super::*;

    /// A message; without a line end to a stranger, who may take one recv()
    /// for one message and compare it with `q`.
    #[track_caller]
    fn say(client: &TcpStream, message: &str) {
        let foreign = std::env::var_os("CHECK").is_some();
        let end = if foreign { "" } else { "\n" };
        send(client, format!("{message}{end}").as_bytes());
    }

    /// A session with any server: half a second after the name, because nothing
    /// shows when it has been read; a greeting within that time is skipped.
    #[track_caller]
    fn begin(server: &Server) -> TcpStream {
        let client = server.connect();
        say(&client, "Ada");
        if std::env::var_os("CHECK").is_some() {
            let gap = Some(Duration::from_millis(500));
            client.set_read_timeout(gap).expect("a time limit");
            let _ = (&client).read(&mut [0; 1024]);
            client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        }
        client
    }

    /// Sends a sum; what one recv() then gives is taken for the answer.
    #[track_caller]
    fn ask(client: &TcpStream, sum: &str) -> String {
        say(client, sum);
        let mut answer = [0; 1024];
        let count = (&mut &*client).read(&mut answer);
        let count = count.unwrap_or_else(|e| panic!("no answer: {e}"));
        assert!(count > 0, "after {sum:?} the session was closed");
        String::from_utf8_lossy(&answer[..count]).trim_end().to_string()
    }

    #[test]
    fn g_6c_the_handouts_examples_are_answered() {
        let server = Server::start_or_check("calculator-server", &[]);
        let client = begin(&server);
        let sum = ask(&client, "12 + 42");
        let number = sum.parse::<f64>();
        assert_eq!(number, Ok(54.0), "{sum:?}: the name has no answer");
        assert_eq!(ask(&client, "4.5 / -6").parse(), Ok(-0.75));
    }

    #[test]
    fn g_6c_whole_results_have_no_point() {
        let server = Server::start_or_check("calculator-server", &[]);
        assert_eq!(ask(&begin(&server), "12 + 42"), "54", "not 54.0");
    }

    #[test]
    fn g_6c_what_no_client_should_send_does_not_end_the_session() {
        let server = Server::start_or_check("calculator-server", &[]);
        let client = begin(&server);
        for wrong in ["3.24 45", "1 / 0", "12+42", "__import__('os')"] {
            let said = ask(&client, wrong); // whatever its words
            let ran = said.contains("<module") || said == "54";
            assert!(!ran, "{wrong:?} was run as code: {said}");
        }
        assert_eq!(ask(&client, "12 + 42").parse(), Ok(54.0));
    }

    #[test]
    fn g_6d_after_q_the_connection_is_closed() {
        let server = Server::start_or_check("calculator-server", &[]);
        let client = begin(&server);
        assert_eq!(ask(&client, "12 + 42").parse(), Ok(54.0));
        say(&client, "q");
        assert_eq!(receive_all(&client), b"", "q has no answer");
    }
}

#[test]
fn g_4_template_client_and_server_say_hello() {
    let mut server = Server::start("calculator-template-server", &[]);
    for _ in 0..2 {
        let mut client = server.client("calculator-template-client", &[]);
        client.wait_for("From the server: Hello, I am the server").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
        server.wait_for("From the client: Hello, I am a client");
    }
    reset(server.connect());
    drop(server.connect());
    let client = server.connect();
    send(&client, b"raw \x1b[2J");
    assert_eq!(receive_all(&client), b"Hello, I am the server");
    server.wait_for("From the client: raw \\x1b[2J");
    server.interrupt();
}

#[test]
fn g_4_the_template_server_out_of_descriptors_pauses() {
    // 0 to 2, a pipe for signals, and the listener: none for a client.
    let program = "calculator-template-server";
    let mut server = Server::start_limited("ulimit -n 6", program, &[]);
    // The clock starts before the first failure can come: whatever delays this
    // test, four lines with three pauses between them take at least 300 ms.
    let began = Instant::now();
    let _waiting = server.connect();
    for _ in 0..4 {
        server.wait_for("accept(…): Too many open files (EMFILE). …");
    }
    let took = began.elapsed();
    assert!(took > Duration::from_millis(250), "four lines in {took:?}");
}

#[test]
fn g_4_the_template_client_tries_every_address_of_a_name() {
    let server = Server::start_at("127.0.0.9", "calculator-template-server");
    let port = server.address.port();
    let program = "calculator-template-client";
    let client = harness::client_of_two_addresses(program, port);
    if let Some(mut client) = client {
        client.wait_for("From the server: Hello, I am the server").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_4_the_notes_show_the_steps_of_both_templates() {
    let programs = ["datetime-template-server", "calculator-template-server"];
    let arguments = ["steps", programs[0], programs[1]];
    let shown = terminal::command("socketlab").args(arguments).output();
    let shown = String::from_utf8(shown.expect("it runs").stdout);
    let shown = shown.expect("text");
    let page =
        source_tree::root().expect("the sources").join("labs/calculator");
    let page = source_tree::read(&page.join("NOTES.md")).expect("a README");
    assert!(!shown.is_empty(), "socketlab steps knows both programs");
    let shown: Vec<&str> = shown.lines().collect();
    let block = page.lines().skip_while(|line| !line.starts_with(programs[0]));
    let block: Vec<&str> =
        block.take_while(|line| !line.starts_with("```")).collect();
    assert_eq!(block, shown, "copy what `socketlab steps` prints");
}

#[test]
fn g_5_steps_are_the_system_calls_in_the_order_of_the_banners() {
    let calls =
        ["socket", "setsockopt", "bind", "listen", "accept4", "recvfrom"];
    for program in SERVERS {
        harness::strace_shows(program, &calls);
    }
    let calls = ["socket", "bind", "listen", "accept4", "recvfrom", "sendto"];
    harness::strace_shows("calculator-template-server", &calls);
}

#[test]
fn g_6a_the_name_is_remembered_for_the_whole_session() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = session(&server, "  Ada Lovelace ");
        server.wait_for("[127.0.0.1:…] connected");
        server.wait_for("[127.0.0.1:…] is Ada Lovelace");
        for number in 0..3 {
            let sum = format!("{number} + 1");
            assert_eq!(ask(&client, &sum), (number + 1).to_string());
            server.wait_for(&format!("[…] Ada Lovelace: {sum}"));
        }
    }
}

#[test]
fn g_6a_two_sessions_do_not_mix_their_names() {
    let mut server = Server::start("calculator-server", &[]);
    let ada = session(&server, "Ada");
    let bob = session(&server, "Bob");
    for _ in 0..3 {
        assert_eq!(ask(&ada, "1 + 1"), "2");
        server.wait_for("[…] Ada: 1 + 1");
        assert_eq!(ask(&bob, "2 + 2"), "4");
        server.wait_for("[…] Bob: 2 + 2");
    }
}

#[test]
fn g_6a_empty_and_huge_names_are_refused() {
    let mut server = Server::start("calculator-sequential-server", &[]);
    for (name, told) in [
        ("".to_string(), "error: the name is empty: …"),
        (" \t".into(), "error: the name is empty: …"),
        ("x".repeat(65), "error: the name has 65 bytes: 64 are allowed"),
        ("x".repeat(5000), "error: the name is too long"),
        ("x".repeat(1 << 20), "error: the name is too long"),
    ] {
        let client = session(&server, &name);
        let said = receive_all(&client);
        let said = String::from_utf8_lossy(&said);
        assert!(terminal::matches(told, said.trim_end()), "{said}");
        server.wait_for("[…] refused: the name …");
    }
    let client = session(&server, &"é".repeat(32));
    assert_eq!(ask(&client, "1 + 1"), "2", "64 bytes are allowed");
}

#[test]
fn g_6a_a_name_cannot_drive_the_terminal() {
    let mut server = Server::start("calculator-server", &[]);
    let client = server.connect();
    send(&client, b"\x1b[2J\xffq\n1 + 1\n");
    server.wait_for("[…] is \\x1b[2J\\xffq");
    assert_eq!(receive_line(&client), "2");
}

#[test]
fn g_6b_server_checks_what_the_client_should_have() {
    let mut server = Server::start("calculator-sequential-server", &[]);
    let client = session(&server, "raw");
    for (sum, told) in [
        ("3.24 45", "error: no operator between '3.24' and '45': …"),
        ("12+42", "error: put spaces around the operator: 12 + 42"),
        ("quit", "error: …"),
        ("\x1b]0;x\x07 + 1", "error: '\\x1b]0;x\\x07' is not a number: …"),
    ] {
        let said = ask(&client, sum);
        assert!(terminal::matches(told, &said), "{sum:?}: {said}");
    }
    server.wait_for("[…] raw: \\x1b]0;x\\x07 + 1");
    assert_eq!(ask(&client, "12 + 42"), "54");
}

#[test]
fn g_6c_a_message_of_5000_bytes_is_refused_and_the_session_lives() {
    let server = Server::start("calculator-sequential-server", &[]);
    let client = session(&server, "Ada");
    let told = "error: at most 4096 bytes a message";
    assert_eq!(ask(&client, &format!("{} + 1", "1".repeat(5000))), told);
    assert_eq!(ask(&client, &format!("{} + 1", "9".repeat(30))).len(), 31);
}

#[test]
fn g_6c_a_message_without_line_end_counts_after_a_pause() {
    let mut server = Server::start("calculator-sequential-server", &[]);
    let client = server.connect();
    send(&client, b"Python");
    server.wait_for("[…] is Python"); // so it was taken for whole
    send(&client, b"12 + 42");
    assert_eq!(receive_line(&client), "54");
    send(&client, b"q");
    assert_eq!(receive_all(&client), b"");
    server.wait_for("Session ended");
}

#[test]
fn g_6c_one_byte_at_a_time() {
    for program in SERVERS {
        // Without the guess: a busy machine may pause anywhere.
        let mut server = Server::start(program, &["--pause", "0"]);
        let client = server.connect();
        trickle(&client, b"Ada\r\n12 + 42\r\nq\r\n");
        assert_eq!(receive_all(&client), b"54\n", "one recv is not one send");
        server.wait_for("[…] Ada: q");
        server.wait_for("Session ended");
    }
}

#[test]
fn g_6c_a_whole_session_in_one_segment() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        send(&client, b"Ada\n12 + 42\n1 / 0\n2 ** 3\nq\n9 + 9\n");
        let answers = receive_all(&client);
        let answers = String::from_utf8_lossy(&answers);
        assert_eq!(answers, "54\nerror: division by zero\n8\n");
        server.wait_for("Session ended");
    }
}

#[test]
fn g_6d_half_close_still_gets_its_answer() {
    let mut server = Server::start("calculator-sequential-server", &[]);
    let client = server.connect();
    send(&client, b"Ada\n12 + 42");
    half_close(&client);
    assert_eq!(receive_all(&client), b"54\n");
    server.wait_for("[…] Ada left: end of stream, no q");
}

#[test]
fn g_6d_q_ends_the_session_and_the_next_client_is_served() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        for farewell in ["q", "Q", "q ", "\tq"] {
            let client = session(&server, "Ada");
            assert_eq!(ask(&client, "1 + 1"), "2");
            send(&client, format!("{farewell}\n").as_bytes());
            assert_eq!(receive_all(&client), b"", "{farewell:?} has no answer");
            server.wait_for("[…] Ada: q");
            let line = server.console().read_line().expect("a line");
            assert_eq!(line.as_deref(), Some("Session ended"));
        }
        let client = session(&server, "Ada");
        assert!(ask(&client, "q 1").starts_with("error: "), "not q");
    }
}

#[test]
fn g_6d_a_client_that_just_leaves_is_noted_differently() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        drop(server.connect());
        server.wait_for("[…] left: end of stream, no name");
        drop(session(&server, "Ada"));
        server.wait_for("[…] Ada left: end of stream, no q");
        let client = session(&server, "Ada");
        assert_eq!(ask(&client, "1 + 1"), "2");
        reset(client);
        server.wait_for("[…] lost: recv(…): … (ECONNRESET). …");
        let mut client = server.client("calculator-client", &["--name", "Eve"]);
        client.type_line("1 + 1").expect("it reads");
        client.wait_for("2").expect("an answer");
        client.signal(Signal::KILL).expect("a signal");
        server.wait_for("[…] Eve left: end of stream, no q");
        assert_eq!(ask(&session(&server, "Bob"), "12 + 42"), "54", "{program}");
    }
}

#[test]
fn g_6d_silence_ends_a_session() {
    let mut server =
        Server::start("calculator-sequential-server", &["--idle", "1"]);
    let client = session(&server, "Ada");
    let told = b"error: silent for too long\n";
    assert_eq!(receive_all(&client), told);
    server.wait_for("[…] lost: recv(…): timed out: …");
    assert_eq!(ask(&session(&server, "Bob"), "1 + 1"), "2");
}

#[test]
fn g_7b_a_new_session_knows_nothing_of_the_old_one() {
    let mut server = Server::start("calculator-server", &[]);
    let client = session(&server, "Ada");
    assert_eq!(ask(&client, "12 + 42"), "54");
    drop(client);
    // Stateless, this would be a sum. Here it is somebody's name.
    let client = session(&server, "12 + 42");
    server.wait_for("[…] is 12 + 42");
    assert_eq!(ask(&client, "1 + 1"), "2");
    server.wait_for("[…] 12 + 42: 1 + 1");
}

#[test]
fn g_6c_nc_is_a_client() {
    if installed("nc", "netcat-openbsd") {
        let mut server = Server::start("calculator-server", &[]);
        let mut nc = server.client("nc", &[]);
        for line in ["Ada", "12 + 42"] {
            nc.type_line(line).expect("it reads");
        }
        nc.wait_for("54").expect("the answer");
        nc.type_line("q").expect("it reads");
        server.wait_for("Session ended");
    }
}

#[test]
fn g_6_python_client_and_our_servers() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let Some(mut client) =
            server.python("calculator/client.py", &["Grace"])
        else {
            return;
        };
        client.type_line("12 + 42").expect("it reads");
        client.wait_for("answer: 54").expect("the answer");
        client.type_line("3.24 45").expect("it reads");
        client.wait_for("warning: …").expect("a warning of its own");
        client.type_line("4.5 / -6").expect("it reads");
        client.wait_for("answer: -0.75").expect("the answer");
        client.type_line("q").expect("it reads");
        server.wait_for("[…] Grace: 12 + 42");
        server.wait_for("[…] Grace: 4.5 / -6");
        server.wait_for("Session ended");
    }
}

#[test]
fn g_6_a_taken_port_ends_the_server_with_a_line_that_helps() {
    let server = Server::start("calculator-server", &[]);
    let (host, port) = server.host_and_port();
    let second = Command::new(terminal::program_folder().join(SERVERS[0]))
        .args([host, port])
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("Error: bind(127.0.0.1:"), "{told}");
    assert!(told.contains("(EADDRINUSE)"), "{told}");
    assert_eq!(second.status.code(), Some(1));
}
