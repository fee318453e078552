//! The chat room, black box: who hears what, in which order, and what bad
//! clients can do to it, which is nothing. With our clients, Python and nc.

mod crowd;
mod foreign;
mod members;
mod names;
mod plain;
mod poor;
mod screen;

use harness::terminal::{self, Terminal};
use harness::{
    Server, half_close, installed, play_readme, receive_all, receive_line, send,
};
use members::{Member, event, is_event};
use rustix::process::Signal;

#[test]
fn g_8c_the_readmes_transcripts_hold() {
    play_readme("chat");
}

/// Tests that only look at bytes: CHECK=host:port runs them against any room
/// of question 8. `cargo test --test chat any_server`
mod any_server {
    use super::*;

    #[test]
    fn g_8b_everybody_hears_who_joins_speaks_and_leaves() {
        let server = Server::start_or_check("chat-server", &[]);
        let mut first = Member::join_any(&server, "Batman", 1);
        let mut second = Member::join_any(&server, "Voldemort", 2);
        first.hears_event("Voldemort has joined. Member count=2");
        first.says("Anyone here?");
        second.hears("Batman: Anyone here?");
        second.says("Crucio!");
        first.hears("Voldemort: Crucio!");
        first.says("quit");
        first.hears_the_end();
        second.hears_event("Batman has left. Member count=1");
    }
}

#[test]
fn g_8b_our_clients_python_and_nc_in_one_room() {
    if !installed("nc", "netcat-openbsd") {
        return;
    }
    let server = Server::start("chat-server", &[]);
    let ours = server.client("chat-client", &[]);
    let Some(python) = server.python("chat/client.py", &[]) else { return };
    let nc = server.client("nc", &[]);
    let mut all = [("Ours", ours), ("Python", python), ("Netcat", nc)];
    for joined in 0..all.len() {
        let (name, screen) = &mut all[joined];
        screen.wait_for("Enter login name:").expect("the question");
        screen.type_line(name).expect("it reads");
        let (name, count) = (*name, joined + 1);
        for (_, screen) in &mut all[..=joined] {
            let line = format!("{name} has joined. Member count={count}");
            screen.wait_for(&event(&line)).expect("who joined");
        }
    }
    for speaker in 0..all.len() {
        let (name, screen) = &mut all[speaker];
        screen.type_line("héllo, wörld").expect("it reads");
        let line = format!("{name}: héllo, wörld");
        for (index, (_, screen)) in all.iter_mut().enumerate() {
            if index != speaker {
                assert_eq!(next_line(screen), line);
            }
        }
    }
    // No speaker got the own line back: the next line is another one's.
    let [(_, ours), (_, python), (_, nc)] = &mut all;
    nc.type_line("quit").expect("it reads");
    for screen in [&mut *ours, &mut *python] {
        let line = next_line(screen);
        assert!(is_event(&line, "Netcat has left. Member count=2"), "{line}");
    }
    python.type_line("quit").expect("it reads");
    assert_eq!(python.wait_for_end().expect("it ends").code(), Some(0));
    let line = next_line(ours);
    assert!(is_event(&line, "Python has left. Member count=1"), "{line}");
    ours.end_input();
    assert_eq!(ours.wait_for_end().expect("it ends").code(), Some(0));
}

#[track_caller]
fn next_line(screen: &mut Terminal) -> String {
    screen.read_line().expect("in time").expect("a line")
}

#[test]
fn g_8b_our_client_with_a_server_in_python() {
    let Some(server) = harness::python_server("chat/server.py", &[]) else {
        return;
    };
    let mut one = server.client("chat-client", &["--name", "Batman"]);
    assert_eq!(next_line(&mut one), "Enter login name: Batman");
    assert_eq!(next_line(&mut one), "");
    let line = next_line(&mut one);
    assert!(is_event(&line, "Batman has joined. Member count=1"), "{line}");
    let mut two = server.client("chat-client", &["--name", "Voldemort"]);
    two.wait_for(&event("Voldemort has joined. Member count=2"))
        .expect("who joined");
    one.wait_for(&event("Voldemort has joined. Member count=2"))
        .expect("who joined");
    two.type_line("Crucio!").expect("it reads");
    assert_eq!(next_line(&mut one), "Voldemort: Crucio!");
    two.type_line("quit").expect("it reads");
    assert_eq!(two.wait_for_end().expect("it ends").code(), Some(0));
    let line = next_line(&mut one);
    assert!(is_event(&line, "Voldemort has left. Member count=1"), "{line}");
}

