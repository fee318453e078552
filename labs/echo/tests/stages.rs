//! Proves that each stage does what the handout asks, call by call.

use harness::terminal::{self, Terminal};

use crate::{own_listener, refusing_port};
use harness::{
    DEADLINE, Server, half_close, receive, receive_all, send, strace_shows,
    trickle,
};

#[test]
fn e_t1_server_prints_the_sentence_and_ends() {
    let mut server = Server::start("echo-task1-server", &[]);
    let mut client = server.client("echo-task1-client", &[]);
    client.type_line("  spaces are  kept ").expect("it reads");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.wait_for("[127.0.0.1:…] connected");
    server.wait_for("[127.0.0.1:…] 19 bytes:   spaces are  kept ");
    server.wait_for("bye");
}

#[test]
fn e_t1_control_characters_are_shown_not_obeyed() {
    let mut server = Server::start("echo-task1-server", &[]);
    let client = server.connect();
    send(&client, b"\x1b[2J\xff\0");
    drop(client);
    server.wait_for("[…] 6 bytes: \\x1b[2J\\xff\\x00");
}

#[test]
fn e_t1_empty_input_and_end_of_input_leave_politely() {
    for input in ["\n", ""] {
        let mut server = Server::start("echo-task1-server", &[]);
        let mut client = server.client("echo-task1-client", &[]);
        client.type_bytes(input.as_bytes()).expect("it reads");
        client.end_input();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
        server.wait_for("[…] left");
    }
}

#[test]
fn e_t3_a_console_shows_the_whole_message_up_to_4_kib() {
    for program in ["echo-server", "echo-poll-server"] {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        for length in [61, 1001, 4095] {
            // In one segment, so that one recv() returns all of it.
            let line = format!("{}\n", "x".repeat(length));
            send(&client, line.as_bytes());
            receive(&client, line.len());
            let shown = format!("bytes: {}\\n", "x".repeat(length));
            server.wait_for(&format!("[…] {} {shown}", length + 1));
        }
    }
}

