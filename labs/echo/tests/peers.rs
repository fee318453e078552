//! Proves that our programs understand Python's and nc.

use std::net::UdpSocket;
use std::time::Duration;

use harness::{Server, installed, python_server};

/// Longer than the server's 200 ms, also on a busy machine: nothing comes on
/// this socket.
fn pause_as_a_person_does() {
    let silence = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let time = Some(Duration::from_secs(1));
    silence.set_read_timeout(time).expect("a limit");
    let _ = silence.recv(&mut [0]);
}

#[test]
fn e_t2_python_client_and_our_servers() {
    let programs = ["echo-task3-server", "echo-threads-server", "echo-server"];
    let mut pairs = Vec::new();
    for program in programs {
        let server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo/tcp_client.py", &[]) else {
            return;
        };
        client.type_line("hello").expect("it reads");
        client.wait_for("echo: hello").expect("the echo");
        pairs.push((server, client));
    }
    pause_as_a_person_does();
    for (_, client) in &mut pairs {
        client.type_line("stop").expect("it reads");
        client.wait_for("echo: stop").expect("the echo of the command");
    }
    for (server, _) in &mut pairs {
        server.wait_for("bye"); // the client is still there
    }
    for (_, mut client) in pairs {
        client.end_input();
        client.wait_for_end().expect("it ends");
    }
}

#[test]
fn e_t2_our_clients_and_a_python_server() {
    let Some(server) = python_server("echo/tcp_server.py", &[]) else { return };
    let mut client = server.client("echo-task3-client", &[]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.end_input();
    client.wait_for_end().expect("it ends");
    let mut client = server.client("echo-client", &[]);
    client.type_line("both ways").expect("it reads");
    client.wait_for("both ways").expect("the echo");
    client.end_input();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn e_t2_nc_is_a_client() {
    if installed("nc", "netcat-openbsd") {
        let server = Server::start("echo-server", &[]);
        let mut nc = server.client("nc", &[]);
        nc.type_line("from nc").expect("it reads");
        nc.wait_for("from nc").expect("the echo");
    }
}

#[test]
fn e_t4_python_and_ours_over_udp() {
    let server = Server::start("echo-udp-server", &[]);
    let Some(mut client) = server.python("echo/udp_client.py", &[]) else {
        return;
    };
    client.type_line("hello").expect("it reads");
    client.wait_for("echo: hello").expect("the echo");
    let server = python_server("echo/udp_server.py", &[]).expect("Python");
    let mut client = server.client("echo-udp-client", &[]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.end_input();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}