#[test]
fn g_8c_the_handouts_two_screens_in_bytes() {
    let server = Server::start("chat-server", &[]);
    let one = server.connect();
    assert_eq!(receive_line(&one), "Enter login name:");
    send(&one, b"Batman\n");
    let line = receive_line(&one);
    assert!(is_event(&line, "Batman has joined. Member count=1"), "{line}");
    let two = server.connect();
    assert_eq!(receive_line(&two), "Enter login name:");
    send(&two, b"Voldemort\n");
    for client in [&one, &two] {
        let line = receive_line(client);
        let wanted = "Voldemort has joined. Member count=2";
        assert!(is_event(&line, wanted), "{line}");
    }
    send(&one, b"Anyone here?\n");
    assert_eq!(receive_line(&two), "Batman: Anyone here?");
    send(&two, b"Crucio!\n");
    assert_eq!(receive_line(&one), "Voldemort: Crucio!");
    send(&one, b"Aaaaaaahrrhhhhhhh...\nquit\n");
    assert_eq!(receive_all(&one), b"", "no echo, then the end");
    assert_eq!(receive_line(&two), "Batman: Aaaaaaahrrhhhhhhh...");
    let line = receive_line(&two);
    assert!(is_event(&line, "Batman has left. Member count=1"), "{line}");
}

#[test]
fn g_8c_echo_gives_the_author_the_line_too() {
    let server = Server::start("chat-server", &["--echo"]);
    let mut one = Member::join(&server, "Batman", 1);
    let mut two = Member::join(&server, "Voldemort", 2);
    one.hears_event("Voldemort has joined. Member count=2");
    one.says("all clients?");
    one.hears("Batman: all clients?");
    two.hears("Batman: all clients?");
}

#[test]
fn g_8b_the_servers_console_shows_the_room_and_why_people_left() {
    let mut server = Server::start("chat-server", &[]);
    let mut member = Member::join(&server, "Batman", 1);
    let from = member.address();
    server.wait_for(&format!("(Batman comes from {from})"));
    server.wait_for(&event("Batman has joined. Member count=1"));
    member.says("Anyone here?");
    server.wait_for("Batman: Anyone here?");
    member.says("quit");
    member.hears_the_end();
    server.wait_for("(Batman left: quit)");
    server.wait_for(&event("Batman has left. Member count=0"));
    Member::join(&server, "Batman", 1).hangs_up();
    server.wait_for("(Batman left: closed by the client)");
    Member::join(&server, "Batman", 1).resets();
    server.wait_for("(Batman left: recv(…): … (ECONNRESET). …)");
    server.interrupt();
}

#[test]
fn g_8b_a_slow_console_is_told_how_much_it_missed() {
    let mut server = Server::start("chat-server", &[]);
    let mut member = Member::join(&server, "Batman", 1);
    // Nobody reads the console meanwhile: it holds some megabytes.
    let line = "x".repeat(4000) + "\n";
    for _ in 0..20 {
        member.sends(line.repeat(1000).as_bytes());
    }
    member.says("quit");
    member.hears_the_end();
    // The log tells what it left out after the lines that found a place.
    let (mut left, mut told) = (false, false);
    while !(left && told) {
        let line = next_line(server.console());
        left |= line == "(Batman left: quit)";
        told |= line.starts_with("… ") && line.ends_with(" lines left out");
    }
}

#[test]
fn g_8e_commands() {
    let server = Server::start("chat-server", &[]);
    let mut one = Member::join(&server, "Bat", 1);
    let mut two = Member::join(&server, "Bat Man", 2);
    let mut three = Member::join(&server, "Élise", 3);
    one.hears_event("Bat Man has joined. Member count=2");
    one.hears_event("Élise has joined. Member count=3");
    two.hears_event("Élise has joined. Member count=3");
    one.says("/who");
    one.hears("Server: 3 here: Bat, Bat Man, Élise");
    one.says("/help");
    one.hears("Server: quit leaves the room");
    for command in ["/who", "/me", "/msg", "//"] {
        let line = one.next();
        assert!(line.starts_with(&format!("Server: {command}")), "{line}");
    }
    // The case of a command does not count.
    one.says("/WHO");
    one.hears("Server: 3 here: Bat, Bat Man, Élise");
    one.says("/me waves");
    two.hears("* Bat waves");
    three.hears("* Bat waves");
    one.says("//who is that?");
    two.hears("Bat: /who is that?");
    three.hears("Bat: /who is that?");
    // The longest name that fits is meant; case does not count.
    one.says("/msg bat man psst");
    two.hears("Bat (to you): psst");
    one.says("/Msg élise  ça va?");
    three.hears("Bat (to you):  ça va?");
    one.says("/msg bat me too");
    one.hears("Bat (to you): me too");
    for alone in ["/me", "/ME "] {
        one.says(alone);
        one.hears("Server: /me TEXT: say what you do, as in /me waves");
    }
    for wrong in [
        "/msg",
        "/msg nobody hi",
        "/msg Batman hi",
        "/msg Bat",
        "/msg Bat Man ",
    ] {
        one.says(wrong);
        one.hears("Server: /msg NAME text: no such member, or no text");
    }
    for wrong in ["/nothing", "/", "/mewaves"] {
        one.says(wrong);
        let told =
            "Server: no such command; /help lists them, // sends a slash";
        one.hears(told);
    }
    // Nobody heard of that.
    one.says("done");
    two.hears("Bat: done");
    three.hears("Bat: done");
}

