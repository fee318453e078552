//! `names port`: ranges, names, who may bind, who listens.

use std::net::{TcpListener, TcpStream, UdpSocket};

use crate::{knows, names, python_lines};

#[test]
fn t_q3_the_ranges_are_ianas_and_this_kernels() {
    for (port, range) in [
        ("1", "well-known, 0 to 1023"),
        ("1023", "well-known"),
        ("1024", "registered, 1024 to 49151"),
        ("48437", "registered"),
        ("49151", "registered"),
        ("49152", "dynamic or private, 49152 to 65535"),
        ("65535", "dynamic or private"),
    ] {
        let run = names(&["port", port]).ended(0);
        let said = run.item("range");
        assert!(said.starts_with(range), "{port}: {said}");
    }
    let setting = "/proc/sys/net/ipv4/ip_local_port_range";
    let Ok(setting) = std::fs::read_to_string(setting) else { return };
    let range: Vec<&str> = setting.split_whitespace().collect();
    let run = names(&["port", range[0]]).ended(0);
    run.says(&format!("gives clients ports from {} to {}", range[0], range[1]));
    run.says("it is one of them");
    if range[0] != "0" && range[0] != "1" {
        names(&["port", "1"]).ended(0).says("it is not one of them");
    }
}

#[test]
fn t_q3_65536_and_0_are_explained() {
    for wrong in ["65536", "-1", "99999999999999999999"] {
        let run = names(&["port", wrong]).ended(2);
        run.says("2^16 = 65536 numbers, 0 to 65535");
        run.says("65535 of them can be used");
    }
    let zero = names(&["port", "0"]).ended(0);
    zero.says("reserved: no service uses port 0");
    zero.says("port 0 asks the kernel");
    let lent: Vec<&str> =
        zero.text.lines().filter(|line| line.contains(":0), and ")).collect();
    assert_eq!(lent.len(), 3, "{}", zero.text);
    assert!(!zero.text.contains("says 127.0.0.1:0\n"), "{}", zero.text);
}

#[test]
fn t_q3_tcp_and_udp_names_of_one_number_differ() {
    if knows(&[("shell", "tcp"), ("syslog", "udp")]) {
        let run = names(&["port", "514"]).ended(0);
        run.says("TCP shell, UDP syslog");
        names(&["port", "syslog"]).ended(0).says("port 514");
    }
}

#[test]
fn t_v5_names_of_services_are_pythons() {
    let mut pairs = Vec::new();
    for port in ["80", "443", "53", "123", "5432", "60999"] {
        pairs.extend([(port, "tcp"), (port, "udp")]);
    }
    let Some(theirs) = python_lines("port", &pairs) else { return };
    for ((port, protocol), theirs) in pairs.into_iter().zip(theirs) {
        let service = names(&["port", port]).ended(0).item("service");
        let label = protocol.to_uppercase();
        let wanted = match theirs.starts_with("error") {
            false => format!("{label} {theirs}"),
            true if service.contains("has no list") => continue,
            true => format!("{label} no name"),
        };
        assert!(service.contains(&wanted), "{port}: {wanted}: {service}");
    }
}

#[test]
fn t_v5_a_port_by_name_or_by_number() {
    // IANA's list is used if the machine has none.
    for word in ["http", "80"] {
        let run = names(&["port", word]).ended(0);
        assert!(run.item("port").starts_with("80:"), "{}", run.text);
    }
    let run = names(&["port", "no-such-service"]).ended(1);
    run.says("getservbyname(no-such-service)");
    run.says("the number");
}

#[test]
fn t_q3_who_listens_is_told_for_tcp() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let local = listener.local_addr().expect("an address");
    let port = local.port().to_string();
    let run = names(&["port", &port]).ended(0);
    let pid = std::process::id();
    let listens = run.item("listens");
    assert!(listens.contains(&format!("tcp {local}: ")), "{listens}");
    assert!(listens.contains(&format!("(pid {pid})")), "{listens}");
    run.says(&format!("TCP {local}: Address already in use (EADDRINUSE)"));
    // A connection has the same port at this end, but does not listen.
    let client = TcpStream::connect(local).expect("it accepts");
    let _accepted = listener.accept().expect("a client");
    let run = names(&["port", &port]).ended(0);
    run.says("connections with this local port: 1");
    drop(client);
}

#[test]
fn t_q3_who_listens_is_told_for_udp_apart() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let local = socket.local_addr().expect("an address");
    let run = names(&["port", &local.port().to_string()]).ended(0);
    assert!(run.item("listens").contains(&format!("udp {local}: ")));
    run.says(&format!("UDP {local}: Address already in use (EADDRINUSE)"));
}

#[test]
fn t_q3_who_may_bind_is_what_bind_says() {
    // Root or not, in a container or not: what this test may, names may.
    let ours = TcpListener::bind("127.0.0.1:1");
    let refused = ours.is_err_and(|error| {
        error.kind() == std::io::ErrorKind::PermissionDenied
    });
    let run = names(&["port", "1"]).ended(0);
    let may = run.item("may bind");
    assert_eq!(refused, may.contains("you do not have it"), "{}", run.text);
    let denied = run.flat().contains("Permission denied (EACCES)");
    assert_eq!(refused, denied, "{}", run.text);
    let high = names(&["port", "65535"]).ended(0);
    assert!(high.item("may bind").starts_with("every user"), "{}", high.text);
}

#[test]
fn t_q3_text_stays_in_its_column() {
    let run = names(&["port", "80"]).ended(0);
    assert!(run.text.lines().count() > 8, "{}", run.text);
    for line in run.text.lines() {
        assert!(line.chars().count() < 80, "{line}");
        let (label, text) = line.split_at_checked(10).unwrap_or((line, ""));
        assert!(label.ends_with(' '), "a label that is too long: {line}");
        assert!(!text.starts_with(' ') && !text.is_empty(), "{line}");
    }
}
