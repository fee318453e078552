//! The client, against servers that the tests play themselves.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use harness::terminal::{self, Terminal};

use super::{SERVERS, Server, installed, receive_all, receive_line, send};
use harness::{DEADLINE, python_server, receive};
use rustix::process::Signal;

/// A client of ours, and the socket that it talks to.
#[track_caller]
fn pair(arguments: &[&str]) -> (Terminal, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let all = ["127.0.0.1", &port].into_iter().chain(arguments.iter().copied());
    let client = Terminal::start("calculator-client", all).expect("it starts");
    let (server, _) = listener.accept().expect("a client");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    (client, server)
}

/// What a user types, and what of it may reach the server.
#[track_caller]
fn type_all(client: &mut Terminal, lines: &[&str]) {
    for line in lines {
        client.type_line(line).expect("it reads");
    }
}

#[test]
fn g_5_the_text_crosses_the_wire_in_clear() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    type_all(&mut client, &["12 + 42"]);
    assert_eq!(receive(&server, 12), b"Ada\n12 + 42\n");
    send(&server, b"54\n");
    client.wait_for("54").expect("the answer");
}

#[test]
fn g_6b_badly_formed_input_is_warned_about_and_not_sent() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    for (line, warning) in [
        ("3.24 45", "warning: no operator between '3.24' and '45': …"),
        ("12+42", "warning: put spaces around the operator: 12 + 42"),
        ("1,5 + 1", "warning: '1,5': write a point, not a comma: '1.5'"),
        ("٣ + ٤", "warning: '٣' is not a number: …"),
        ("inf + 1", "warning: 'inf' is refused: …"),
        ("nan + 1", "warning: 'nan' is refused: …"),
        ("", "warning: nothing to compute: …"),
        ("quit", "warning: two numbers and an operator are needed: …"),
        ("help", "warning: two numbers and an operator are needed: …"),
    ] {
        client.type_line(line).expect("it reads");
        client.wait_for(warning).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
    type_all(&mut client, &["  3.24 \t+  45", "1 / 0"]);
    assert_eq!(receive_line(&server), "Ada");
    assert_eq!(receive_line(&server), "3.24 + 45", "nothing before it");
    send(&server, b"48.69\n");
    client.wait_for("48.69").expect("the answer");
    assert_eq!(receive_line(&server), "1 / 0", "well formed: the server's");
}