#[test]
fn e_t2_client_shows_the_echo() {
    let server = Server::start("echo-task2-server", &[]);
    let mut client = server.client("echo-task2-client", &[]);
    client.type_line("héllo").expect("it reads");
    client.wait_for("héllo").expect("the echo");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn e_i5_client_before_server_is_told_in_one_line() {
    let (_nobody, port) = refusing_port();
    for program in ["echo-task1-client", "echo-task3-client", "echo-client"] {
        let arguments = ["127.0.0.1", &port];
        let mut client =
            Terminal::start(program, arguments).expect("it starts");
        client
            .wait_for(&format!(
                "Error: connect(…): … (ECONNREFUSED). … make {} PORT={port}",
                program.replace("client", "server")
            ))
            .expect("one line that teaches");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn e_i5_with_retry_each_client_waits_for_its_server() {
    for (stage, tells) in [
        ("task1", false),
        ("task2", true),
        ("task3", true),
        ("task4", true),
        ("udp", true),
        ("", true),
    ] {
        let name = |role| format!("echo-{stage}-{role}").replace("--", "-");
        let (_nobody, port) = refusing_port();
        let arguments = ["127.0.0.1", &port, "--retry", "60"];
        let mut client =
            Terminal::start(&name("client"), arguments).expect("it starts");
        client.type_line("at last").expect("it reads");
        if stage != "task4" {
            // Without connect() a UDP client gets no error.
            client.wait_for("no server listens there yet: 60 s to go").unwrap();
        }
        let mut server = Terminal::start(&name("server"), ["127.0.0.1", &port])
            .expect("it starts");
        server.wait_for("listening on …").expect("it listens");
        server.wait_for("[…] … bytes: at last…").expect("its bytes");
        if tells {
            client.wait_for("at last").expect("the echo");
        }
    }
}

#[test]
fn e_i5_retry_ends_when_its_time_is_over() {
    let (_nobody, port) = refusing_port();
    for program in ["echo-task3-client", "echo-udp-client", "echo-client"] {
        let arguments = ["127.0.0.1", &port, "--retry", "1"];
        let mut client =
            Terminal::start(program, arguments).expect("it starts");
        let _ = client.type_line("anybody?"); // it may have ended
        client.wait_for("no server listens there yet: 1 s to go").unwrap();
        client.wait_for("Error: …: Connection refused …").expect("in the end");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn x_err_a_refusal_names_the_server_to_start_and_where() {
    let (_nobody, port) = refusing_port();
    for (host, told) in [
        ("127.0.0.1", format!("make echo-task3-server PORT={port}")),
        (
            "127.0.0.9",
            format!("make echo-task3-server HOST=127.0.0.9 PORT={port}"),
        ),
        ("::1", format!("make echo-task3-server HOST=::1 PORT={port}")),
    ] {
        let mut client = Terminal::start("echo-task3-client", [host, &port])
            .expect("it starts");
        let line = client.wait_for("Error: connect(…): …").expect("an error");
        let no_ipv6 = host == "::1" && !line.contains("REFUSED");
        assert!(no_ipv6 || line.ends_with(&told), "{line}");
    }
    // This machine's own address, where it has one, is as good as another's.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let own = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    if let Ok(own) = own
        && !own.ip().is_loopback()
    {
        let host = own.ip().to_string();
        for (client, server) in [
            ("echo-client", "echo-server"),
            ("echo-udp-client", "echo-udp-server"),
        ] {
            let mut client = Terminal::start(client, [host.as_str(), &port])
                .expect("it starts");
            let _ = client.type_line("anybody?"); // it may have ended
            client
                .wait_for(&format!(
                    "Error: … (ECONNREFUSED). … On that machine: make {server} \
                     HOST=0.0.0.0 PORT={port}"
                ))
                .expect("what to do there");
        }
    }
}

#[test]
fn e_i6_ports_that_make_no_sense_are_refused_with_the_reason() {
    for (port, reason) in [
        ("80", "port 80 is refused: ports below 1024 …"),
        ("65536", "…65536 is not a port: ports are 16 bits, 0 to 65535"),
        ("-1", "…-1 is not a port: …"),
        ("abc", "…'abc' is not a port: …"),
    ] {
        let mut server = Terminal::start("echo-server", ["127.0.0.1", port])
            .expect("it starts");
        server.wait_for(reason).unwrap_or_else(|e| panic!("{port}: {e}"));
        server.wait_for("Example: echo-server 127.0.0.1 12001").unwrap();
        assert_eq!(server.wait_for_end().expect("it ends").code(), Some(2));
    }
}

#[test]
fn x_cli_help_and_version_are_options_of_every_program() {
    for option in ["-h", "--help"] {
        let mut server = Terminal::start("echo-server", [option]).unwrap();
        server.wait_for("Usage: echo-server [<host>] [<port>]").unwrap();
        server.wait_for("  -h, --help        display this help").unwrap();
        server.wait_for("  -V, --version     display the version").unwrap();
        server.wait_for("Rarely needed:").unwrap();
        server
            .wait_for("  --max-clients     clients served at once …")
            .unwrap();
        server.wait_for("  echo-server 127.0.0.1 12001").unwrap();
        assert_eq!(server.wait_for_end().expect("it ends").code(), Some(0));
    }
    for option in ["-V", "--version"] {
        let mut server = Terminal::start("echo-server", [option]).unwrap();
        server.wait_for("echo-server …").expect("its version");
        assert_eq!(server.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn x_cli_an_option_that_is_no_number_is_told_in_plain_words() {
    for (words, problem) in [
        (["--max-clients", "x"], "…with value 'x': not a whole number"),
        (["--max-clients", ""], "…with value '': not a whole number"),
        (["--max-clients", "0"], "--max-clients 0 would serve nobody: …"),
    ] {
        let words = ["127.0.0.1", "0", words[0], words[1]];
        let mut server = Terminal::start("echo-server", words).unwrap();
        server.wait_for(problem).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(server.wait_for_end().expect("it ends").code(), Some(2));
    }
}

#[test]
fn x_err_explain_knows_errors_states_and_codes() {
    for (words, shown, hidden) in [
        ("ECONNREFUSED", "Connection refused\n", "SMTP"),
        ("time-wait", "TIME_WAIT: closed; ", "CLOSE_WAIT: "),
        ("550 no such user", "SMTP 550: refused", "HTTP"),
        ("HTTP/1.1 404 Not Found", "HTTP 404: Not Found\n", "HTTP 302: "),
        ("503", "\n\nHTTP 503: Service Unavailable\n", "HTTP 504"),
        ("OSError: [Errno 98] in use", "EADDRINUSE (98)", "is not known"),
        ("550-5.7.26 no", "5.7.26 of a mail server", "is not known"),
        ("1.1.1", "'1.1.1' is not known here", "ECONNREFUSED ("),
    ] {
        let words = ["explain"].into_iter().chain(words.split(' '));
        let mut run = Terminal::start("socketlab", words).expect("it starts");
        let text = run.read_to_end().expect("it ends");
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains(shown), "no '{shown}' in {text}");
        assert!(!text.contains(hidden), "'{hidden}' in {text}");
    }
}

#[test]
fn e_s1_the_server_creates_a_stream_socket() {
    strace_shows("echo-task1-server", &["socket", "bind"]);
}

#[test]
fn e_s2_the_server_binds_the_address_and_port_it_was_given() {
    let server = Server::start("echo-task1-server", &[]);
    let mut second = server.client("echo-task1-server", &[]);
    second.wait_for("Error: bind(…): … (EADDRINUSE). …").expect("it is taken");
    let mut wrong = Terminal::start("echo-task1-server", ["192.0.2.1", "0"])
        .expect("it starts");
    wrong.wait_for("Error: bind(…): … (EADDRNOTAVAIL). …").expect("not ours");
}

#[test]
fn e_s3_a_client_is_connected_before_accept() {
    let server = Server::start("echo-task3-server", &[]);
    let first = server.connect();
    send(&first, b"x");
    receive(&first, 1);
    // accept() will not run for this one while the first is served.
    let second = server.connect();
    assert!(second.peer_addr().is_ok(), "the kernel made the handshake");
}

#[test]
fn e_s4_accept_gives_every_client_a_socket_of_its_own() {
    let server = Server::start("echo-server", &[]);
    let clients = [server.connect(), server.connect(), server.connect()];
    for (number, client) in clients.iter().enumerate().rev() {
        send(client, &[b'0' + number as u8]);
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client, 1), [b'0' + number as u8]);
    }
}

#[test]
fn e_s5_the_server_sends_and_receives() {
    let mut server = Server::start("echo-task2-server", &[]);
    let client = server.connect();
    send(&client, b"there");
    assert_eq!(receive(&client, 5), b"there");
    send(&client, b"and back");
    assert_eq!(receive(&client, 8), b"and back");
    server.wait_for("[…] 8 bytes: and back");
}

#[test]
fn e_s6_both_sockets_are_closed_in_the_end() {
    let mut server = Server::start("echo-task1-server", &[]);
    let client = server.connect();
    half_close(&client);
    assert_eq!(receive_all(&client), b"", "its socket for us is closed");
    server.wait_for("bye");
    server.console().wait_for_end().expect("it ends");
    let refused = std::net::TcpStream::connect(server.address);
    assert!(refused.is_err(), "and the one that listened");
}

#[test]
fn e_s_steps_are_the_system_calls_in_the_order_of_the_banners() {
    let calls = ["socket", "setsockopt", "bind", "listen", "accept4"];
    for stage in ["task1", "task2", "task3", "threads", "poll"] {
        strace_shows(&format!("echo-{stage}-server"), &calls);
    }
    strace_shows("echo-server", &calls);
    let both = ["bind", "listen", "accept4", "recvfrom", "close", "close"];
    strace_shows("echo-task1-server", &both);
}

#[test]
fn e_c1_client_takes_a_name_and_tries_every_address() {
    let server = Server::start("echo-server", &[]);
    let port = server.address.port().to_string();
    let mut client = Terminal::start("echo-client", ["localhost", &port])
        .expect("it starts");
    client.type_line("by name").expect("it reads");
    client.wait_for("by name").expect("the echo");
}

#[test]
fn e_c2_the_client_gets_a_port_of_its_own_from_the_kernel() {
    let mut server = Server::start("echo-server", &[]);
    let mut one = server.client("echo-client", &[]);
    let mut two = server.client("echo-client", &[]);
    let first = server.wait_for("[127.0.0.1:…] connected");
    let second = server.wait_for("[127.0.0.1:…] connected");
    assert_ne!(first, second, "same host, two ports");
    one.end_input();
    two.end_input();
}

#[test]
fn e_c3_the_client_sends_receives_and_closes() {
    let (listener, port) = own_listener();
    let mut client = Terminal::start("echo-task2-client", ["127.0.0.1", &port])
        .expect("it starts");
    let (peer, _) = listener.accept().expect("a client");
    peer.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.type_line("ping").expect("it reads");
    assert_eq!(receive(&peer, 4), b"ping", "no line end is added");
    trickle(&peer, b"ping");
    client.wait_for("ping").expect("the echo");
    assert_eq!(receive_all(&peer), b"", "FIN");
}

/// One method of `net` is one system call, and time limits are visible.
#[test]
fn x_trace_shows_as_many_calls_as_strace() -> socketlab::Result<()> {
    harness::server_calls_are_traced("echo-server", b"traced\n")?;
    let server = Server::start("echo-server", &[]);
    harness::client_calls_are_traced("echo-client", &server, "traced")
}

#[test]
fn x_trace_file_holds_every_step_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steps.jsonl");
    let mut command = terminal::command("echo-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", &file);
    let mut server = Server::run(&mut command);
    let client = server.connect();
    send(&client, b"traced\nexit\n");
    receive_all(&client);
    server.interrupt();
    let text = std::fs::read_to_string(&file).expect("the file");
    let steps: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect();
    let find = |call: &str| {
        let found = steps.iter().find(|step| step["call"] == call);
        found.unwrap_or_else(|| panic!("no {call} in\n{text}"))
    };
    assert_eq!(find("bind")["step"], 2);
    assert_eq!(find("listen")["state"], "LISTEN");
    assert_eq!(find("accept")["state"], "ESTABLISHED");
    assert_eq!(find("accept")["role"], "server");
    let received = find("recv");
    assert_eq!(received["data"], "traced\\nexit\\n");
    assert_eq!(received["bytes"], 12);
    let peer = client.local_addr().expect("an address").to_string();
    assert_eq!(received["peer"], peer.as_str());
    assert_eq!(received["thread"], peer.as_str());
    assert!(received["blocked_us"].is_u64() && received["pid"].is_u64());
}
