//! Every lab between two hosts: the capture holds the handshake, the payload
//! and the FINs, each packet once, none malformed, no checksum wrong.

use std::collections::BTreeSet;

use crate::{ACK, FIN, Packet, RST, SYN, build, can_run, hosts};
use harness::source_tree;

/// Plays a lab's transcript on two hosts and checks the capture's health.
#[track_caller]
fn play(lab: &str) -> Option<Vec<Packet>> {
    if !can_run() {
        return None;
    }
    let root = source_tree::root().expect("the sources");
    let file = root.join(format!("labs/wire/runs/{lab}.txt"));
    build(&source_tree::read(&file).expect("a transcript"));
    let run = hosts(&["--play", &file.to_string_lossy()]);
    assert_eq!(run.status, Some(0), "{lab}:\n{}", run.printed);
    let packets = run.packets();
    is_sound(&run.printed, run.counted(), &packets);
    Some(packets)
}

#[track_caller]
fn is_sound(printed: &str, counted: (usize, usize), packets: &[Packet]) {
    for packet in packets {
        assert!(packet.wrong.is_empty(), "{packet:?}");
        assert!(packet.length <= 1514, "{packet:?}");
    }
    assert_eq!(counted, (packets.len(), 0), "{printed}");
    assert!(!packets.is_empty());
    // A packet seen twice has the same number of IP and the same content; a
    // segment that a host sends again has another number and another time.
    // (The RSTs of a port that nobody has are all alike.)
    let alike = packets.iter().filter(|packet| !packet.from.is_empty());
    let alike = alike.filter(|packet| packet.flags & RST == 0);
    let alike: Vec<&str> =
        alike.map(|packet| packet.identity.as_str()).collect();
    let different: BTreeSet<&str> = alike.iter().copied().collect();
    assert_eq!(different.len(), alike.len(), "{alike:#?}");
}

/// The three packets of a handshake with the server's port, each with its
/// comment, then FINs from both sides, and a payload that contains `text`.
#[track_caller]
fn has_connection(packets: &[Packet], port: u16, text: &str) {
    let of_port = |packet: &&Packet| packet.has(port, "") && packet.is_tcp;
    let packets: Vec<&Packet> = packets.iter().filter(of_port).collect();
    let handshake = packets.iter().filter(|p| !p.comment.is_empty()).take(3);
    let handshake: Vec<&&Packet> = handshake.collect();
    assert_eq!(handshake.len(), 3);
    for (packet, (flags, number)) in
        handshake.iter().zip([(SYN, 1), (SYN | ACK, 2), (ACK, 3)])
    {
        let comment = format!("handshake {number} of 3");
        assert!(packet.is(flags), "{packet:?}");
        assert!(packet.comment.starts_with(&comment), "{packet:?}");
    }
    assert_ne!(handshake[0].interface, handshake[1].interface);
    for host in ["10.0.0.1", "10.0.0.2"] {
        let fin = |packet: &&Packet| packet.flags & FIN != 0;
        let mut fins = packets.iter().copied().filter(fin);
        assert!(fins.any(|packet| packet.from == host), "no FIN of {host}");
    }
    assert!(packets.iter().any(|packet| packet.has(port, text)), "{text}");
}

#[track_caller]
fn has_datagram(packets: &[Packet], port: u16, text: &str) {
    let mut datagrams = packets.iter().filter(|packet| !packet.is_tcp);
    assert!(datagrams.any(|packet| packet.has(port, text)), "{text}");
}

#[test]
fn x_wire_greet() {
    if let Some(packets) = play("greet") {
        has_connection(&packets, 12345, "Thank you for connecting");
    }
}

#[test]
fn x_wire_echo() {
    if let Some(packets) = play("echo") {
        has_connection(&packets, 12001, "hello over the cable");
        has_datagram(&packets, 12001, "hello in a datagram");
    }
}

#[test]
fn x_wire_uppercase() {
    if let Some(packets) = play("uppercase") {
        has_connection(&packets, 12000, "HELLO, WORLD &*!");
        has_datagram(&packets, 12000, "HELLO, WORLD &*!");
    }
}

#[test]
fn x_wire_datetime() {
    if let Some(packets) = play("datetime") {
        has_datagram(&packets, 12003, "Hello from the client");
        has_datagram(&packets, 12013, "SEND_DATE");
        let has_tcp = packets.iter().any(|packet| packet.is_tcp);
        assert!(!has_tcp, "UDP has no handshake");
    }
}

#[test]
fn x_wire_message() {
    if let Some(packets) = play("message") {
        has_connection(&packets, 12002, "hello over the cable");
    }
}

#[test]
fn x_wire_calculator() {
    if let Some(packets) = play("calculator") {
        has_connection(&packets, 12004, "12 + 42");
    }
}