#[test]
fn g_6b_raw_sends_what_is_badly_formed_too() {
    for program in SERVERS {
        let server = Server::start(program, &[]);
        let mut client =
            server.client("calculator-client", &["--name=Ada", "--raw"]);
        type_all(&mut client, &["3.24 45", "12+42", "12 + 42", "q"]);
        client.wait_for("error: no operator between …").unwrap();
        client.wait_for("error: put spaces around …").unwrap();
        client.wait_for("54").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_6d_q_is_forwarded_and_the_client_stops() {
    for typed in ["q", "Q", "q ", " q"] {
        let (mut client, server) = pair(&["--name", "Ada"]);
        type_all(&mut client, &[typed]);
        assert_eq!(receive_all(&server), b"Ada\nq\n", "{typed:?}");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_6d_end_of_input_leaves_without_q() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    client.end_input();
    assert_eq!(receive_all(&server), b"Ada\n");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_6d_the_trace_shows_the_close_when_it_has_happened() {
    let server = Server::start("calculator-server", &[]);
    let (host, port) = server.host_and_port();
    let mut command = terminal::command("calculator-client");
    command.args([&host, &port, "--name=Ada"]).env("TRACE", "1");
    let mut client = Terminal::run(&mut command).expect("it starts");
    client.end_input();
    let line = client.wait_for("trace client 5 close(…) = 0 …").unwrap();
    // While another handle is open the kernel still has the connection as
    // it was, and no FIN has left.
    let state = line.rsplit(' ').next().unwrap_or_default();
    let open = ["ESTABLISHED", "CLOSE_WAIT"].contains(&state);
    assert!(!open, "a handle was left: {line}");
}

#[test]
fn g_6a_the_name_is_asked_for_until_there_is_one() {
    let server = Server::start("calculator-server", &[]);
    let mut client = server.client("calculator-client", &[]);
    type_all(&mut client, &["", &"x".repeat(65), "Ada", "12 + 42", "q"]);
    client.wait_for("warning: the name is empty: …").unwrap();
    client.wait_for("warning: the name has 65 bytes: 64 are allowed").unwrap();
    client.wait_for("54").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    // Given as an option, it cannot be asked for again: a usage error.
    let mut client = server.client("calculator-client", &["--name="]);
    client.wait_for("--name: the name is empty: …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(2));
}

#[test]
fn g_6a_a_person_is_prompted() {
    if !installed("python3", "python3") {
        return;
    }
    let server = Server::start("calculator-server", &[]);
    let (host, port) = server.host_and_port();
    // A pseudo-terminal between us and the client: it sees a person.
    let mut command = Command::new("python3");
    command
        .args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"])
        .arg(terminal::program_folder().join("calculator-client"))
        .args([host, port]);
    let mut person = Terminal::run(&mut command).expect("it starts");
    person.read_prompt("your name: ").expect("a prompt");
    person.type_line("Ada").expect("it reads");
    person.wait_for("Ada…").expect("what is typed is echoed");
    person.read_prompt("number operator number (q: leave): ").unwrap();
    person.type_line("12 + 42").expect("it reads");
    person.wait_for("54…").expect("the answer");
    person.read_prompt("number operator number (q: leave): ").unwrap();
    person.type_line("q").expect("it reads");
    person.wait_for_end().expect("it ends");
}

#[test]
fn g_6c_an_answer_in_pieces_is_one_answer() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    type_all(&mut client, &["12 + 42"]);
    assert_eq!(receive(&server, 12), b"Ada\n12 + 42\n");
    send(&server, b"5");
    send(&server, b"4\r\n");
    client.wait_for("54").expect("the answer");
    type_all(&mut client, &["1 + 1"]);
    assert_eq!(receive_line(&server), "1 + 1");
    send(&server, b"2"); // no line end, as Python servers answer
    client.wait_for("2").expect("the answer");
}

#[test]
fn g_6c_a_peers_escapes_are_not_obeyed() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    type_all(&mut client, &["1 + 1"]);
    send(&server, b"\x1b[2J2\n");
    client.wait_for("\\x1b[2J2").expect("escapes, shown");
}

#[test]
fn g_6c_a_server_that_is_gone_is_told() {
    let (mut client, server) = pair(&["--name", "Ada"]);
    assert_eq!(receive_line(&server), "Ada");
    drop(server);
    let _ = client.type_line("1 + 1"); // it may have noticed already
    client.wait_for("Error: …").expect("one line");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_6_client_before_server_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    for pair in ["calculator", "calculator-template"] {
        let program = &format!("{pair}-client");
        let mut client =
            Terminal::start(program, ["127.0.0.1", &port]).expect("it starts");
        let _ = client.type_line("Ada"); // the template asks for nothing
        client
            .wait_for(&format!(
                "Error: …(ECONNREFUSED). … make {pair}-server PORT={port}"
            ))
            .expect("one line that teaches");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn g_6_foreign_leaves_line_ends_out_and_a_gap_behind_the_name() {
    let (mut client, server) = pair(&["--name=Ada", "--foreign", "--gap=9000"]);
    type_all(&mut client, &["12 + 42", "q"]);
    assert_eq!(receive(&server, 3), b"Ada");
    send(&server, b"Welcome, Ada"); // not the answer to a sum
    client.wait_for("Welcome, Ada").expect("the greeting");
    assert_eq!(receive(&server, 7), b"12 + 42");
    send(&server, b"54");
    client.wait_for("54").expect("the answer");
    assert_eq!(receive_all(&server), b"q");
}

#[test]
fn g_6_our_client_and_a_python_server_from_a_script() {
    let Some(mut server) = python_server("calculator/server.py", &[]) else {
        return;
    };
    let arguments = ["--foreign", "--gap=1000", "--name=Ada"];
    let mut client = server.client("calculator-client", &arguments);
    type_all(&mut client, &["12 + 42", "4.5  /  -6", "1 / 0", "q"]);
    client.wait_for("54").expect("the answer");
    client.wait_for("-0.75").expect("the answer");
    client.wait_for("error: division by zero").expect("the answer");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.wait_for("name: Ada");
    server.wait_for("Ada: 4.5 / -6");
    server.wait_for("Session ended");
}

#[test]
fn g_6_our_client_and_a_python_server_by_hand() {
    let Some(mut server) = python_server("calculator/server.py", &[]) else {
        return;
    };
    // A person types after the server has read the name: no gap is needed.
    let mut client = server.client("calculator-client", &["--name", "Ada"]);
    server.wait_for("name: Ada");
    type_all(&mut client, &["12 + 42", "q"]);
    client.wait_for("54").expect("the answer");
    server.wait_for("Session ended");
}

#[test]
fn g_6a_a_script_is_understood_by_a_server_that_counts_recv_calls() {
    // No --foreign: the name has a newline and a gap after it.
    for arguments in [&["--name=Ada"][..], &["--name=Ada", "--foreign"]] {
        let server = python_server("calculator/server.py", &[]);
        let Some(mut server) = server else { return };
        let mut client = server.client("calculator-client", arguments);
        type_all(&mut client, &["12 + 42", "q"]);
        client.wait_for("54").expect("the answer");
        server.wait_for("name: Ada");
        server.wait_for("Session ended");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_6a_the_gap_ends_when_the_server_greets() {
    let (mut client, server) = pair(&["--name=Ada", "--gap=60000"]);
    type_all(&mut client, &["12 + 42"]);
    assert_eq!(receive_line(&server), "Ada");
    send(&server, b"Hello, Ada\n");
    client.wait_for("Hello, Ada").expect("it is no answer");
    assert_eq!(receive_line(&server), "12 + 42", "long before the minute");
}

#[test]
fn g_6c_no_answer_for_three_seconds_is_explained() {
    let (mut client, server) = pair(&["--name=Ada"]);
    type_all(&mut client, &["12 + 42"]);
    client.wait_for("no answer for 3 s. …").expect("what may have happened");
    send(&server, b"54\n");
    client.wait_for("54").expect("it has gone on waiting");
}

#[test]
fn g_6d_a_refusal_is_not_an_answer() {
    for (refusal, told) in [
        ("error: no room, try again later\n", "no room, try again later"),
        ("error: the name is too long\n", "the name is too long"),
        ("error: silent for too long\n", "silent for too long"),
    ] {
        let told = format!("Error: the server refused: {told}");
        // Before the first sum, and instead of an answer.
        let (mut client, server) = pair(&["--name=Ada", "--gap=9000"]);
        assert_eq!(receive_line(&server), "Ada");
        send(&server, refusal.as_bytes());
        client.wait_for(&told).unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
        let (mut client, server) = pair(&["--name=Ada", "--gap=0"]);
        type_all(&mut client, &["1 + 1"]);
        assert_eq!(receive_line(&server), "Ada");
        assert_eq!(receive_line(&server), "1 + 1");
        send(&server, refusal.as_bytes());
        client.wait_for(&told).unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
    // An error that answers a sum is an answer.
    let (mut client, server) = pair(&["--name=Ada", "--gap=0"]);
    type_all(&mut client, &["1 / 0", "q"]);
    assert_eq!(receive_line(&server), "Ada");
    assert_eq!(receive_line(&server), "1 / 0");
    send(&server, b"error: division by zero\n");
    client.wait_for("error: division by zero").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_6_retry_waits_for_a_server_that_starts_later() {
    use socket2::{Domain, Socket, Type};
    let held = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    held.bind(&any.into()).expect("a port");
    let address = held.local_addr().expect("an address").as_socket();
    let place = Server::at(address.expect("an IP address"));
    let arguments = ["--name=Ada", "--retry=60"];
    let mut client = place.client("calculator-client", &arguments);
    client.wait_for("no server listens there yet: …").unwrap();
    held.listen(5).expect("it listens");
    let (server, _) = TcpListener::from(held).accept().expect("a client");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    assert_eq!(receive_line(&server), "Ada");
    client.signal(Signal::KILL).expect("a signal");
}

#[test]
fn g_6c_the_console_prints_a_message_complete_up_to_4_kib() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        let sum = format!("{} + 1", "1".repeat(4092));
        send(&client, format!("Ada\n{sum}\n").as_bytes());
        let printed = server.wait_for("[…] Ada: …");
        assert!(printed.ends_with(&format!("Ada: {sum}")), "{printed}");
    }
}
