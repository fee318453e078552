//! Proves that the client says "sent" only after the 250 for the dot, whatever
//! happens at each verb: a temporary or permanent refusal, a wrong code, bytes
//! that are not SMTP, silence, a close, a reset.

use std::thread;

use crate::script::{
    Done, EHLO, ENVELOPE, GREETING, MESSAGE, QUIT, identity_of_nobody, play,
    play_with,
};

/// A point of the dialogue at which the client waits for a reply.
struct Point {
    verb: &'static str,
    before: String, // the script up to there
    options: &'static [&'static str],
    wrong: &'static str, // a code that has no place there
}

fn points() -> Vec<Point> {
    let point = |verb, before: &[&str], options, wrong| Point {
        verb,
        before: before.concat(),
        options,
        wrong,
    };
    let mail = "C: MAIL FROM:<ada@example.com>\n";
    let rcpt = "S: 250 ok\nC: RCPT TO:<bob@example.org>\n";
    let starttls =
        "C: EHLO …\nS: 250-mail.test\nS: 250 STARTTLS\nC: STARTTLS\n";
    let auth = "C: EHLO …\nS: 250-mail.test\nS: 250 AUTH PLAIN\n\
                C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\n";
    let dot = "C: DATA\nS: 354 go\nM:\n";
    let user = &["--user", "tim"];
    vec![
        point("the connection", &[], &[], "250"),
        point("EHLO", &[GREETING, "C: EHLO …\n"], &[], "354"),
        point("STARTTLS", &[GREETING, starttls], &[], "250"),
        point("AUTH", &[GREETING, auth], user, "250"),
        point("MAIL", &[GREETING, EHLO, mail], &[], "354"),
        point("recipient", &[GREETING, EHLO, mail, rcpt], &[], "354"),
        point("DATA", &[GREETING, EHLO, ENVELOPE, "C: DATA\n"], &[], "250"),
        point("the message", &[GREETING, EHLO, ENVELOPE, dot], &[], "354"),
    ]
}

