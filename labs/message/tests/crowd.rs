//! Many clients at once: of one ID, and of one server.

use std::path::Path;
use std::thread;

use harness::terminal::Terminal;
use rustix::process::Signal;

use crate::{dialogue, table, with_quota};
use harness::{allow_descriptors, receive_all, receive_line, send};
use message::quota::{Quota, QuotaReply};

#[test]
fn d_t3_5_eight_clients_of_one_id_pass_exactly_the_quota() {
    let mut server = with_quota("alice 1000\nbob 5", &[]);
    let burst = ["--id", "alice", "--burst", "1000"];
    let mut racers: Vec<Terminal> =
        (0..8).map(|_| server.client("message-client", &burst)).collect();
    // Its console is read meanwhile: nobody's output may hold it up.
    for _ in 0..8 {
        server.wait_for(
            "[…] left: end of stream, messages: … accepted, … refused",
        );
    }
    let mut accepted = 0;
    for racer in &mut racers {
        let line = racer.wait_for("1000 sent: … accepted, … refused");
        let line = line.expect("a count");
        let number = line.split(' ').nth(2).expect("a number");
        accepted += number.parse::<u32>().expect("a number");
    }
    assert_eq!(accepted, 1000);
    server.console().signal(Signal::USR1).expect("a signal");
    server.wait_for("alice         1000  1000     0");
    server.wait_for("bob              5     0     5");
}

#[test]
fn d_t3_5_the_last_message_of_a_quota_has_one_taker() {
    // Only around the last message can a race go wrong, so there are many
    // last messages: each round is an ID that may send one, and all threads
    // want it at the same moment.
    const ROUNDS: usize = 3000;
    let rows: String =
        (0..ROUNDS).map(|round| format!("id{round} 1\n")).collect();
    let (_folder, file) = table(&rows);
    let quota = Quota::read(Path::new(&file)).expect("a table");
    let start = std::sync::Barrier::new(4);
    let accepted: usize = thread::scope(|scope| {
        let race = || {
            let mut accepted = 0;
            for round in 0..ROUNDS {
                let id = format!("id{round}");
                start.wait();
                if matches!(quota.spend(&id), QuotaReply::Accepted { .. }) {
                    accepted += 1;
                }
            }
            accepted
        };
        let racers = [(); 4].map(|()| scope.spawn(race));
        racers.map(|racer| racer.join().expect("no panic")).iter().sum()
    });
    assert_eq!(accepted, ROUNDS);
}

#[test]
fn x_thread_a_thousand_clients_at_once() {
    allow_descriptors(4096);
    let mut server = with_quota("crowd 1000", &[]);
    let clients: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    let reading = thread::spawn(move || {
        for _ in 0..1000 {
            server.wait_for("[…] crowd 1 at …: here");
        }
        server
    });
    for client in &clients {
        send(client, b"ID crowd\nhere\n");
    }
    for client in &clients {
        assert!(receive_line(client).starts_with("OK "));
        assert!(receive_line(client).starts_with("OK "));
    }
    let mut server = reading.join().expect("no panic");
    let late = dialogue(&clients[0], &["one more"]);
    assert!(late[0].starts_with("STOP"), "{late:?}");
    server.interrupt();
}

#[test]
fn x_thread_one_more_than_max_clients_is_told_so() {
    let server = with_quota("alice 1", &["--max-clients", "1"]);
    let first = server.connect();
    assert_eq!(dialogue(&first, &["alice"]), ["OK 1 left"]);
    let told = receive_all(&server.connect());
    assert_eq!(told, b"NO room: too many clients, try again later\n");
}
