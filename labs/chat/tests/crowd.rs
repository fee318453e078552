//! Crowds: a thousand members, storms at the door, one order for all, and a
//! member that never reads.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::members::{Member, is_event};
use harness::{self, Server, allow_descriptors, receive_line, send};

/// The most memory that a process ever had, in MiB.
fn most_memory(server: &mut Server) -> u64 {
    let status = format!("/proc/{}/status", server.console().pid());
    let status = fs::read_to_string(status).expect("Linux's /proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|text| text.parse::<u64>().ok()).expect("kB") / 1024
}

#[test]
fn g_8d_a_thousand_members_get_a_thousand_lines_once_and_in_order() {
    const MEMBERS: usize = 1000;
    allow_descriptors(4096);
    let mut server = Server::start("chat-server", &["--quiet"]);
    let mut speaker = server.connect();
    send(&speaker, b"Speaker\n");
    assert_eq!(receive_line(&speaker), "Enter login name:");
    assert!(is_event(
        &receive_line(&speaker),
        "Speaker has joined. Member count=1"
    ));
    let mut members: Vec<TcpStream> = Vec::new();
    for number in 0..MEMBERS {
        let member = server.connect();
        send(&member, format!("m{number}\n").as_bytes());
        members.push(member);
    }
    // Its own join is the first line that a member hears; the order in which
    // they came in is up to the server's threads.
    let heard = &|mut stream: &TcpStream, last: &str| {
        let mut text = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while !text.ends_with(last.as_bytes()) {
            let count = stream.read(&mut chunk).expect("more, in time");
            assert!(count > 0, "closed after {} bytes", text.len());
            text.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8(text).expect("UTF-8")
    };
    let joins = heard(&speaker, &format!(" Member count={}\n", MEMBERS + 1));
    assert_eq!(joins.lines().count(), MEMBERS);
    let said: String = (0..1000).map(|n| format!("line {n}\n")).collect();
    send(&speaker, said.as_bytes());
    let wanted: &String =
        &(0..1000).map(|n| format!("Speaker: line {n}\n")).collect();
    thread::scope(|scope| {
        for part in members.chunks(MEMBERS / 4) {
            scope.spawn(move || {
                for member in part {
                    let text = heard(member, "Speaker: line 999\n");
                    let lines = text.split_once("Speaker: ").map(|(_, l)| l);
                    let lines = format!("Speaker: {}", lines.expect("lines"));
                    assert!(lines == *wanted, "other lines, or another order");
                }
            });
        }
    });
    let memory = most_memory(&mut server);
    assert!(memory < 256, "{memory} MiB for {MEMBERS} members");
    // Ctrl-C: nobody of them holds it up.
    server.interrupt();
    let mut rest = String::new();
    speaker.read_to_string(&mut rest).expect("an end");
    assert_eq!(rest, "Server: the room is closed\n");
}

#[test]
fn g_8d_a_member_that_never_reads_is_dropped_and_nobody_else_notices() {
    never_reads(8);
}

#[test]
fn g_8d_a_member_that_never_reads_is_dropped_in_a_small_room_too() {
    never_reads(2);
}

/// One member is stuck, beside this many others, one of whom speaks.
fn never_reads(others: usize) {
    let mut server = Server::start("chat-server", &["--quiet"]);
    let mut members = Vec::new();
    for number in 0..others {
        members.push(Member::join(&server, &format!("m{number}"), number + 1));
    }
    let before = most_memory(&mut server);
    let stuck = Member::join(&server, "Stuck", others + 1);
    let socket = socket2::SockRef::from(stuck.socket());
    socket.set_recv_buffer_size(4096).expect("a small window");
    for (number, member) in members.iter_mut().enumerate() {
        for later in number + 1..others {
            let count = later + 1;
            member.hears_event(&format!(
                "m{later} has joined. Member count={count}"
            ));
        }
        let count = others + 1;
        member.hears_event(&format!("Stuck has joined. Member count={count}"));
    }
    let (speaker, listeners) = members.split_first_mut().expect("members");
    let text = "x".repeat(4000);
    let gone = format!("Stuck has left. Member count={others}");
    let (mut sent, mut left) = (0, false);
    while !left {
        assert!(sent < 16 << 20, "never dropped: {sent} bytes were sent");
        for _ in 0..32 {
            speaker.says(&text);
            sent += text.len();
        }
        for listener in &mut *listeners {
            // The event stands between the lines, at one place for all.
            let mut lines = 0;
            while lines < 32 {
                let line = listener.next();
                match is_event(&line, &gone) {
                    true => left = true,
                    false => {
                        assert_eq!(line, format!("m0: {text}"));
                        lines += 1;
                    }
                }
            }
        }
    }
    // The members whose queue had it after the lines.
    speaker.says("done");
    for listener in &mut *listeners {
        loop {
            match listener.next().as_str() {
                "m0: done" => break,
                line => {
                    assert!(is_event(line, &gone))
                }
            }
        }
    }
    let grown = most_memory(&mut server) - before;
    assert!(grown < 16, "{grown} MiB for a queue of 1 MiB");
}

#[test]
fn g_8d_a_flood_slows_its_author_and_throws_nobody_out() {
    flood(3);
}

#[test]
fn g_8d_a_flood_throws_nobody_out_of_a_room_of_three() {
    flood(1);
}

/// One member floods the room, in which this many are slow and one is not.
fn flood(slow: usize) {
    const LINES: usize = 300_000;
    let server = Server::start("chat-server", &["--quiet"]);
    // 24 characters in front of each line of one: 14 times the bytes.
    let flooder = Member::join(&server, &"f".repeat(24), 1);
    let mut clock = Member::join(&server, "Clock", 2);
    let mut listeners = Vec::new();
    for number in 0..slow {
        let name = format!("m{number}");
        listeners.push((Member::join(&server, &name, number + 3), 0));
    }
    thread::scope(|scope| {
        let flood = "y\n".repeat(LINES);
        let flooder = flooder.socket();
        scope.spawn(move || send(flooder, flood.as_bytes()));
        let line = format!("{}: y", "f".repeat(24));
        while listeners.iter().any(|(_, lines)| *lines < LINES) {
            // The listeners are slow: while they read 500 lines, the
            // server handles everything that is queued before this.
            clock.says("/who");
            let mut passed = 0;
            let here = loop {
                let heard = clock.next();
                if heard.contains(" here: ") {
                    break heard;
                }
                // Slow, but not stuck: they take a tenth meanwhile.
                passed += 1;
                if passed % 1000 == 0 {
                    for (listener, lines) in &mut listeners {
                        (0..100).for_each(|_| {
                            *lines += usize::from(listener.next() == line);
                        });
                    }
                }
            };
            let all = format!("Server: {} here: ", slow + 2);
            assert!(here.starts_with(&all), "{here}");
            for (listener, lines) in &mut listeners {
                for _ in 0..500.min(LINES - *lines) {
                    let heard = listener.next();
                    *lines += usize::from(heard == line);
                }
            }
        }
    });
}

#[test]
fn g_8d_who_comes_and_goes_amid_talk_misses_nothing_in_between() {
    const GUESTS: usize = 8;
    const VISITS: usize = 10;
    let server = Server::start("chat-server", &["--quiet"]);
    let mut talker = Member::join(&server, "Talker", 1);
    let guests_are_gone = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut said = 0;
            while !guests_are_gone.load(Ordering::Relaxed) {
                let lines: String =
                    (said..said + 5).map(|n| format!("{n}\n")).collect();
                talker.sends(lines.as_bytes());
                said += 5;
            }
        });
        let visits: Vec<_> = (0..GUESTS)
            .map(|guest| {
                let server = &server;
                scope.spawn(move || {
                    (0..VISITS).for_each(|n| visit(server, guest, n));
                })
            })
            .collect();
        let ended: Vec<_> = visits.into_iter().map(|v| v.join()).collect();
        guests_are_gone.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a guest missed something");
    });
}

