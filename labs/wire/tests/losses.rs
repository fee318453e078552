//! Losses by name: each makes the kernel, or a program, do what the textbook
//! says, and the test fails if nothing was lost.

use crate::{ACK, FIN, Packet, RST, SYN};
use crate::{as_ordinary_user, build, can_run, folder, hosts};
use harness::make_fifo;
use harness::terminal::Terminal;
use rustix::process::Signal;
use std::io::Write;

const ECHO: [&str; 2] =
    ["echo-server 10.0.0.2 12001", "echo hello | echo-client 10.0.0.2 12001"];

/// Echo between two hosts, where the cable loses this.
#[track_caller]
fn echo_losing(name: &str) -> Vec<Packet> {
    let run = hosts(&[&["--lose", name], &ECHO[..]].concat());
    assert_eq!(run.status, Some(0), "{}", run.printed);
    assert!(run.printed.contains("\nhello\n"), "{}", run.printed);
    let (_, lost) = run.counted();
    assert_eq!(lost, 1, "{}", run.printed);
    let packets = run.packets();
    let marked = format!("lost by the cable ({name})");
    let marked = packets.iter().filter(|p| p.comment.starts_with(&marked));
    assert_eq!(marked.count(), 1, "the capture keeps what was lost");
    packets
}

/// Milliseconds between the first two packets that fit, by the clock of the
/// host that sent them.
#[track_caller]
fn between(packets: &[Packet], fits: impl Fn(&Packet) -> bool) -> u64 {
    let fitting: Vec<&Packet> = packets.iter().filter(|p| fits(p)).collect();
    let [first, second, ..] = fitting.as_slice() else { panic!("{fitting:?}") };
    second.clock - first.clock
}

#[test]
fn x_wire_a_lost_syn_costs_connect_a_second() {
    if !can_run() {
        return;
    }
    let packets = echo_losing("first SYN");
    let between = between(&packets, |packet| packet.is(SYN));
    assert!((1000..=1200).contains(&between), "{between} ms");
}

#[test]
fn x_wire_lost_data_is_sent_again_after_the_kernels_timeout() {
    if !can_run() {
        return;
    }
    // This client waits for the reply. One that closes at once would send a
    // FIN, whose SACK tells its kernel of the loss before any timeout.
    let run = hosts(&[
        "--lose",
        "first data from client",
        "rpc-server 10.0.0.2 12006",
        "rpc-client 10.0.0.2 12006 --wait 9000 add 2 3",
    ]);
    assert!(run.printed.contains("\n5\n"), "{}", run.printed);
    assert_eq!(run.counted().1, 1, "{}", run.printed);
    let asks = |packet: &Packet| packet.has(12006, "\"add\"");
    let between = between(&run.packets(), asks);
    assert!((190..=2000).contains(&between), "{between} ms");
}

#[test]
fn x_wire_when_the_last_ack_is_lost_the_fin_comes_twice() {
    if !can_run() {
        return;
    }
    let packets = echo_losing("last ACK");
    let lost = packets.iter().position(|p| p.comment.starts_with("lost"));
    let lost = lost.expect("the last ACK");
    // The side that closed second, and got no ACK, sends its FIN again.
    let is_its_fin = |packet: &&Packet| {
        packet.flags & FIN != 0 && packet.from != packets[lost].from
    };
    // On a busy machine it may do so before the ACK that is lost.
    assert!(packets.iter().filter(is_its_fin).count() >= 2);
}

#[test]
fn x_wire_a_lost_syn_ack_makes_both_sides_try_again() {
    if !can_run() {
        return;
    }
    let packets = echo_losing("SYN ACK");
    let both = packets.iter().filter(|packet| packet.is(SYN | ACK));
    assert!(both.count() >= 2);
}

#[test]
fn x_wire_a_lost_datagram_is_asked_for_again_by_the_client() {
    if !can_run() {
        return;
    }
    let run = hosts(&[
        "--lose",
        "first datagram",
        "uppercase-udp-server 10.0.0.2 12000",
        "echo hello | uppercase-udp-client 10.0.0.2 12000",
    ]);
    assert_eq!(run.status, Some(0), "{}", run.printed);
    assert!(run.printed.contains("attempt 1 of 3"), "{}", run.printed);
    assert!(run.printed.contains("HELLO"), "{}", run.printed);
    assert_eq!(run.counted().1, 1);
    let packets = run.packets();
    let asked = packets.iter().filter(|packet| packet.has(12000, "hello"));
    assert!(asked.count() >= 2);
}

#[test]
fn x_wire_every_second_datagram_of_the_server_is_lost() {
    if !can_run() {
        return;
    }
    let run = hosts(&[
        "--lose",
        "every 2nd datagram from server",
        "datetime-server 10.0.0.2 12003",
        "datetime-client 10.0.0.2 12003 --count 4 --gap 0..0 --wait 1500",
    ]);
    assert!(run.printed.contains("2 answered, 2 lost"), "{}", run.printed);
    assert_eq!(run.counted().1, 2);
}

