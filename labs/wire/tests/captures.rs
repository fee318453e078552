//! Every lab between two hosts: the capture holds the handshake, the payload
//! and the FINs, each packet once, none malformed, no checksum wrong.

use std::collections::BTreeSet;

use crate::{Run, build, can_run, hosts};
use harness::source_tree;

/// Plays a lab's transcript on two hosts and checks the capture's health.
#[track_caller]
fn play(lab: &str) -> Option<Run> {
    if !can_run() {
        return None;
    }
    let root = source_tree::root().expect("the sources");
    let file = root.join(format!("labs/wire/runs/{lab}.txt"));
    build(&source_tree::read(&file).expect("a transcript"));
    let run = hosts(&["--play", &file.to_string_lossy()]);
    assert_eq!(run.status, Some(0), "{lab}:\n{}", run.printed);
    is_sound(&run);
    Some(run)
}

#[track_caller]
fn is_sound(run: &Run) {
    let bad = "_ws.malformed || ip.checksum.status == 0 || \
               tcp.checksum.status == 0 || udp.checksum.status == 0 || \
               frame.len > 1514";
    let bad = run.tshark(bad, &["frame.number", "_ws.col.Info"]);
    assert!(bad.is_empty(), "{bad:?}");
    let all = run.tshark("frame", &["frame.number"]);
    let (frames, lost) = run.counted();
    assert_eq!((all.len(), lost), (frames, 0), "{}", run.printed);
    assert!(frames > 0);
    // A packet seen twice has the same number of IP and the same content; a
    // segment that a host sends again has another number and another time.
    let fields = [
        "ip.src",
        "ip.id",
        "tcp.seq",
        "tcp.len",
        "tcp.flags",
        "tcp.options.timestamp.tsval",
        "udp.payload",
    ];
    let packets = run.tshark("ip && !(tcp.flags.reset == 1)", &fields);
    let different: BTreeSet<_> = packets.iter().collect();
    assert_eq!(different.len(), packets.len(), "{packets:?}");
}

/// The three packets of a handshake with the server's port, each with its
/// comment, then FINs from both sides, and a payload that contains `text`.
#[track_caller]
fn has_connection(run: &Run, port: u16, text: &str) {
    let handshake = format!("tcp.port == {port} && frame.comment");
    let fields = ["frame.interface_name", "tcp.flags", "frame.comment"];
    let packets = run.tshark(&handshake, &fields);
    let kinds: Vec<String> = packets
        .iter()
        .take(3)
        .map(|packet| packet[1].trim_start_matches("0x0").into())
        .collect();
    assert_eq!(kinds, ["002", "012", "010"], "SYN; SYN and ACK; ACK");
    for (packet, number) in packets.iter().zip(1..=3) {
        let number = format!("handshake {number} of 3");
        assert!(packet[2].starts_with(&number), "{packet:?}");
    }
    assert_ne!(packets[0][0], packets[1][0], "the two ends of the cable");
    for host in ["10.0.0.1", "10.0.0.2"] {
        let fin = format!(
            "tcp.port == {port} && tcp.flags.fin == 1 && ip.src == {host}"
        );
        assert!(!run.tshark(&fin, &["frame.number"]).is_empty(), "{fin}");
    }
    let payload = format!("tcp.port == {port} && tcp contains \"{text}\"");
    assert!(!run.tshark(&payload, &["frame.number"]).is_empty(), "{text}");
}

#[track_caller]
fn has_datagram(run: &Run, port: u16, text: &str) {
    let payload = format!("udp.port == {port} && udp contains \"{text}\"");
    assert!(!run.tshark(&payload, &["frame.number"]).is_empty(), "{text}");
}

#[test]
fn x_wire_greet() {
    if let Some(run) = play("greet") {
        has_connection(&run, 12345, "Thank you for connecting");
    }
}

#[test]
fn x_wire_echo() {
    if let Some(run) = play("echo") {
        has_connection(&run, 12001, "hello over the cable");
        has_datagram(&run, 12001, "hello in a datagram");
    }
}

#[test]
fn x_wire_uppercase() {
    if let Some(run) = play("uppercase") {
        has_connection(&run, 12000, "HELLO, WORLD &*!");
        has_datagram(&run, 12000, "HELLO, WORLD &*!");
    }
}

#[test]
fn x_wire_datetime() {
    if let Some(run) = play("datetime") {
        has_datagram(&run, 12003, "Hello from the client");
        has_datagram(&run, 12013, "SEND_DATE");
        let segments = run.tshark("tcp", &["frame.number"]);
        assert!(segments.is_empty(), "UDP has no handshake");
    }
}

#[test]
fn x_wire_message() {
    if let Some(run) = play("message") {
        has_connection(&run, 12002, "hello over the cable");
    }
}

#[test]
fn x_wire_calculator() {
    if let Some(run) = play("calculator") {
        has_connection(&run, 12004, "12 + 42");
    }
}

#[test]
fn x_wire_chat() {
    if let Some(run) = play("chat") {
        has_connection(&run, 12005, "Anyone here?");
        has_connection(&run, 12005, "Crucio!");
    }
}

#[test]
fn x_wire_web() {
    if let Some(run) = play("web") {
        has_connection(&run, 8080, "GET /HelloWorld.html HTTP/1.1");
        has_connection(&run, 8080, "Hello, World!");
    }
}

#[test]
fn x_wire_proxy_with_both_of_its_connections() {
    if let Some(run) = play("proxy") {
        has_connection(&run, 8888, "GET http://10.0.0.1:8080/");
        has_connection(&run, 8080, "GET /HelloWorld.html");
    }
}

#[test]
fn x_wire_mail() {
    if let Some(run) = play("mail") {
        has_connection(&run, 2525, "RCPT TO:<bob@example.org>");
        has_connection(&run, 2525, "Hello Bob, this crosses a cable.");
    }
}

#[test]
fn x_wire_rpc() {
    if let Some(run) = play("rpc") {
        has_connection(&run, 12006, "add");
    }
}

#[test]
fn x_wire_internet() {
    if let Some(run) = play("internet") {
        has_connection(&run, 11000, "USER ann");
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
    let syn = "tcp.flags.syn == 1 && tcp.flags.ack == 0";
    let syns = run.tshark(syn, &["frame.interface_name"]);
    assert_eq!(syns, [["lo"]], "{}", run.printed);
    let hello = run.tshark("tcp contains \"HELLO\"", &["frame.number"]);
    assert_eq!(hello.len(), 1);
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
    let asked = run.tshark("http.request", &["http.request.uri"]);
    assert!(asked.iter().any(|uri| uri[0] == "/style.css"), "{asked:?}");
    if let Ok(keep) = std::env::var("KEEP_SCREENSHOT") {
        std::fs::write(keep, picture).expect("a copy");
    }
}