#[test]
fn x_wire_chat() {
    if let Some(packets) = play("chat") {
        has_connection(&packets, 12005, "Anyone here?");
        has_connection(&packets, 12005, "Crucio!");
    }
}

#[test]
fn x_wire_web() {
    if let Some(packets) = play("web") {
        has_connection(&packets, 8080, "GET /HelloWorld.html HTTP/1.1");
        has_connection(&packets, 8080, "Hello, World!");
    }
}

#[test]
fn x_wire_proxy_with_both_of_its_connections() {
    if let Some(packets) = play("proxy") {
        has_connection(&packets, 8888, "GET http://10.0.0.1:8080/");
        has_connection(&packets, 8080, "GET /HelloWorld.html");
    }
}

#[test]
fn x_wire_mail() {
    if let Some(packets) = play("mail") {
        has_connection(&packets, 2525, "RCPT TO:<bob@example.org>");
        has_connection(&packets, 2525, "Hello Bob, this crosses a cable.");
    }
}

#[test]
fn x_wire_rpc() {
    if let Some(packets) = play("rpc") {
        has_connection(&packets, 12006, "add");
    }
}

#[test]
fn x_wire_internet() {
    if let Some(packets) = play("internet") {
        has_connection(&packets, 11000, "USER ann");
    }
}

#[test]
fn x_wire_one_host_shows_each_packet_of_loopback_once() {
    if !can_run() {
        return;
    }
    let run = hosts(&[
        "--one-host",
        "uppercase-tcp-server 127.0.0.1 12000",
        "echo hello | uppercase-tcp-client 127.0.0.1 12000",
    ]);
    assert_eq!(run.status, Some(0), "{}", run.printed);
    let packets = run.packets();
    is_sound(&run.printed, run.counted(), &packets);
    assert!(packets.iter().all(|packet| packet.interface == "lo"));
    let comments = packets.iter().filter(|packet| !packet.comment.is_empty());
    let comments: Vec<&str> = comments.map(|p| p.comment.as_str()).collect();
    assert_eq!(comments.len(), 3, "the handshake: {comments:?}");
    let syns = packets.iter().filter(|packet| packet.is(SYN));
    assert_eq!(syns.count(), 1, "{}", run.printed);
    let hello = packets.iter().filter(|packet| packet.has(12000, "HELLO"));
    assert_eq!(hello.count(), 1);
}

#[test]
fn x_wire_a_hundred_megabytes_arrive_whole() {
    if !can_run() || !harness::installed("python3", "python3") {
        return;
    }
    let server = "exec python3 -u -c '
import hashlib, socket
listener = socket.create_server((\"10.0.0.2\", 9000))
peer, _ = listener.accept()
seen = hashlib.md5()
while data := peer.recv(1 << 18): seen.update(data)
peer.sendall(seen.hexdigest().encode())'";
    let client = "exec python3 -c '
import hashlib, os, socket
server = socket.create_connection((\"10.0.0.2\", 9000))
sent = hashlib.md5()
for _ in range(100):
    data = os.urandom(1000000)
    sent.update(data)
    server.sendall(data)
server.shutdown(socket.SHUT_WR)
answer = server.recv(100).decode()
print(\"the same\" if answer == sent.hexdigest() else \"not the same\")'";
    // The capture would be as long; it goes nowhere.
    let output = crate::as_ordinary_user("wire-hosts")
        .args(["--quiet", server, client])
        .output()
        .expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("\nthe same\n"), "{printed}");
    assert!(printed.contains("the longest has 1514 bytes"), "{printed}");
}

#[test]
fn w_t2h_a_browser_on_another_host_shows_our_page() {
    if !can_run() || !harness::installed("chromium", "chromium") {
        return;
    }
    let folder = crate::folder();
    let place = folder.path().display();
    let picture = folder.path().join("page.png");
    let client = format!(
        "HOME={place} exec chromium --headless --no-sandbox --disable-gpu \
         --disable-dev-shm-usage --user-data-dir={place}/profile \
         --window-size=800,600 --virtual-time-budget=5000 \
         --screenshot={place}/page.png http://10.0.0.2:8080/ 2>&1"
    );
    let server = "web-server 10.0.0.2 8080 --quiet";
    let run = hosts(&["--quiet", "--delay", "50ms", server, &client]);
    assert_eq!(run.status, Some(0), "{}", run.printed);
    let picture = std::fs::read(picture).expect("a screenshot");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000);
    let packets = run.packets();
    let mut asked = packets.iter().filter(|packet| packet.has(8080, "GET "));
    assert!(asked.any(|packet| packet.payload.contains("/style.css")));
    if let Ok(keep) = std::env::var("KEEP_SCREENSHOT") {
        std::fs::write(keep, picture).expect("a copy");
    }
}
