//! Poor networks and bad members: what one of them does, the others see as
//! lines of text or not at all.

use std::env;
use std::net::TcpStream;
use std::process::Command;

use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::time::{Duration, Instant};

use crate::members::Member;
use harness::{DEADLINE, Server, installed, receive_line, send, trickle};

/// A room with two members.
fn room(options: &[&str]) -> (Server, Member, Member) {
    let server = Server::start("chat-server", options);
    let mut one = Member::join(&server, "Batman", 1);
    let two = Member::join(&server, "Robin", 2);
    one.hears_event("Robin has joined. Member count=2");
    (server, one, two)
}

#[test]
fn g_8d_telnet_ends_lines_with_crlf() {
    let server = Server::start("chat-server", &[]);
    let client = server.connect();
    send(&client, b"Batman\r\n");
    assert_eq!(receive_line(&client), "Enter login name:");
    let joined = receive_line(&client);
    assert!(joined.ends_with(" Batman has joined. Member count=1"));
    let mut other = Member::join(&server, "Robin", 2);
    send(&client, b"hello\r\n\r\nquit\r\n");
    other.hears("Batman: hello");
    other.hears_event("Batman has left. Member count=1");
}

#[test]
fn g_8d_a_line_may_come_byte_by_byte_and_many_at_once() {
    let (_server, one, mut two) = room(&[]);
    trickle(one.socket(), "hé, slowly\n".as_bytes());
    two.hears("Batman: hé, slowly");
    send(one.socket(), b"one\ntwo\n\n   \nthr");
    send(one.socket(), b"ee\n");
    for line in ["one", "two", "three"] {
        two.hears(&format!("Batman: {line}"));
    }
}

#[test]
fn g_8d_an_overlong_line_is_refused_to_its_author_and_the_talk_goes_on() {
    let (_server, mut one, mut two) = room(&[]);
    let most = "x".repeat(4096);
    one.says(&most);
    two.hears(&format!("Batman: {most}"));
    for length in [4097, 5000, 1_000_000] {
        one.says(&"x".repeat(length));
        one.hears("Server: that line is longer than 4096 bytes, nobody saw it");
    }
    one.says("still here");
    two.hears("Batman: still here");
}

#[test]
fn g_8d_what_is_no_text_arrives_as_harmless_text() {
    let (mut server, mut one, mut two) = room(&[]);
    for (sent, heard) in [
        (&b"\x1b[2J\x1b]0;owned\x07"[..], "\\x1b[2J\\x1b]0;owned\\x07"),
        (b"caf\xe9 \xff", "caf\u{fffd} \u{fffd}"),
        (b"a\rServer: b", "a\\rServer: b"),
        ("\u{202e}evil".as_bytes(), "\\u{202e}evil"),
        (b"nul\0", "nul\\x00"),
        (b"tab\there", "tab\there"), // the one that does no harm
        // Each \xff is a byte of telnet's own language.
        (b"\xff\xf4\xff\xfd\x06", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\\x06"),
    ] {
        one.sends(&[sent, b"\n"].concat());
        two.hears(&format!("Batman: {heard}"));
        server.wait_for(&format!("Batman: {heard}"));
    }
    one.sends(b"/me \x1b[2J\n/msg Robin \x1b[2J\n");
    two.hears("* Batman \\x1b[2J");
    two.hears("Batman (to you): \\x1b[2J");
}

#[test]
fn g_8d_what_is_text_arrives_as_it_is() {
    let (_server, mut one, mut two) = room(&[]);
    for text in [
        "👩\u{200d}👧 ❤\u{fe0f}",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "(to you): hm",
    ] {
        one.says(text);
        two.hears(&format!("Batman: {text}"));
    }
}

#[test]
fn g_8d_half_a_line_is_never_taken_for_a_whole_one() {
    let (_server, one, mut two) = room(&[]);
    send(one.socket(), b"half a ");
    // Longer than the pause that would end the lines of a client that
    // sends no line ends; the name came with one.
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_millis(500) {
        two.says("/who");
        two.hears("Server: 2 here: Batman, Robin");
    }
    send(one.socket(), b"line\n");
    two.hears("Batman: half a line");
}

#[test]
fn g_8d_a_member_that_vanishes_has_left_however_it_goes() {
    let (server, one, mut two) = room(&[]);
    one.resets();
    two.hears_event("Batman has left. Member count=1");
    let one = Member::join(&server, "Batman", 2);
    two.hears_event("Batman has joined. Member count=2");
    one.hangs_up();
    two.hears_event("Batman has left. Member count=1");
}

#[test]
fn g_8d_max_rate_delays_a_member_and_tells_her() {
    let (server, mut one, mut two) = room(&["--max-rate", "5"]);
    let begun = Instant::now();
    let mut lines = String::new();
    for number in 0..12 {
        lines += &format!("line {number}\n");
    }
    one.sends(lines.as_bytes());
    // Another one is not delayed.
    two.says("meanwhile");
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(one.next());
    }
    let slow = "Server: slow down, your lines wait";
    assert_eq!(told.iter().filter(|line| *line == slow).count(), 2);
    assert!(told.contains(&"Robin: meanwhile".to_string()), "{told:?}");
    for number in 0..12 {
        two.hears(&format!("Batman: line {number}"));
    }
    // Five in each of two seconds, and two in the third.
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    // Lines of a killed member that still wait are not sent.
    one.sends("ghost\n".repeat(100_000).as_bytes());
    one.hears(slow);
    one.hangs_up();
    loop {
        let line = two.next();
        if line != "Batman: ghost" {
            assert!(line.ends_with(" Batman has left. Member count=1"));
            break;
        }
    }
    drop(server);
}