/// Plays the fault at every point, all at the same time.
fn at_each_point(
    fault: impl Fn(&Point) -> (String, Vec<&'static str>),
    check: impl Fn(&Point, &Done),
) {
    let points = points();
    let running: Vec<_> = points
        .iter()
        .map(|point| {
            let (fault, extra) = fault(point);
            let script = format!("{}{fault}", point.before);
            let options = [point.options, &extra].concat();
            thread::spawn(move || play(&script, &options))
        })
        .collect();
    for (point, done) in points.iter().zip(running) {
        check(point, &done.join().expect("a dialogue"));
    }
}

#[test]
fn w_t4a_a_4xx_at_each_verb_ends_with_quit_and_later_may_do() {
    let fault = |_: &Point| (format!("S: 451 4.3.0 not now\n{QUIT}"), vec![]);
    at_each_point(fault, |point, done| {
        done.followed();
        done.not_sent(&[point.verb, "451 4.3.0 not now", "temporary"]);
    });
}

#[test]
fn w_t4a_a_5xx_at_each_verb_ends_with_quit_and_is_final() {
    let fault = |point: &Point| {
        let again = match point.verb {
            "EHLO" => "C: HELO …\nS: 554 5.0.0 never\n", // tried, too
            _ => "",
        };
        (format!("S: 554 5.0.0 never\n{again}{QUIT}"), vec![])
    };
    at_each_point(fault, |_, done| {
        done.followed();
        done.not_sent(&["554 5.0.0 never", "permanent"]);
    });
}

#[test]
fn w_t4a_421_at_each_verb_is_the_servers_goodbye() {
    let fault = |_: &Point| ("S: 421 4.3.2 going down\nclose\n".into(), vec![]);
    at_each_point(fault, |_, done| {
        done.followed();
        done.not_sent(&["421 4.3.2 going down", "temporary"]);
        assert!(!done.screen.contains("C: QUIT"), "{}", done.screen);
    });
}

#[test]
fn w_t4a_a_wrong_code_at_each_verb_ends_with_quit() {
    let fault = |point: &Point| {
        let quit = if point.verb == "the message" { "" } else { QUIT };
        (format!("S: {} what?\n{quit}", point.wrong), vec![])
    };
    at_each_point(fault, |point, done| {
        done.followed();
        match point.verb {
            "the message" => drop(done.ended(1, &["unknown: "])),
            _ => done.not_sent(&[point.wrong]),
        }
    });
}

/// Before the dot nothing was delivered; after it the client cannot know.
fn not_sent_or_unknown(point: &Point, done: &Done, printed: &str) {
    done.followed();
    match point.verb {
        "the message" => {
            done.ended(1, &["unknown: ", printed, "may or may not"]);
            assert!(!done.screen.contains("not sent"), "{}", done.screen);
        }
        _ => done.not_sent(&[printed]),
    }
}

#[test]
fn w_t4a_bytes_that_are_not_smtp_end_the_dialogue_at_once() {
    for garbage in ["+OK POP3 ready", "HTTP/1.1 400 Bad", "25O ok", "\u{1b}[2J"]
    {
        let fault = |_: &Point| (format!("S: {garbage}\nhang\n"), vec![]);
        at_each_point(fault, |point, done| {
            not_sent_or_unknown(point, done, "not SMTP");
            assert!(!done.screen.contains('\u{1b}'), "raw escape codes");
        });
    }
}

#[test]
fn w_t4a_silence_at_each_verb_ends_at_the_deadline() {
    let fault = |_: &Point| ("hang\n".into(), vec!["--timeout", "2"]);
    at_each_point(fault, |point, done| {
        not_sent_or_unknown(point, done, "timed out after 2 s (EAGAIN");
    });
}

#[test]
fn w_t4a_an_empty_reply_line_is_named() {
    for empty in ["", "  ", "\t"] {
        let fault = |_: &Point| (format!("raw {empty}\\r\\n\nhang\n"), vec![]);
        at_each_point(fault, |point, done| {
            let what = "is not SMTP: an empty line";
            not_sent_or_unknown(point, done, what);
        });
    }
    // The fault is inside a reply of several lines, or it is a lone LF.
    for reply in ["250-mail.test\\r\\n\\r\\n", "\\n", "250-a\\n\\n"] {
        let script = format!("{GREETING}C: EHLO …\nraw {reply}\nhang\n");
        play(&script, &[]).not_sent(&["an empty line"]);
    }
}

#[test]
fn w_t4a_a_time_out_or_a_close_shows_what_had_come() {
    for (came, shown) in [
        ("220", "Received before: 220\n"),
        ("220 mail.test", "Received before: 220 mail.test\n"),
        ("220-mail.test\\r\\n220-no sp", "220-mail.test / 220-no sp\n"),
        ("220-mail.test\\r\\n", "Received before: 220-mail.test\n"),
        ("+OK", "Received before: +OK\n"),
        ("\u{1b}[2J", "Received before: \\x1b[2J\n"),
    ] {
        let script = format!("raw {came}\nhang\n");
        // -q: the lines of the reply were not printed.
        let done = play(&script, &["--timeout", "1", "-q"]);
        done.not_sent(&["timed out after 1 s (EAGAIN", shown]);
        let done = play(&format!("raw {came}\nclose\n"), &["-q"]);
        done.not_sent(&["the server closed", shown]);
    }
    // The same after the dot.
    let dot = "C: DATA\nS: 354 go\nM:\nraw 250 2.0.0 que\nhang\n";
    let script = [GREETING, EHLO, ENVELOPE, dot].concat();
    let done = play(&script, &["--timeout", "1"]);
    done.ended(1, &["unknown: ", "Received before: 250 2.0.0 que\n"]);
    // No part of a reply arrived, so none is printed.
    let done = play("hang\n", &["--timeout", "1"]);
    assert!(!done.screen.contains("Received before"), "{}", done.screen);
}

#[test]
fn w_t4a_a_message_is_shown_up_to_4_kib() {
    let nobody = identity_of_nobody();
    let script = [GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    for (lines, complete) in [(1, true), (100, true), (1_000, false)] {
        let body = "a line of the message\n".repeat(lines);
        let body = [body.as_bytes(), &[b'z'; 900], b"\n"].concat();
        let done = play_with(&script, "127.0.0.1", &[], &body, &nobody);
        done.ended(0, &[]);
        let last = format!("C: {}\nC: .\n", "z".repeat(900));
        assert_eq!(done.screen.contains(&last), complete, "{}", done.screen);
        let cut = done.screen.contains(" more bytes\n");
        assert_ne!(cut, complete, "{}", done.screen);
    }
}

#[test]
fn w_t4a_a_sink_without_room_is_a_refusal() {
    let script = "S: 421 4.3.2 too many clients, try again later\nclose\n";
    let done = play(script, &[]);
    done.not_sent(&["421 4.3.2 too many clients, try again later\n"]);
    assert!(!done.screen.contains("\\r") && !done.screen.contains("\\n"));
}

#[test]
fn w_t4a_half_a_reply_is_silence() {
    let fault = |point: &Point| {
        let half = "raw 250-half\\r\\n25\nhang\n".to_string();
        let half = match point.verb {
            "the connection" => half.replace("250", "220"),
            _ => half,
        };
        (half, vec!["--timeout", "2"])
    };
    at_each_point(fault, |point, done| {
        not_sent_or_unknown(point, done, "timed out after 2 s (EAGAIN");
    });
}

#[test]
fn w_t4a_a_close_at_each_verb_is_reported() {
    let fault = |_: &Point| ("close\n".into(), vec![]);
    at_each_point(fault, |point, done| {
        not_sent_or_unknown(point, done, "closed the connection");
    });
}

#[test]
fn w_t4a_a_reset_at_each_verb_is_reported() {
    let fault = |_: &Point| ("reset\n".into(), vec![]);
    at_each_point(fault, |point, done| {
        not_sent_or_unknown(point, done, "ECONNRESET");
    });
}

#[test]
fn w_t4a_replies_without_an_end_are_cut() {
    let endless = format!("{}hang\n", "S: 250-and more\n".repeat(200));
    let script = [GREETING, "C: EHLO …\n", &endless].concat();
    play(&script, &[]).not_sent(&["has too many lines"]);
    let long = format!("S: 250 {}\nhang\n", "x".repeat(100_000));
    let script = [GREETING, "C: EHLO …\n", &long].concat();
    play(&script, &[]).not_sent(&["line that is too long"]);
    let script = [GREETING, "C: EHLO …\nS: 250-a\nS: 550 b\nhang\n"].concat();
    play(&script, &[]).not_sent(&["different codes"]);
}

#[test]
fn w_t4a_a_server_that_leaves_inside_the_message_has_nothing() {
    let script = [GREETING, EHLO, ENVELOPE, "C: DATA\nS: 354 go\nreset\n"];
    // More bytes than both socket buffers hold, in few lines so that the test
    // is quick.
    let body = [&[b'x'; 990][..], b"\n"].concat().repeat(12_000);
    let nobody = identity_of_nobody();
    let done = play_with(&script.concat(), "127.0.0.1", &[], &body, &nobody);
    done.followed();
    done.not_sent(&["ended while the message was sent"]);
}

#[test]
fn w_t4a_530_is_explained() {
    let refused = |words: &str| {
        let mail = format!("C: MAIL …\nS: 530 {words}\n");
        play(&[GREETING, EHLO, &mail, QUIT].concat(), &[])
    };
    let done = refused("5.7.0 Must issue a STARTTLS command first.");
    done.not_sent(&["--tls starttls"]);
    let done = refused("5.7.0 Authentication Required.");
    done.not_sent(&["--user NAME"]);
    let relay = "C: MAIL …\nS: 250 ok\n\
                 C: RCPT …\nS: 554 5.7.1 <bob@example.org>: Relay denied\n";
    let done = play(&[GREETING, EHLO, relay, QUIT].concat(), &[]);
    done.not_sent(&["other domains", "--user NAME"]);
}

#[test]
fn w_t4a_nobody_listens() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let mut command = harness::terminal::command("mail-client");
    command.args(crate::script::client("127.0.0.1", port, &[]));
    let mut client =
        harness::terminal::Terminal::run(&mut command).expect("it starts");
    client.end_input();
    let line = client.wait_for("…ECONNREFUSED…").expect("why");
    assert!(line.contains("connect(127.0.0.1:"), "{line}");
    assert_eq!(client.wait_for_end().expect("an end").code(), Some(1));
}

#[test]
fn w_t4a_only_the_250_after_the_dot_means_accepted() {
    // Every reply is a 250 and comes one command too early, so DATA gets a 250.
    let script = [GREETING, EHLO, ENVELOPE, "C: DATA\nS: 250 ok\n", QUIT];
    play(&script.concat(), &[]).not_sent(&["the reply to DATA was 250"]);
    let script = [GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    play(&script, &[]).ended(0, &["sent to 1 of 1"]);
}