/// Joins, listens, quits, and has heard number after number.
fn visit(server: &Server, guest: usize, visit: usize) {
    let mut member = Member::connect(server);
    let name = format!("guest {guest} {visit}");
    member.says(&name);
    member.hears("Enter login name:");
    let joined = member.next();
    assert!(joined.contains(&format!(" {name} has joined. ")), "{joined}");
    let mut last = None;
    let mut hear = |line: &str| {
        let Some(number) = line.strip_prefix("Talker: ") else { return };
        let number: u64 = number.parse().expect("a number");
        assert!(last.is_none_or(|last| number == last + 1), "{last:?} {line}");
        last = Some(number);
    };
    (0..100).for_each(|_| hear(&member.next()));
    member.says("quit");
    member.rest().lines().for_each(hear);
}

#[test]
fn g_8d_the_member_count_is_right_in_every_event_of_a_storm() {
    const CLIENTS: usize = 50;
    const ROUNDS: usize = 100;
    let server = Server::start("chat-server", &["--quiet"]);
    let mut witness = Member::join(&server, "Witness", 1);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let server = &server;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let member = server.connect();
                    send(&member, format!("{client} {round}\n").as_bytes());
                    receive_line(&member);
                    let joined = receive_line(&member);
                    assert!(joined.contains("has joined."), "{joined}");
                    match (client + round) % 3 {
                        0 => send(&member, b"quit\n"),
                        1 => harness::reset(member),
                        _ => drop(member),
                    }
                }
            });
        }
        let mut inside = BTreeSet::from(["Witness".to_string()]);
        for _ in 0..2 * CLIENTS * ROUNDS {
            let line = witness.next();
            let event =
                line.split_once(' ').and_then(|(_, r)| r.split_once(' '));
            let (_, what) = event.expect("an event");
            if let Some((name, _)) = what.split_once(" has joined.") {
                assert!(inside.insert(name.into()), "twice: {line}");
                let count = inside.len();
                let right = format!("{name} has joined. Member count={count}");
                assert!(is_event(&line, &right), "{line}: {count} are in");
            } else {
                let name = what.split(" has left.").next().unwrap_or_default();
                assert!(inside.remove(name), "was not in: {line}");
                let count = inside.len();
                let right = format!("{name} has left. Member count={count}");
                assert!(is_event(&line, &right), "{line}: {count} are in");
            }
        }
        assert_eq!(inside.len(), 1);
    });
}

