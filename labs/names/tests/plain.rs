//! Proves that the first program, names-plain, says of the five words what
//! Python's socket module says of them.

use harness::peers::script;
use harness::terminal::Terminal;
use harness::{installed, programs};

fn plain(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = programs::command("names-plain");
    output(Terminal::run(command.args(arguments)).expect("it starts"))
}

fn output(mut terminal: Terminal) -> (String, Option<i32>) {
    let text = terminal.read_to_end().expect("it ends");
    let status = terminal.wait_for_end().expect("it ends");
    (String::from_utf8_lossy(&text).into_owned(), status.code())
}

#[test]
fn t_v1_the_five_words_are_those_that_python_prints() {
    if !installed("python3", "python3") {
        return;
    }
    for (host, port) in [("127.0.0.1", "80"), ("127.0.0.9", "0")] {
        let (ours, code) = plain(&["--host", host, "--port", port]);
        assert_eq!(code, Some(0), "{ours}");
        let mut python = programs::command("python3");
        python.arg(script("names/plain.py")).args([host, port]);
        let python = Terminal::run(&mut python).expect("it starts");
        assert_eq!(ours, output(python).0);
    }
}

#[test]
fn t_f11_without_a_host_it_is_this_machines_own_name() {
    let own = rustix::system::uname();
    let own = own.nodename().to_string_lossy().into_owned();
    let (text, _) = plain(&[]);
    let line = format!("this machine's own name is '{own}'");
    assert!(text.starts_with(&line), "{text}");
}

#[test]
fn t_v4_a_name_without_an_address_is_an_error_that_names_the_call() {
    let (text, code) = plain(&["--host", "no-such-host.invalid"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("getaddrinfo(no-such-host.invalid)"), "{text}");
}

#[test]
fn t_v5_a_number_that_is_not_a_port_is_a_usage_error() {
    for port in ["65536", "-1", "http"] {
        let (text, code) = plain(&["--port", port]);
        assert_eq!(code, Some(2), "{port}: {text}");
        assert!(text.contains("is not a port"), "{text}");
    }
}
