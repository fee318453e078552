//! Which names can be had, and that nobody has another's.

use std::thread;

use crate::members::{Member, is_event};
use harness::{Server, send};

#[test]
fn g_8d_names_that_cannot_be_had_are_refused_with_the_reason() {
    let server = Server::start("chat-server", &[]);
    let unseen = "a name has no control or invisible characters";
    let listed = "a name has no comma and no parenthesis";
    for (name, reason) in [
        ("", "a name has at least one character"),
        ("   ", "a name has at least one character"),
        ("\u{3000}", "a name has at least one character"),
        ("abcdefghijklmnopqrstuvwxy", "a name has at most 24 characters"),
        (&"x".repeat(10_000), "a name has at most 24 characters"),
        ("Batman: hi", "a name has no colon"),
        ("Server", "Server is the room itself"),
        (" sERVER ", "Server is the room itself"),
        ("\u{17f}erver", "Server is the room itself"), // ſ
        ("Bat\x1b[2Jman", unseen),
        ("Bat\tman", unseen),
        ("Bat\u{7f}man", unseen),
        ("Bat\u{9b}man", unseen),
        ("Bat\u{202e}man", unseen),
        ("Bat\u{200b}man", unseen),
        ("Bat\u{2060}man", unseen),
        ("Bat\u{ad}man", unseen),
        ("Bat\u{a0}man", unseen),
        ("Bat\u{3164}man", unseen),
        ("Bat\u{200d}man", unseen),
        ("Bat\u{fffe}man", unseen),
        ("Batman, Robin", listed),
        ("Batman (to you)", listed),
        ("(Batman left", listed),
        ("\u{301}\u{302}", "a name does not begin with an accent"),
        ("\u{301}Batman", "a name does not begin with an accent"),
        ("/who", "a name does not begin with / or *"),
        ("* Batman waves", "a name does not begin with / or *"),
    ] {
        let mut member = Member::connect(&server);
        member.hears("Enter login name:");
        member.says(name);
        member.hears(&format!("Server: {reason}"));
        member.hears("Enter login name:");
        member.hangs_up();
    }
    let mut member = Member::connect(&server);
    member.hears("Enter login name:");
    member.sends(b"caf\xe9\n");
    member.hears("Server: a name is UTF-8 text");
    // Nobody of them was counted, and the last one may try again.
    member.hears("Enter login name:");
    member.says("Zoë 24 ÄÖÜ 漢字 characters");
    let line = member.next();
    let joined = "Zoë 24 ÄÖÜ 漢字 characters has joined. Member count=1";
    assert!(is_event(&line, joined), "{line}");
}

#[test]
fn g_8d_a_name_is_taken_whatever_its_case() {
    let server = Server::start("chat-server", &[]);
    let _one = Member::join(&server, "Straße", 1);
    let _two = Member::join(&server, "Ὀδυσσεύς", 2);
    let mut other = Member::connect(&server);
    for name in
        ["straße", "STRASSE", "STRAẞE", "Strasse", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"]
    {
        other.hears("Enter login name:");
        other.says(name);
        other.hears(&format!("Server: the name {name} is taken"));
    }
    other.hears("Enter login name:");
    other.says("Strase");
    other.hears_event("Strase has joined. Member count=3");
}

#[test]
fn g_8d_a_name_that_looks_like_another_is_refused_with_that_name() {
    let server = Server::start("chat-server", &[]);
    let names = ["Batman", "Bob1", "Zoé", "rn", "Ivan", "Dark Vader"];
    let mut members = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        members.push(Member::join(&server, name, index + 1));
    }
    for (name, like) in [
        ("B\u{430}tman", "Batman"), // Cyrillic а
        ("\u{412}ATMAN", "Batman"), // Cyrillic В, which is в in small
        ("Ｂａｔｍａｎ", "Batman"), // full width
        ("𝐁𝐚𝐭𝐦𝐚𝐧", "Batman"),       // of mathematics
        ("Βatman", "Batman"),       // Greek
        ("Bobl", "Bob1"),
        ("BobI", "Bob1"),
        ("Bob|", "Bob1"),
        ("B0b1", "Bob1"),
        ("Zoe\u{301}", "Zoé"), // in two characters
        ("m", "rn"),
        ("lvan", "Ivan"),
        ("1van", "Ivan"),
        ("Dark  Vader", "Dark Vader"),
    ] {
        let mut other = Member::connect(&server);
        other.hears("Enter login name:");
        other.says(name);
        let why = format!("the name {name} looks like {like}, who is here");
        other.hears(&format!("Server: {why}"));
        other.hears("Enter login name:");
        other.hangs_up();
    }
    // Names that nobody takes for one of these.
    let names = ["Bätman", "Bob2", "Zoe", "m1", "Ivana", "DarkVader"];
    for (index, name) in names.into_iter().enumerate() {
        members.push(Member::join(&server, name, index + 7));
    }
}