#[test]
fn g_8d_one_too_many_is_told_that_the_room_is_full() {
    let (mut server, one, mut two) = room(&["--max-clients", "2"]);
    let mut third = Member::connect(&server);
    third.hears("Server: the room is full, try again later");
    third.hears_the_end();
    server.wait_for("no room: 2 clients; new clients are refused");
    one.hangs_up();
    two.hears_event("Batman has left. Member count=1");
    // The place is free a moment after that was said.
    let free = (0..1000).any(|_| {
        let mut next = Member::connect(&server);
        next.next() == "Enter login name:"
    });
    assert!(free);
}

#[test]
fn g_8d_a_machine_that_vanished_without_a_word_is_noticed() {
    const INSIDE: &str = "CHAT_TEST_IN_A_NAMESPACE";
    let me = "poor::g_8d_a_machine_that_vanished_without_a_word_is_noticed";
    if env::var_os(INSIDE).is_some() {
        return vanish();
    }
    if !installed("unshare", "util-linux") || !installed("ip", "iproute2") {
        return;
    }
    // This test once more, in a network of its own, in which it is root.
    let unshare = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-Urn", "--"]).args(arguments).env(INSIDE, "1");
        command
    };
    let possible = unshare(&["true"]).output().expect("unshare runs");
    if !possible.status.success() {
        let why = String::from_utf8_lossy(&possible.stderr).to_string();
        return eprintln!("skipped: no namespace of one's own here: {why}");
    }
    let program = env::current_exe().expect("a path");
    let program = program.to_str().expect("UTF-8");
    let arguments = [program, "--exact", me, "--nocapture"];
    let output = unshare(&arguments).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).to_string();
    let errors = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "{text}");
}

/// A member at 10.9.9.9, an address that is then removed: no FIN, no RST, no
/// reply. Another one at 127.0.0.1 is silent, and stays.
fn vanish() {
    ip(&["link", "set", "lo", "up"]);
    ip(&["addr", "add", "10.9.9.9/32", "dev", "lo"]);
    let mut server = Server::start("chat-server", &["--silence", "3"]);
    let mut witness = Member::join(&server, "Robin", 1);
    let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let from = std::net::SocketAddr::from(([10, 9, 9, 9], 0));
    socket.bind(&from.into()).expect("the address is ours");
    socket.connect(&server.address.into()).expect("it accepts");
    let mut lost: TcpStream = socket.into();
    lost.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    assert_eq!(receive_line(&lost), "Enter login name:");
    lost.write_all(b"Batman\n").expect("it takes bytes");
    witness.hears_event("Batman has joined. Member count=2");
    ip(&["addr", "del", "10.9.9.9/32", "dev", "lo"]);
    witness.hears_event("Batman has left. Member count=1");
    // ENETUNREACH or EHOSTUNREACH here, as there is no way back any more;
    // ETIMEDOUT if there is one.
    server.wait_for("(Batman left: recv(10.9.9.9:…): … (E…). …)");
    witness.says("/who");
    witness.hears("Server: 1 here: Robin");
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("ip runs");
    assert!(status.success(), "ip {arguments:?}");
}