#[test]
fn x_wire_a_doubled_datagram_is_in_the_capture_twice() {
    if !can_run() {
        return;
    }
    let run = hosts(&[
        "--duplicate",
        "first datagram",
        "uppercase-udp-server 10.0.0.2 12000",
        "echo hello | uppercase-udp-client 10.0.0.2 12000",
    ]);
    assert_eq!(run.status, Some(0), "{}", run.printed);
    let packets = run.packets();
    let asked = packets.iter().filter(|packet| packet.has(12000, "hello"));
    let asked: Vec<&Packet> = asked.collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[1].comment.starts_with("the cable's copy"), "{asked:?}");
}

#[test]
fn x_wire_a_cut_resets_both_ends() {
    if !can_run() {
        return;
    }
    let words = [&["--cut", "first data from server"], &ECHO[..]].concat();
    let run = hosts(&words);
    assert_eq!(run.status, Some(1), "{}", run.printed);
    assert!(run.printed.contains("ECONNRESET"), "{}", run.printed);
    let packets = run.packets();
    let forged = packets.iter().filter(|p| p.comment.starts_with("forged"));
    let forged: Vec<&Packet> = forged.collect();
    assert_eq!(forged.len(), 2, "{}", run.printed);
    assert!(forged.iter().all(|p| p.is(RST | ACK) && p.wrong.is_empty()));
    assert_ne!(forged[0].interface, forged[1].interface);
}

#[test]
fn x_wire_an_unplugged_cable_carries_nothing() {
    if !can_run() {
        return;
    }
    let run = hosts(&[
        "--unplug-after",
        "0ms",
        "uppercase-udp-server 10.0.0.2 12000",
        "echo hello | uppercase-udp-client 10.0.0.2 12000 --wait 100",
    ]);
    assert_eq!(run.status, Some(1), "{}", run.printed);
    assert!(run.printed.contains("attempt 3 of 3"), "{}", run.printed);
    assert!(run.counted().1 > 0, "{}", run.printed);
}

#[test]
fn g_8d_chats_keepalive_finds_the_unplugged_cable() {
    if !can_run() {
        return;
    }
    build("chat-server chat-client");
    let folder = folder();
    let fifo = folder.path().join("orders");
    make_fifo(&fifo);
    crate::allow_everybody(&fifo, 0o666);
    let mut command = as_ordinary_user("wire-hosts");
    command.arg("--quiet").arg("--orders-from").arg(&fifo);
    command.arg("chat-server 10.0.0.2 12005 --silence 3");
    command.arg("chat-client 10.0.0.2 12005 --name Batman --plain");
    let mut hosts = Terminal::run(&mut command).expect("it starts");
    let mut wait = |pattern: &str| {
        hosts.wait_for(pattern).unwrap_or_else(|error| panic!("{error}"))
    };
    wait("[server] Server: time=… Batman has joined. Member count=1");
    let mut orders = std::fs::File::options().write(true).open(&fifo);
    let orders = orders.as_mut().expect("a FIFO");
    orders.write_all(b"unplug\n").expect("an order");
    wait("[cable] unplugged");
    // Probes and their timeouts take up to 8 s, and wait_for() allows 10 s of
    // silence: on a busy machine once more.
    if hosts.wait_for("[server] (Batman left: …").is_err() {
        hosts.wait_for("[server] (Batman left: …").expect("it is noticed");
    }
    let mut wait = |pattern: &str| {
        hosts.wait_for(pattern).unwrap_or_else(|error| panic!("{error}"))
    };
    wait("[server] Server: time=… Batman has left. Member count=0");
    hosts.signal(Signal::TERM).expect("it runs");
    hosts.wait_for_end().expect("it ends");
}

#[test]
fn x_wire_tcp_repairs_what_chance_breaks() {
    if !can_run() {
        return;
    }
    let numbers = "seq 20000 | echo-client 10.0.0.2 12001 | md5sum";
    let run = hosts(&[
        "--quiet",
        "--loss",
        "3%",
        "--reorder",
        "3%",
        "--duplicate",
        "3%",
        "--jitter",
        "2ms",
        "echo-server 10.0.0.2 12001",
        numbers,
    ]);
    let sum = "seq 20000 | md5sum";
    let sum = std::process::Command::new("sh").args(["-c", sum]).output();
    let sum = String::from_utf8_lossy(&sum.expect("sh").stdout).into_owned();
    assert!(run.printed.contains(sum.trim()), "{}", run.printed);
    let (_, lost) = run.counted();
    assert!(lost > 0, "{}", run.printed);
    let packets = run.packets();
    let marked = packets.iter().filter(|p| p.comment.starts_with("lost by"));
    assert_eq!(marked.count(), lost);
}