#[test]
fn g_8d_nobody_can_look_like_the_room_itself() {
    let server = Server::start("chat-server", &[]);
    let like = "that name looks like Server, which is the room itself";
    let colon = "a name has nothing that looks like a colon";
    for (name, reason) in [
        ("S\u{435}rver", like),             // Cyrillic е
        ("\u{405}\u{415}RVER", like),       // Cyrillic Ѕ and Е
        ("Ｓｅｒｖｅｒ", like),             // full width
        ("S\u{435}rv\u{435}\u{433}", like), // Cyrillic г
        ("ꜱᴇʀᴠᴇʀ", like),
        ("𝒮erver", like),
        ("Batman：hi", colon),
        ("Batman\u{a789} hi", colon),
        ("Batman\u{2236} hi", colon),
        ("Batman （to you）", "a name has no comma and no parenthesis"),
        ("\u{2217} Batman", "a name does not begin with / or *"),
    ] {
        let mut member = Member::connect(&server);
        member.hears("Enter login name:");
        member.says(name);
        member.hears(&format!("Server: {reason}"));
    }
}

#[test]
fn g_8e_a_whisper_finds_a_name_in_another_spelling() {
    let server = Server::start("chat-server", &[]);
    let mut one = Member::join(&server, "ﬁ", 1); // one character
    let mut two = Member::join(&server, "Straße zwei", 2);
    one.hears_event("Straße zwei has joined. Member count=2");
    two.says("/msg FI hi");
    one.hears("Straße zwei (to you): hi");
    one.says("/msg STRASSE ZWEI hi");
    two.hears("ﬁ (to you): hi");
}

#[test]
fn g_8d_two_clients_race_for_a_name_and_one_wins() {
    let server = Server::start("chat-server", &["--quiet"]);
    for round in 0..100 {
        let name = format!("round {round}");
        let mut members = [Member::connect(&server), Member::connect(&server)];
        for member in &mut members {
            member.hears("Enter login name:");
        }
        thread::scope(|scope| {
            for member in &members {
                let line = format!("{name}\n");
                scope.spawn(move || send(member.socket(), line.as_bytes()));
            }
        });
        let answers = members.each_mut().map(|member| member.next());
        let joined = format!("{name} has joined. Member count=1");
        let taken = format!("Server: the name {name} is taken");
        let won = answers.iter().filter(|line| is_event(line, &joined));
        let lost = answers.iter().filter(|line| **line == taken);
        assert_eq!((won.count(), lost.count()), (1, 1), "{answers:?}");
        let won = is_event(&answers[1], &joined);
        let [first, second] = members;
        let mut winner = if won { second } else { first };
        winner.says("quit");
        winner.hears_the_end();
    }
}

#[test]
fn g_8d_the_name_is_free_again_at_once() {
    let server = Server::start("chat-server", &["--quiet"]);
    let mut witness = Member::join(&server, "Robin", 1);
    for _ in 0..100 {
        let mut member = Member::join(&server, "Batman", 2);
        member.says("quit");
        // The end is said after the name has been given back.
        member.hears_the_end();
        witness.hears_event("Batman has joined. Member count=2");
        witness.hears_event("Batman has left. Member count=1");
    }
}

#[test]
fn g_8d_who_never_logs_in_is_not_counted_and_is_closed() {
    let server = Server::start("chat-server", &["--login-limit", "1"]);
    let mut silent = Member::connect(&server);
    let mut slow = Member::connect(&server);
    slow.hears("Enter login name:");
    // A new attempt does not extend the one deadline for all attempts.
    slow.says("Server");
    slow.hears("Server: Server is the room itself");
    slow.hears("Enter login name:");
    slow.sends(b"half a na");
    let mut member = Member::join(&server, "Batman", 1);
    silent.hears("Enter login name:");
    for waiting in [&mut silent, &mut slow] {
        waiting.hears("Server: no name came in time");
        waiting.hears_the_end();
    }
    // A member may be silent for longer than that.
    member.says("/who");
    member.hears("Server: 1 here: Batman");
}

#[test]
fn g_8d_ten_names_are_enough() {
    let server = Server::start("chat-server", &[]);
    let mut member = Member::connect(&server);
    for _ in 0..10 {
        member.hears("Enter login name:");
        member.says("Server");
        member.hears("Server: Server is the room itself");
    }
    member.hears("Server: too many names were refused");
    member.hears_the_end();
}

#[test]
fn g_8d_quit_at_the_login_leaves() {
    let server = Server::start("chat-server", &[]);
    let mut member = Member::connect(&server);
    member.hears("Enter login name:");
    member.says("quit");
    member.hears_the_end();
}

#[test]
fn g_8e_a_refused_name_is_asked_again_on_the_screen() {
    let server = Server::start("chat-server", &[]);
    let _batman = Member::join(&server, "Batman", 1);
    let mut screen = server.client("chat-client", &[]);
    screen.wait_for("Enter login name:").expect("the question");
    screen.type_line("BATMAN").expect("it reads");
    screen.wait_for("Server: the name BATMAN is taken").expect("the reason");
    screen.wait_for("Enter login name:").expect("the question again");
    screen.type_line("Robin").expect("it reads");
    screen
        .wait_for("Server: time=… Robin has joined. Member count=2")
        .expect("in");
}
