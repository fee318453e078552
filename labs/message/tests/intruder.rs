//! Task 2: the intruder, against our servers and stranger ones.

use std::net::TcpListener;
use std::thread;

use harness::terminal::{self, Terminal};

use crate::foreign::{for_ever, foreign, now_and_then};
use crate::{SECRET, ends_with, guarded, wait};
use harness::Server;

#[test]
#[cfg(target_os = "linux")]
fn d_t2_2_an_intruder_that_is_killed_leaves_no_server_behind() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
    use std::fs;

    let mut intruder = Terminal::start("message-intruder", [""; 0]).unwrap();
    // The other attacks still run, because silence takes seconds.
    wait(&mut intruder, "(the owner, right secret) …");
    // Which of its threads has started which child?
    let threads = format!("/proc/{}/task", intruder.pid());
    let threads = fs::read_dir(threads).expect("its threads").flatten();
    let lists = threads.map(|t| fs::read_to_string(t.path().join("children")));
    let lists: Vec<String> = lists.flatten().collect();
    if lists.is_empty() {
        return; // a kernel that does not tell
    }
    let children = lists.iter().flat_map(|list| list.split_whitespace());
    let children: Vec<_> = children
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
        .collect();
    assert!(!children.is_empty(), "it runs servers");
    intruder.signal(Signal::TERM).expect("a signal");
    assert_eq!(intruder.wait_for_end().expect("it ends").code(), Some(130));
    for child in children {
        // To be read when the process has ended.
        let mut ended = [PollFd::new(&child, PollFlags::IN)];
        let limit = Timespec::try_from(harness::DEADLINE).expect("seconds");
        assert_eq!(poll(&mut ended, Some(&limit)), Ok(1), "a server lives");
    }
}

#[test]
fn d_t2_2_the_intruder_prints_which_level_withstands_what() {
    let mut intruder = Terminal::start("message-intruder", [""; 0]).unwrap();
    let mut rows = Vec::new();
    while let Some(line) = intruder.read_line().expect("it goes on") {
        let cells = line.split("  ").map(str::trim);
        let cells = cells.filter(|cell| !cell.is_empty());
        rows.push(cells.map(str::to_string).collect::<Vec<_>>());
    }
    ends_with(intruder, 0);
    let (yes, no) = ("ACCEPTED", "refused");
    let (held, slow) = ("keeps a place", "slowed after 3");
    let elsewhere = if cfg!(target_os = "linux") {
        ["from another address", yes, no, no, no]
    } else {
        ["from another address", "-", "-", "-", "-"]
    };
    assert_eq!(
        rows,
        [
            ["attack", "none", "allow-list", "password", "challenge"],
            ["(the owner, right secret)", yes, yes, yes, yes],
            ["no login, like nc", yes, yes, no, no],
            ["the client of task 1", yes, yes, no, no],
            elsewhere,
            ["an empty secret", yes, yes, no, no],
            ["a wrong secret", yes, yes, no, no],
            ["replay of a recorded login", yes, yes, yes, no],
            ["guessing, 20 secrets", yes, yes, slow, slow],
            ["silence", held, held, "cut", "cut"],
        ]
    );
}

#[test]
fn d_t2_2_the_intruder_attacks_any_server() {
    let server = guarded("challenge", &["--login-limit", "1"]);
    let attack = |secret: Option<&str>| {
        let (host, port) = server.host_and_port();
        let mut command = terminal::command("message-intruder");
        command.args([&host, &port, "--patience", "3"]);
        command.env_remove("MESSAGE_SECRET");
        if let Some(secret) = secret {
            command.env("MESSAGE_SECRET", secret);
        }
        Terminal::run(&mut command).expect("it starts")
    };
    let mut friend = attack(Some(SECRET));
    wait(&mut friend, "(the owner, right secret) … ACCEPTED … OK");
    wait(&mut friend, "a wrong secret … refused … NO wrong secret");
    wait(&mut friend, "replay of a recorded login … refused … NO …");
    wait(&mut friend, "silence … cut…");
    ends_with(friend, 0);
    let mut stranger = attack(None);
    wait(&mut stranger, "(the owner, right secret) … -…");
    wait(&mut stranger, "replay of a recorded login … -…");
    ends_with(stranger, 0);
    let open = Server::start("message-open-server", &[]);
    let mut open = open.client("message-intruder", &["--patience", "0.1"]);
    wait(&mut open, "no login, like nc … no answer…");
    wait(&mut open, "silence … keeps a place…");
}

#[test]
fn d_t2_2_the_intruder_has_patience_but_is_kept_by_no_server() {
    let long = [&[b'x'; 5000][..], b"\n"].concat();
    let long = foreign(move |client| for_ever(client, &long));
    let slow = foreign(|client| now_and_then(client, b"AUTH x\n"));
    // It cuts silence later than the intruder waits for a single line.
    let late = guarded("password", &["--login-limit", "3.5"]);
    let intruder = |server: &Server| {
        server.client("message-intruder", &["--patience", "9"])
    };
    let (mut long, mut slow, mut late) =
        (intruder(&long), intruder(&slow), intruder(&late));
    wait(&mut long, "no login, like nc … see its words … (too long a line)");
    wait(&mut slow, "no login, like nc … see its words … AUTH x");
    wait(&mut late, "silence … cut…");
}

#[test]
fn d_t2_2_the_intruder_tries_every_address_of_a_name() {
    // The last one: where localhost has two, the first refuses.
    let addresses = socketlab::net::resolve("localhost", 0).expect("a name");
    let theirs = TcpListener::bind(addresses.last().expect("an address"));
    let port = theirs.and_then(|theirs| {
        let port = theirs.local_addr()?.port();
        thread::spawn(move || theirs.incoming().for_each(drop));
        Ok(port.to_string())
    });
    let arguments = ["localhost", &port.expect("a port"), "--patience", "0.1"];
    let mut intruder = Terminal::start("message-intruder", arguments).unwrap();
    wait(&mut intruder, "silence … cut…");
    ends_with(intruder, 0);
}
