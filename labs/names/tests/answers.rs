//! What the resolver answered, beside Python.

use crate::{Run, has_ipv6, knows, names, python, python_lines};

/// ` 1 AF_INET  SOCK_STREAM  IPPROTO_TCP  127.0.0.1 80`, without the number.
fn table(run: &Run) -> Vec<String> {
    let rows = run.text.lines().filter(|line| line.contains("SOCK_"));
    let rows = rows.filter(|line| line.contains(" AF_INET"));
    rows.map(|row| {
        let words: Vec<&str> = row.split_whitespace().skip(1).collect();
        words.join(" ")
    })
    .collect()
}

/// Each pair of host and service has the same result as in Python.
#[track_caller]
fn same_as_python(pairs: &[(&str, &str)]) {
    let mut arguments = vec!["addresses"];
    arguments.extend(pairs.iter().flat_map(|(one, two)| [*one, *two]));
    let Some(theirs) = python(&arguments) else { return };
    let blocks = theirs.text.trim_end().split("\n\n");
    assert_eq!(blocks.clone().count(), pairs.len(), "{}", theirs.text);
    for ((host, service), block) in pairs.iter().zip(blocks) {
        let ours = names(&[host, service, "--no-reverse"]).ended(0);
        let theirs: Vec<&str> = block.lines().collect();
        assert_eq!(table(&ours), theirs, "{}", ours.text);
    }
}

#[test]
fn t_v4_answers_are_those_of_pythons_getaddrinfo() {
    let mut pairs = Vec::new();
    for host in ["127.0.0.1", "::1", "localhost", "127.1", "2130706433"] {
        for service in ["80", "0", "65535"] {
            pairs.push((host, service));
        }
    }
    if names(&["localhost", "--wait=5"]).code != Some(0) {
        pairs.retain(|(host, _)| *host != "localhost");
    }
    same_as_python(&pairs);
}

#[test]
fn t_v5_a_service_by_name_is_pythons_too() {
    let services = [("http", "tcp"), ("domain", "udp"), ("smtp", "tcp")];
    if knows(&services) {
        same_as_python(&services.map(|(service, _)| ("127.0.0.1", service)));
        let ports = python_lines("service", &services).expect("Python");
        for ((service, protocol), port) in services.into_iter().zip(ports) {
            let ours = names(&["127.0.0.1", service, "--no-reverse"]).ended(0);
            ours.says(&format!(
                "getservbyname('{service}') = {port} for {}",
                protocol.to_uppercase()
            ));
        }
    }
}

#[test]
fn t_f11_gethostname_is_pythons_and_the_default_host() {
    let ours = names(&["--no-reverse", "--wait=3"]);
    if let Some(theirs) = python(&["hostname"]) {
        let name = theirs.text.trim();
        ours.says(&format!("gethostname() = '{name}'"));
        if ours.code == Some(0) {
            ours.says(&format!("getaddrinfo('{name}', NULL)"));
        }
    }
}

#[test]
fn t_v4_the_bytes_are_those_that_c_has_in_memory() {
    if !cfg!(target_os = "linux") {
        return; // the struct of the ctypes side is Linux's
    }
    let mut pairs = vec![("127.0.0.1", "443"), ("192.0.2.7", "65535")];
    if has_ipv6() {
        pairs.extend([("::1", "80"), ("fe80::1%lo", "8080")]);
    }
    let Some(theirs) = python_lines("bytes", &pairs) else { return };
    for ((host, port), theirs) in pairs.into_iter().zip(theirs) {
        assert_eq!(our_bytes(host, port), theirs, "{host} {port}");
    }
}

/// The first sockaddr that is printed, on one line.
#[track_caller]
fn our_bytes(host: &str, port: &str) -> String {
    let ours = names(&[host, port, "--no-reverse"]).ended(0);
    let mut bytes: Vec<&str> = Vec::new();
    let mut lines = ours.text.lines().skip_while(|l| !l.starts_with("bytes"));
    lines.next();
    for line in lines.take_while(|line| line.starts_with("   ")) {
        let hex = line.get(13..).unwrap_or_default();
        let is_byte = |word: &&str| {
            word.len() == 2 && u8::from_str_radix(word, 16).is_ok()
        };
        bytes.extend(hex.split(' ').take_while(is_byte));
    }
    bytes.join(" ")
}

#[test]
fn t_v4_every_kind_of_hostname_in_the_handouts_row_is_told() {
    let quad = names(&["127.0.0.1", "--no-reverse"]).ended(0);
    quad.says("it is an address already");
    let integer = names(&["2130706433", "--no-reverse"]).ended(0);
    integer.says("this is an integer, as in the handout's table: 127·2^24");
    integer.says("AF_INET SOCK_STREAM IPPROTO_TCP 127.0.0.1");
    let all = names(&["<broadcast>", "--no-reverse"]).ended(0);
    all.says("exists only in Python's socket module");
    all.says("ff ff ff ff");
    let empty = names(&[""]).ended(0);
    empty.says("INADDR_ANY");
    empty.says("AI_PASSIVE, for a server: all interfaces: 0.0.0.0");
    empty.says("no flag, for a client: loopback: ");
    let six = names(&["::1", "80", "--no-reverse"]).ended(0);
    six.says("AF_INET6 SOCK_STREAM IPPROTO_TCP ::1 80");
    six.says("struct sockaddr_in6, 28 bytes");
}

#[test]
fn t_v5_ports_are_in_network_order() {
    let run = names(&["127.0.0.1", "443", "--no-reverse"]).ended(0);
    run.says("port 01 bb 443 = 1 * 256 + 187, network order");
    names(&["port", "443"]).ended(0).says("two bytes, 01 bb");
}

#[test]
fn t_v4_an_address_has_a_name_or_not() {
    let run = names(&["127.0.0.1", "--wait=5"]).ended(0);
    let back = run.item("back");
    let known = ["has the name '", "has no name", "timed out after", "(EAI_"];
    assert!(known.iter().any(|known| back.contains(known)), "{back}");
}
