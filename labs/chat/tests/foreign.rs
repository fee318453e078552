//! Our client in rooms of another kind than ours, played by the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use harness::{DEADLINE, Server};

const JOINED: &[u8] = b"Server: time=10.01 Batman has joined. Member count=1";

/// A room that serves one client so.
fn foreign(
    serve: impl FnOnce(TcpStream) -> std::io::Result<()> + Send + 'static,
) -> Server {
    let theirs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = theirs.local_addr().expect("an address");
    thread::spawn(move || {
        let (client, _) = theirs.accept()?;
        serve(client)
    });
    Server::at(address)
}

/// What each recv() returned, until the end of the stream.
fn each_recv(mut client: TcpStream, told: &Sender<String>) {
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = client.read(&mut piece) {
        let text = String::from_utf8_lossy(&piece[..count]);
        let _ = told.send(text.into());
    }
}

fn lines(received: &Receiver<String>) -> Vec<String> {
    std::iter::from_fn(|| received.recv_timeout(DEADLINE).ok()).collect()
}

#[test]
fn g_8b_the_client_asks_where_the_room_does_not() {
    let server = foreign(|mut client| {
        let mut name = [0; 100];
        let count = client.read(&mut name)?;
        assert_eq!(&name[..count], b"Batman\n");
        client.write_all(&[JOINED, b"\n"].concat())
    });
    let mut ours = server.client("chat-client", &[]);
    let first = ours.read_line().expect("in time").expect("a line");
    assert_eq!(first, "Enter login name:");
    ours.type_line("Batman").expect("it reads");
    let mut rest = Vec::new();
    while let Some(line) = ours.read_line().expect("in time") {
        rest.push(line);
    }
    let joined = String::from_utf8_lossy(JOINED).to_string();
    let told = "(the server has closed the connection)".to_string();
    assert_eq!(rest, [String::new(), joined, told]);
}

#[test]
fn g_8b_nobody_is_asked_twice_by_a_room_that_asks_late() {
    for question in ["Enter login name:\n", "Enter login name: "] {
        let (go, went) = unbounded();
        let server = foreign(move |mut client| {
            let _ = went.recv(); // our client has asked by then
            client.write_all(question.as_bytes())?;
            let mut name = [0; 100];
            let _ = client.read(&mut name)?;
            client.write_all(&[JOINED, b"\n"].concat())
        });
        let mut ours = server.client("chat-client", &[]);
        ours.wait_for("Enter login name:").expect("our question");
        go.send(()).expect("the room");
        ours.type_line("Batman").expect("it reads");
        let text = ours.read_to_end().expect("it ends");
        let text = String::from_utf8(text).expect("text");
        assert!(!text.contains("Enter login name"), "{text}");
        assert!(text.contains("Batman has joined"), "{text}");
    }
}

#[test]
fn g_8b_a_question_without_a_newline_is_a_question() {
    // At once, and together with what follows it.
    let server = foreign(|mut client| {
        client.write_all(&[b"Enter login name: ", JOINED, b"\n"].concat())
    });
    let mut ours = server.client("chat-client", &["--name", "Batman"]);
    let mut all = Vec::new();
    while let Some(line) = ours.read_line().expect("in time") {
        all.push(line);
    }
    assert_eq!(all[0], "Enter login name: Batman");
    assert_eq!(all[1], "");
    assert_eq!(all[2].as_bytes(), JOINED);
}

#[test]
fn g_8b_a_room_that_does_not_close_is_left_within_a_second() {
    for leave in ["quit\n", ""] {
        let (kept, _stays) = unbounded();
        let server = foreign(move |mut client| {
            client.write_all(b"Enter login name:\n")?;
            let _ = kept.send(client); // and reads nothing
            Ok(())
        });
        let mut ours = server.client("chat-client", &[]);
        ours.wait_for("Enter login name:").expect("the question");
        let began = Instant::now();
        ours.type_bytes(leave.as_bytes()).expect("it reads");
        ours.end_input();
        assert_eq!(ours.wait_for_end().expect("it ends").code(), Some(0));
        let took = began.elapsed();
        // A second, and what a busy machine adds.
        assert!(took < Duration::from_millis(2500), "{took:?}");
    }
}

/// What a room hears from a script in each recv(), and what the script says.
fn heard_from_a_script(answer: bool, eol: &str) -> (Vec<String>, String) {
    let (heard, received) = unbounded();
    let server = foreign(move |mut client| {
        let mut name = [0; 100];
        let count = client.read(&mut name)?;
        let _ = heard.send(String::from_utf8_lossy(&name[..count]).into());
        if answer {
            client.write_all(JOINED)?; // without a newline
        }
        each_recv(client, &heard);
        Ok(())
    });
    let mut script = server.client("chat-client", &["--eol", eol]);
    script.type_bytes(b"Batman\none\ntwo\nquit\n").expect("it reads");
    script.end_input();
    let text = script.read_to_end().expect("it ends");
    (lines(&received), String::from_utf8(text).expect("text"))
}

#[test]
fn g_8b_a_room_that_takes_one_recv_for_a_message_gets_one_each() {
    for (answer, eol, newline) in
        [(true, "lf", "\n"), (false, "lf", "\n"), (true, "none", "")]
    {
        let wanted = ["Batman", "one", "two", "quit"];
        let wanted = wanted.map(|line| format!("{line}{newline}"));
        // A room that gets no processor for 0.3 s still hears two as one.
        let heard = (0..5).any(|_| {
            let (heard, text) = heard_from_a_script(answer, eol);
            let told = text.contains("no answer within 3 s");
            assert_eq!(told, !answer, "{text}");
            assert_eq!(heard.concat(), wanted.concat());
            heard == wanted
        });
        assert!(heard, "two lines in one recv(), five times");
    }
}
