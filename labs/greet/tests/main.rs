//! Proves greet's steps and its greeting, black box: what its two programs say
//! to each other, to Python, and to people who break things.

use std::net::TcpListener;
use std::thread;

use harness::terminal::{self, Terminal};
use harness::{
    Server, half_close, installed, play_readme, python_server, receive_all,
    reset, send,
};
use serde_json::Value;

const GREETING: &[u8] = b"Thank you for connecting";

const CLIENTS: [&str; 2] = ["greet-plain-client", "greet-client"];

#[test]
fn t_s_the_readmes_transcripts_hold() {
    play_readme("greet");
}

#[test]
fn t_s_server_greets_and_prints_a_python_tuple() {
    let mut server = Server::start("greet-server", &[]);
    let client = server.connect();
    let greeting = receive_all(&client);
    assert_eq!(greeting, GREETING, "exactly the handout's words, no newline");
    let port = client.local_addr().expect("an address").port();
    server.wait_for(&format!("Got connection from ('127.0.0.1', {port})"));
    server.interrupt();
}

#[test]
fn t_c_client_prints_what_it_receives() {
    let server = Server::start_or_check("greet-server", &[]);
    for program in CLIENTS {
        let mut client = server.client(program, &[]);
        let said = client.read_to_end().expect("it ends");
        assert_eq!(
            String::from_utf8_lossy(&said),
            "Thank you for connecting\n"
        );
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn t_c_the_plain_client_waits_for_all_of_it_and_survives_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let start = || {
        let arguments = ["127.0.0.1", port.as_str()];
        let client = Terminal::start("greet-plain-client", arguments);
        let (peer, _) = listener.accept().expect("a client");
        peer.set_nodelay(true).expect("no delay");
        (client.expect("it starts"), peer)
    };
    let (mut client, peer) = start();
    harness::trickle(&peer, b"half a li");
    harness::trickle(&peer, b"ne, \x1b[2J");
    drop(peer);
    client.wait_for("half a line, \\x1b[2J").expect("one sentence");
    // A server that is gone, and one that never ends until Ctrl-C.
    let (mut client, peer) = start();
    reset(peer);
    client.wait_for("Error: recv(…): … (ECONNRESET). …").expect("one line");
    let (mut client, _peer) = start();
    client.signal(rustix::process::Signal::INT).expect("a signal");
    client.wait_for_end().expect("Ctrl-C ends it");
}

#[test]
fn t_v4_the_client_asks_for_gethostname_as_the_handout_does() {
    // If the name has no address, the program must print that.
    let name = rustix::system::uname().nodename().to_owned();
    let name = name.to_string_lossy().into_owned();
    let arguments = ["ignored", "0", "--hostname"];
    let mut server =
        Terminal::start("greet-server", arguments).expect("it starts");
    let line = server.read_line().expect("a line").expect("it runs");
    if line.starts_with("Error") {
        assert!(line.contains("This machine's own name has no"), "{line}");
        return;
    }
    let line = server.wait_for("listening on …").expect("it listens");
    let address = line.trim_start_matches("listening on ");
    let port = address.rsplit(':').next().expect("a port");
    for program in CLIENTS {
        let arguments = ["ignored", port, "--hostname"];
        let mut client =
            Terminal::start(program, arguments).expect("it starts");
        client
            .wait_for("Thank you for connecting")
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn t_v4_a_machine_whose_name_has_no_address_is_told_what_to_do() {
    // A world of its own, whose name nobody knows.
    let begin = || {
        let mut command = std::process::Command::new("unshare");
        let rename = "hostname nobody-knows.invalid && exec \"$@\"";
        command.args(["-ru", "sh", "-c", rename, "world"]);
        command
    };
    let possible = begin().arg("true").output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no host name of its own can be had here");
        return;
    }
    for program in ["greet-server", "greet-plain-client", "greet-client"] {
        let mut command = begin();
        command.arg(terminal::program_folder().join(program));
        command.args(["ignored", "12345", "--hostname"]);
        let mut run = Terminal::run(&mut command).expect("it starts");
        run.wait_for(
            "Error: getaddrinfo(nobody-knows.invalid): … This machine's own \
             name has no address: …",
        )
        .expect("one line");
        assert_eq!(run.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn x_err_a_refusal_on_another_loopback_address_names_its_host() {
    let nobody = TcpListener::bind("127.0.1.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    for program in CLIENTS {
        let mut client =
            Terminal::start(program, ["127.0.1.1", &port]).expect("it starts");
        client
            .wait_for(&format!(
                "Error: connect(…): … make greet-server HOST=127.0.1.1 \
                 PORT={port}"
            ))
            .expect("the address, too");
    }
}

#[test]
fn x_err_a_silent_server_is_told_with_the_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port().to_string();
    let arguments = ["127.0.0.1", &port, "--wait=1"];
    let mut client =
        Terminal::start("greet-client", arguments).expect("it starts");
    client
        .wait_for(
            "Error: recv(…): timed out after 1 s (EAGAIN). … A server for \
             one client at a time may be serving another.",
        )
        .expect("in words");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn x_thread_the_greeter_prints_its_threads() {
    let mut server = Server::start("greet-server", &[]);
    assert_eq!(receive_all(&server.connect()), GREETING);
    server.console().signal(rustix::process::Signal::USR1).expect("a signal");
    server.wait_for("threads: …");
    server.wait_for("… main…");
    server.wait_for("… signals, in …");
    assert_eq!(receive_all(&server.connect()), GREETING, "it goes on");
    server.interrupt();
}

#[test]
fn t_c_python_client_reads_our_greeting() {
    let server = Server::start("greet-server", &[]);
    if let Some(mut client) = server.python("greet/client.py", &[]) {
        client.wait_for("Thank you for connecting").expect("the greeting");
    }
}

#[test]
fn t_s_our_client_reads_pythons_greeting() {
    if let Some(server) = python_server("greet/server.py", &[]) {
        for program in CLIENTS {
            let mut client = server.client(program, &[]);
            client.wait_for("Thank you for connecting").expect("the greeting");
        }
    }
}

#[test]
fn t_c_a_greeting_in_pieces_is_printed_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let greeter = thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        client.set_nodelay(true).expect("no delay");
        harness::trickle(&client, b"220 one\r\n220 two");
    });
    let mut client = Terminal::start("greet-client", ["127.0.0.1", &port])
        .expect("it starts");
    assert_eq!(client.read_line().expect("a line"), Some("220 one".into()));
    assert_eq!(client.read_line().expect("a line"), Some("220 two".into()));
    greeter.join().expect("the greeter");
}

#[test]
fn t_m_client_is_a_banner_reader() {
    // SMTP, POP3, IMAP and FTP speak first and then wait for a command.
    let banners = ["220 mail ESMTP", "+OK POP3", "* OK IMAP4rev1", "220 FTP"];
    let clients = banners.map(|banner| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let arguments = ["127.0.0.1", &port.to_string(), "--wait=1"];
        let client =
            Terminal::start("greet-client", arguments).expect("it starts");
        let (peer, _) = listener.accept().expect("a client");
        send(&peer, format!("{banner}\r\n").as_bytes());
        (banner, client, peer)
    });
    for (banner, mut client, _peer) in clients {
        client.wait_for(banner).expect("the banner");
        client
            .wait_for("(the server keeps the connection open; leaving)")
            .expect("it leaves");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn t_c_a_greeting_in_single_bytes_has_a_deadline() {
    let server = harness::dripping_server();
    let mut client = server.client("greet-client", &["--wait=1"]);
    client.wait_for("xx…").expect("what came until then");
    client.wait_for("(the server keeps …").expect("it leaves");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn t_f5_a_connect_without_an_answer_times_out() {
    // A full queue: the kernel lets further handshakes hang.
    let socket = || {
        let (family, kind) = (socket2::Domain::IPV4, socket2::Type::STREAM);
        socket2::Socket::new(family, kind, None).expect("a socket")
    };
    let listener = socket();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    listener.bind(&any.into()).expect("a port");
    listener.listen(0).expect("it listens");
    let address = listener.local_addr().expect("an address");
    let crowd = [0; 4].map(|_| socket());
    for client in &crowd {
        client.set_nonblocking(true).expect("non-blocking");
        let _ = client.connect(&address);
    }
    let port = address.as_socket().expect("an address").port().to_string();
    let arguments = ["127.0.0.1", &port, "--wait", "1"];
    let mut client =
        Terminal::start("greet-client", arguments).expect("it starts");
    client
        .wait_for("Error: connect(…): timed out after 1 s (…). …")
        .expect("in words");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn t_c_a_peers_escapes_are_not_obeyed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let mut client = Terminal::start("greet-client", ["127.0.0.1", &port])
        .expect("it starts");
    let (peer, _) = listener.accept().expect("a client");
    send(&peer, b"\x1b[2Jhi\xff");
    drop(peer);
    client.wait_for("\\x1b[2Jhi\\xff").expect("escapes, shown");
}

#[test]
fn t_s_rude_clients_do_not_end_the_server() {
    let mut server = Server::start("greet-server", &[]);
    for _ in 0..20 {
        drop(server.connect()); // never reads
        reset(server.connect());
        let talker = server.connect();
        send(&talker, b"GET / HTTP/1.0\r\n\r\n");
        half_close(&server.connect());
        // The queue of listen(5) is empty again once this one is greeted.
        assert_eq!(receive_all(&server.connect()), GREETING);
    }
    server.interrupt();
}

#[test]
fn t_f2_a_second_server_on_the_port_is_told_why() {
    let server = Server::start("greet-server", &[]);
    let mut second = server.client("greet-server", &[]);
    second.wait_for("Error: bind(127.0.0.1:…): … (EADDRINUSE). …").unwrap();
    assert_eq!(second.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn t_s_restarts_at_once_with_so_reuseaddr_and_not_without() {
    // The server closes first, so its end of the connection waits in
    // TIME_WAIT; that end keeps the port busy for a bind without the option.
    for (option, works) in [("--allow-privileged", true), ("--no-reuse", false)]
    {
        let mut first = Server::start("greet-server", &[option]);
        receive_all(&first.connect());
        first.interrupt();
        let mut second = first.client("greet-server", &[option]);
        let wanted = match works {
            true => "listening on …",
            false => "Error: bind(…): Address already in use (EADDRINUSE)…",
        };
        second.wait_for(wanted).unwrap_or_else(|e| panic!("{option}: {e}"));
    }
}

#[test]
fn t_v4_hostname_option_tells_where_the_name_leads() {
    let arguments = ["ignored", "0", "--hostname"];
    let mut server =
        Terminal::start("greet-server", arguments).expect("it starts");
    server.wait_for("gethostname() is …, which resolves to …").unwrap();
    server.wait_for("listening on …").expect("it listens");
}

#[test]
fn t_f5_client_before_server_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    let mut client = Terminal::start("greet-client", ["127.0.0.1", &port])
        .expect("it starts");
    client
        .wait_for(&format!(
            "Error: connect(127.0.0.1:{port}): Connection refused \
             (ECONNREFUSED). … make greet-server PORT={port}"
        ))
        .expect("one line that teaches");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

/// Starts the server with TRACE=1, greets one client, and returns what the
/// trace and the client said.
fn traced() -> (String, String) {
    let mut command = terminal::command("greet-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", "1");
    let mut server = Terminal::run(&mut command).expect("it starts");
    let mut trace = String::new();
    let address = loop {
        let line = server.read_line().expect("a line").expect("it runs");
        trace.push_str(&format!("{line}\n"));
        if let Some(address) = line.strip_prefix("listening on ") {
            break address.to_string();
        }
    };
    let (host, port) = address.split_once(':').expect("host:port");
    let mut command = terminal::command("greet-client");
    command.args([host, port]).env("TRACE", "1");
    let mut client = Terminal::run(&mut command).expect("it starts");
    let said = client.read_to_end().expect("it ends");
    loop {
        let line = server.read_line().expect("a line").expect("it closes");
        trace.push_str(&format!("{line}\n"));
        if line.starts_with("trace server 6 close(") {
            break;
        }
    }
    server.signal(rustix::process::Signal::INT).expect("a signal");
    (trace, String::from_utf8_lossy(&said).into())
}

#[test]
fn t_f6_t_f7_recv_and_send_show_their_bytes() {
    let (server, client) = traced();
    let sent = ", \"Thank you for connecting\", 24) = 24";
    assert!(server.contains("5 send(") && server.contains(sent), "{server}");
    let came = ", \"Thank you for connecting\", 1024) = 24";
    assert!(client.contains("3 recv(") && client.contains(came), "{client}");
}

#[test]
fn t_f1_socket_makes_an_endpoint_of_family_and_type() {
    let (server, client) = traced();
    let call = "1 socket(AF_INET, SOCK_STREAM, 0) = ";
    assert!(server.contains(call), "{server}");
    assert!(client.contains(call), "{client}");
}

#[test]
fn t_f3_listen_queues_clients_before_accept() {
    // Nobody accepts here: the kernel alone completes the handshakes.
    let listener = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        None,
    )
    .expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    listener.bind(&any.into()).expect("a port");
    listener.listen(5).expect("it listens");
    let address = listener.local_addr().expect("an address").as_socket();
    let address = address.expect("an address").to_string();
    let (host, port) = address.split_once(':').expect("host:port");
    let arguments = [host, port, "--wait", "1"];
    let mut client =
        Terminal::start("greet-client", arguments).expect("it starts");
    let said = client.wait_for("Error: recv(…): …").expect("a connection");
    assert!(!said.contains("connect("), "connected, and then silence: {said}");
}

#[test]
fn t_f4_accept_gives_a_socket_of_its_own_on_the_same_port() {
    let server = Server::start("greet-server", &[]);
    let (one, two) = (server.connect(), server.connect());
    let port = |stream: &std::net::TcpStream| {
        stream.peer_addr().expect("an address").port()
    };
    assert_eq!((port(&one), port(&two)), (server.address.port(), port(&one)));
    assert_eq!(receive_all(&one), GREETING);
    assert_eq!(receive_all(&two), GREETING);
}

#[test]
fn t_f6_recv_gives_what_came_and_then_zero() {
    let (_, client) = traced();
    assert!(client.contains("3 recv("), "{client}");
    assert!(client.contains(") = 24 "), "{client}");
    assert!(client.contains(") = 0 "), "{client}");
}

#[test]
fn t_f7_send_returns_how_many_bytes_the_kernel_took() {
    let mut command = terminal::command("greet-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", "1");
    let mut server = Server::run(&mut command);
    let never_reads = server.connect();
    server.wait_for("trace server 5 send(…) = 24 …");
    assert_eq!(receive_all(&server.connect()), GREETING, "nobody is held up");
    drop(never_reads);
}

#[test]
fn t_f10_close_is_read_as_end_of_stream() {
    let (server, client) = traced();
    // The active closer's state, as the kernel reports it.
    let close = server.lines().last().unwrap_or_default();
    let waits = ["FIN_WAIT", "TIME_WAIT"].iter().any(|s| close.contains(s));
    assert!(waits, "{close}");
    assert!(client.contains("4 close("), "{client}");
}

#[test]
fn t_f_steps_are_the_system_calls_in_the_order_of_the_banners() {
    harness::strace_shows(
        "greet-server",
        &["socket", "setsockopt", "bind", "listen", "accept", "close"],
    );
}

#[test]
fn x_trace_greet_makes_the_calls_that_it_traces_and_no_others()
-> socketlab::Result<()> {
    harness::server_calls_are_traced("greet-server", b"")?;
    let server = Server::start("greet-server", &[]);
    harness::client_calls_are_traced("greet-client", &server, "")
}

/// One run of both ends with TRACE=FILE: their calls, merged by `ended`.
fn merged() -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steps.jsonl");
    let mut command = terminal::command("greet-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", &file);
    let mut server = Server::run(&mut command);
    let (host, port) = server.host_and_port();
    let mut command = terminal::command("greet-client");
    command.args([host, port]).env("TRACE", &file);
    let mut client = Terminal::run(&mut command).expect("it starts");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    // Once a second client is greeted, all about the first is in the file.
    receive_all(&server.connect());
    server.interrupt();
    let text = std::fs::read_to_string(&file).expect("the file");
    let mut calls: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect();
    let second = calls.iter().filter(|call| call["call"] == "accept").nth(1);
    let second = second.map_or(u64::MAX, |call| time(call, "ended"));
    calls.retain(|call| time(call, "ended") < second);
    calls.sort_by_key(|call| time(call, "ended"));
    calls
}

fn time(call: &Value, which: &str) -> u64 {
    call[which].as_u64().expect("nanoseconds since 1970")
}

/// What is certain: an effect ends after its cause began, because a call may
/// wake the other program before it returns to its own. Whatever its thread
/// did before the cause has ended by then, too.
#[test]
fn x_trace_both_ends_merge_in_causal_order() {
    for run in 0..20 {
        let calls = merged();
        let find = |role: &str, call: &str, result: &str| {
            let found = calls.iter().find(|step| {
                let given = step["result"].as_str().unwrap_or_default();
                step["role"] == role
                    && step["call"] == call
                    && (result.is_empty() || given == result)
            });
            found.unwrap_or_else(|| panic!("no {role} {call} in {calls:#?}"))
        };
        let listen = find("server", "listen", "0");
        let connect = find("client", "connect", "0");
        let accept = find("server", "accept", "");
        let send = find("server", "send", "24");
        let greeting = find("client", "recv", "24");
        let close = find("server", "close", "0");
        let end = find("client", "recv", "0");

        let order = format!("run {run}: {calls:#?}");
        for (cause, effect) in [
            (listen, connect),
            (connect, accept),
            (send, greeting),
            (close, end),
        ] {
            assert!(time(cause, "began") < time(effect, "ended"), "{order}");
        }
        // In the merged list, by what was said above of threads.
        for (before, after) in [
            (listen, connect),
            (listen, accept),
            (accept, greeting),
            (send, end),
            (connect, greeting),
        ] {
            assert!(time(before, "ended") < time(after, "ended"), "{order}");
        }
        for role in ["server", "client"] {
            let own = calls.iter().filter(|call| call["role"] == role);
            let own: Vec<&Value> = own.collect();
            for pair in own.windows(2) {
                let [one, next] = pair else { continue };
                assert!(time(one, "ended") <= time(next, "began"), "{order}");
            }
        }
    }
}

#[test]
fn x_trace_greet_names_each_step_with_its_number() {
    let mut command = terminal::command("greet-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", "1");
    let mut server = Terminal::run(&mut command).expect("it starts");
    server
        .wait_for("trace server 1 socket(AF_INET, SOCK_STREAM, 0) = …")
        .unwrap();
    server.wait_for("trace server 2 bind(…, 127.0.0.1:0) = 0 …").unwrap();
    server.wait_for("trace server 3 listen(…, 5) = 0 …LISTEN").unwrap();
    let line = server.wait_for("listening on …").expect("it listens");
    let address = line.trim_start_matches("listening on ");
    let client = std::net::TcpStream::connect(address).expect("it accepts");
    let peer = client.local_addr().expect("an address");
    let accepted = format!("trace server 4 accept(…) = …, {peer} …ESTABLISHED");
    server.wait_for(&accepted).expect("the new socket and its state");
    server.wait_for("trace server 5 send(…) = 24 …").unwrap();
    server.wait_for("trace server 6 close(…) = 0 …").unwrap();
}

#[test]
fn t_s_nc_is_greeted() {
    if installed("nc", "netcat-openbsd") {
        let server = Server::start("greet-server", &[]);
        let mut nc = server.client("nc", &[]);
        nc.read_prompt("Thank you for connecting").expect("the greeting");
    }
}
