//! Proves that our programs understand Python's and nc.

use crate::SERVERS;
use harness::{Server, installed, python_server};

#[test]
fn e_t1_python_client_and_our_first_servers() {
    for (program, echo) in
        [("echo-task1-server", None), ("echo-task2-server", Some("hello"))]
    {
        let mut server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo/tcp_client.py", &[]) else {
            return;
        };
        client.type_line("hello").expect("it reads");
        server.wait_for("[…] 5 bytes: hello");
        if let Some(echo) = echo {
            client.wait_for(&format!("echo: {echo}")).expect("the echo");
            client.end_input();
            server.wait_for("bye");
        }
    }
}

#[test]
fn e_t3_python_client_and_our_servers() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo/tcp_client.py", &[]) else {
            return;
        };
        for line in ["hello", "stop"] {
            client.type_line(line).expect("it reads");
            client.wait_for(&format!("echo: {line}")).expect("the echo");
        }
        server.wait_for("[…] left: stop"); // the client is still there
        client.type_line("more").expect("it reads");
        client.wait_for("server closed the connection").expect("FIN");
    }
}

#[test]
fn e_t3_our_task_clients_and_a_python_server() {
    let Some(server) = python_server("echo/tcp_server.py", &[]) else { return };
    for program in ["echo-task1-client", "echo-task2-client"] {
        let mut client = server.client(program, &[]);
        client.type_line("hello").expect("it reads");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
    // Its command is all of one recv(): no newline, and no echo of it.
    let mut client = server.client("echo-task3-client", &["--bare"]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.type_line("stop").expect("it reads");
    client.wait_for("Error: the server closed too early").expect("FIN");
}

/// The pair that the answers to T-Q5 and T-Q6 print: one recv() and one
/// sendall() each.
#[test]
fn t_e_the_handouts_client_and_our_servers() {
    for program in ["echo-task2-server", "echo-server", "echo-poll-server"] {
        let mut server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo/hello_client.py", &[])
        else {
            return;
        };
        client.wait_for("Received: Hello, server!").expect("the echo");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
        server.wait_for("[…] 14 bytes: Hello, server!");
        server.wait_for("[…] left…");
    }
}

#[test]
fn t_e_the_handouts_server_and_our_client() {
    let Some(server) = python_server("echo/hello_server.py", &[]) else {
        return;
    };
    let mut client = server.client("echo-task2-client", &[]);
    client.type_line("Hello, server!").expect("it reads");
    // As many bytes as were sent, so it passes for an echo.
    client.wait_for("Hello, client!").expect("the answer");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn t_e_the_handouts_pair_among_themselves() {
    let Some(server) = python_server("echo/hello_server.py", &[]) else {
        return;
    };
    let mut client =
        server.python("echo/hello_client.py", &[]).expect("Python");
    client.wait_for("Received: Hello, client!").expect("the answer");
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
    for program in ["echo-task4-server", "echo-udp-server"] {
        let server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo/udp_client.py", &[]) else {
            return;
        };
        client.type_line("hello").expect("it reads");
        client.wait_for("echo: hello").expect("the echo");
    }
    let server = python_server("echo/udp_server.py", &[]).expect("Python");
    for program in ["echo-task4-client", "echo-udp-client"] {
        let mut client = server.client(program, &[]);
        client.type_line("hello").expect("it reads");
        client.wait_for("hello").expect("the echo");
        client.end_input();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}