#[test]
fn g_8d_fifty_members_and_many_speakers_one_order_for_all() {
    const MEMBERS: usize = 50;
    const SPEAKERS: usize = 10;
    const LINES: usize = 100;
    let server = Server::start("chat-server", &["--quiet"]);
    let mut members: Vec<Member> = (0..MEMBERS)
        .map(|number| Member::join(&server, &format!("m{number}"), number + 1))
        .collect();
    for (number, member) in members.iter_mut().enumerate() {
        (number + 1..MEMBERS).for_each(|_| drop(member.next()));
    }
    let sockets: Vec<TcpStream> = members[..SPEAKERS]
        .iter()
        .map(|member| member.socket().try_clone().expect("a handle"))
        .collect();
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        for socket in &sockets {
            scope.spawn(move || {
                for line in 0..LINES {
                    send(socket, format!("{line}\n").as_bytes());
                }
            });
        }
        let readers: Vec<_> = members
            .iter_mut()
            .enumerate()
            .map(|(number, member)| {
                // A speaker does not hear itself.
                let own = if number < SPEAKERS { LINES } else { 0 };
                let count = SPEAKERS * LINES - own;
                scope.spawn(move || (0..count).map(|_| member.next()).collect())
            })
            .collect();
        let lines = readers.into_iter().map(|reader| reader.join());
        lines.map(|lines| lines.expect("a reader")).collect()
    });
    let all = heard.last().expect("a silent member");
    for (number, lines) in heard.iter().enumerate() {
        let own = format!("m{number}: ");
        let others: Vec<&String> =
            all.iter().filter(|line| !line.starts_with(&own)).collect();
        assert!(lines.iter().eq(others), "m{number} heard another order");
    }
    // And each speaker's lines are in the speaker's order.
    for number in 0..SPEAKERS {
        let own = format!("m{number}: ");
        let said = all.iter().filter_map(|line| line.strip_prefix(&own));
        assert!(said.eq((0..LINES).map(|n| n.to_string()).collect::<Vec<_>>()));
    }
}