#[test]
fn g_8d_quit_leaves_and_quit_smoking_is_said() {
    let server = Server::start("chat-server", &[]);
    let mut one = Member::join(&server, "Batman", 1);
    let mut two = Member::join(&server, "Robin", 2);
    one.hears_event("Robin has joined. Member count=2");
    for line in ["quit smoking", "Quit", "quit ", " quit", "quitter", "QUIT"] {
        one.says(line);
        two.hears(&format!("Batman: {line}"));
    }
    one.says("quit\r");
    one.hears_the_end();
    two.hears_event("Batman has left. Member count=1");
    // At once again under the same name.
    let _one = Member::join(&server, "Batman", 2);
    two.hears_event("Batman has joined. Member count=2");
}

#[test]
fn g_8d_ctrl_c_of_the_server_is_told_to_everybody() {
    let mut server = Server::start("chat-server", &[]);
    let mut members = Vec::new();
    for number in 0..20 {
        let member = Member::join(&server, &format!("m{number}"), number + 1);
        members.push(member);
    }
    let mut screen = server.client("chat-client", &["--name", "Batman"]);
    screen
        .wait_for(&event("Batman has joined. Member count=21"))
        .expect("who joined");
    let console = server.console();
    console.signal(Signal::INT).expect("a signal");
    // Nothing of the room's after that, and nobody "left".
    console.wait_for("Server: the room is closed").expect("the end");
    assert_eq!(next_line(console), "bye");
    assert_eq!(console.wait_for_end().expect("it ends").code(), Some(0));
    for (index, member) in members.iter_mut().enumerate() {
        for later in index + 1..20 {
            let count = later + 1;
            member.hears_event(&format!(
                "m{later} has joined. Member count={count}"
            ));
        }
        member.hears_event("Batman has joined. Member count=21");
        member.hears("Server: the room is closed");
        member.hears_the_end();
    }
    assert_eq!(next_line(&mut screen), "Server: the room is closed");
    let told = "(the server has closed the connection)";
    assert_eq!(next_line(&mut screen), told);
    assert_eq!(screen.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_8d_a_killed_server_is_told_and_the_client_ends() {
    let mut server = Server::start("chat-server", &[]);
    let mut screen = server.client("chat-client", &["--name", "Batman"]);
    screen
        .wait_for(&event("Batman has joined. Member count=1"))
        .expect("who joined");
    server.console().signal(Signal::KILL).expect("a signal");
    screen.wait_for("(the server has closed the connection)").expect("its end");
    assert_eq!(screen.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_8d_a_killed_client_has_left() {
    let mut server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Robin", 1);
    let screen = server.client("chat-client", &["--name", "Batman"]);
    other.hears_event("Batman has joined. Member count=2");
    screen.signal(Signal::KILL).expect("a signal");
    other.hears_event("Batman has left. Member count=1");
    // FIN, or RST if it died with lines of ours unread.
    server.wait_for("(Batman left: …)");
}

#[test]
fn g_8b_the_client_leaves_politely_at_a_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = Server::start("chat-server", &[]);
        let mut screen = server.client("chat-client", &["--name", "Batman"]);
        screen
            .wait_for(&event("Batman has joined. Member count=1"))
            .expect("who joined");
        screen.signal(signal).expect("a signal");
        assert_eq!(screen.wait_for_end().expect("it ends").code(), Some(0));
        server.wait_for("(Batman left: quit)");
    }
}

#[test]
fn g_8b_a_script_is_a_member() {
    let server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Robin", 1);
    let mut script = server.client("chat-client", &["--name", "Script"]);
    script.type_bytes(b"one\n\ntwo\nthree").expect("it reads");
    script.end_input();
    let output = script.read_to_end().expect("it ends");
    assert!(!output.contains(&0x1b), "no escape: {output:?}");
    assert_eq!(script.wait_for_end().expect("it ends").code(), Some(0));
    other.hears_event("Script has joined. Member count=2");
    for line in ["one", "two", "three"] {
        other.hears(&format!("Script: {line}"));
    }
    other.hears_event("Script has left. Member count=1");
}

#[test]
fn g_8b_a_script_whose_name_is_refused_says_nothing_and_fails() {
    let server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Batman", 1);
    for (name, why) in [
        ("BATMAN", "Server: the name BATMAN is taken"),
        ("Server", "Server: Server is the room itself"),
    ] {
        let mut script = server.client("chat-client", &["--name", name]);
        script.type_line("my first line").expect("it reads");
        script.end_input();
        assert_eq!(next_line(&mut script), format!("Enter login name: {name}"));
        assert_eq!(next_line(&mut script), why);
        assert_eq!(script.wait_for_end().expect("it ends").code(), Some(1));
    }
    let mut script = server.client("chat-client", &["--name", "A\nB"]);
    script.wait_for("--name: a name is one line").expect("why");
    assert_eq!(script.wait_for_end().expect("it ends").code(), Some(2));
    // Nobody came in, under no name.
    other.says("/who");
    other.hears("Server: 1 here: Batman");
}

#[test]
fn g_8b_a_python_client_without_line_ends_is_a_member() {
    let server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Robin", 1);
    let client = server.connect();
    assert_eq!(receive_line(&client), "Enter login name:");
    send(&client, b"Batman"); // client.send("Batman".encode())
    other.hears_event("Batman has joined. Member count=2");
    let line = receive_line(&client);
    assert!(is_event(&line, "Batman has joined. Member count=2"), "{line}");
    for text in ["Anyone here?", "hello", "/me waves"] {
        send(&client, text.as_bytes());
        let heard = other.next();
        assert!(heard.ends_with(text.trim_start_matches("/me ")), "{heard}");
    }
    send(&client, b"quit");
    assert_eq!(receive_all(&client), b"");
    other.hears_event("Batman has left. Member count=1");
}

#[test]
fn g_8b_no_room_for_nobody_is_a_usage_error() {
    let arguments = ["127.0.0.1", "0", "--max-clients", "0"];
    let mut server = Terminal::start("chat-server", arguments).expect("runs");
    server.wait_for("--max-clients 0 …").expect("why");
    assert_eq!(server.wait_for_end().expect("it ends").code(), Some(2));
}

#[test]
fn g_8b_a_half_closed_client_has_left_and_is_told_so_far() {
    let server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Robin", 1);
    let client = server.connect();
    send(&client, b"Batman\nall I\nhave to say");
    half_close(&client);
    let got = String::from_utf8_lossy(&receive_all(&client)).to_string();
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines.len(), 2, "{got}");
    assert!(is_event(lines[1], "Batman has joined. Member count=2"), "{got}");
    other.hears_event("Batman has joined. Member count=2");
    other.hears("Batman: all I");
    other.hears("Batman: have to say");
    other.hears_event("Batman has left. Member count=1");
}

#[test]
fn g_8b_client_before_server_is_told_in_one_line() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    let mut command = terminal::command("chat-client");
    command.args(["127.0.0.1", &port]);
    let mut client = Terminal::run(&mut command).expect("it starts");
    client
        .wait_for(&format!(
            "Error: connect(…): … (ECONNREFUSED). … make chat-server PORT={port}"
        ))
        .expect("one line that teaches");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_8b_the_steps_are_the_system_calls_in_the_order_of_the_banners() {
    harness::strace_shows(
        "chat-server",
        &["socket", "setsockopt", "bind", "listen", "accept4", "close"],
    );
}

#[test]
fn g_8b_retry_waits_for_a_server_that_is_started_later() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    let arguments = ["127.0.0.1", &port, "--retry", "60", "--name", "Batman"];
    let mut early = Terminal::start("chat-client", arguments).expect("it runs");
    early.wait_for("no server listens there yet: … s to go").expect("it waits");
    let place = ["127.0.0.1", &port];
    let _server = Terminal::start("chat-server", place).expect("it runs");
    early
        .wait_for(&event("Batman has joined. Member count=1"))
        .expect("it is in");
}
