//! `names show`: live sockets beside the words.

use harness::terminal;

use crate::{Run, names, run};

fn show(topic: &str) -> Run {
    names(&["show", topic]).ended(0)
}

/// The words of the line that begins so.
#[track_caller]
fn row(run: &Run, start: &str) -> Vec<String> {
    let found = run.text.lines().find(|line| line.starts_with(start));
    let found = found.unwrap_or_else(|| panic!("no {start}: {}", run.text));
    let rest = found.get(start.len()..).unwrap_or_default();
    rest.split_whitespace().map(str::to_string).collect()
}

#[test]
fn t_v1_domain_is_the_address_family_of_the_socket() {
    let run = show("words");
    assert_eq!(row(&run, "domain")[0], "AF_INET");
    if cfg!(target_os = "linux") {
        assert_eq!(row(&run, "domain")[1], "AF_INET", "SO_DOMAIN");
        run.says("AF_UNIX, SOCK_STREAM, 0 AF_UNIX, SOCK_STREAM, 0");
        run.says("AF_X25, SOCK_SEQPACKET, 0");
    }
    run.says("AF_UNIX stays on this machine. Its address is a path:");
}

#[test]
fn t_v2_type_is_read_back_with_so_type() {
    let run = show("words");
    assert_eq!(row(&run, "type")[..2], ["SOCK_STREAM", "SOCK_STREAM"]);
}

#[test]
fn t_v3_protocol_zero_becomes_the_usual_one() {
    let run = show("words");
    assert_eq!(row(&run, "protocol")[0], "0");
    if cfg!(target_os = "linux") {
        assert_eq!(row(&run, "protocol")[1], "IPPROTO_TCP", "SO_PROTOCOL");
        run.says("AF_INET, SOCK_DGRAM, 0 AF_INET, SOCK_DGRAM, IPPROTO_UDP");
        run.says("AF_INET, SOCK_STREAM, IPPROTO_UDP refused, EPROTONOSUPPORT");
    }
}

#[test]
fn t_v5_port_zero_becomes_a_free_one() {
    let row = row(&show("words"), "port");
    assert_eq!(row[0], "0");
    assert_ne!(row[1].parse::<u16>().expect("a port"), 0);
}

#[test]
fn t_x1_the_figure_has_the_ends_of_live_sockets() {
    let run = show("sockets");
    let ends: Vec<&str> = run
        .text
        .split_whitespace()
        .filter(|word| word.starts_with("127.0.0.1:"))
        .map(|word| word.trim_matches('|'))
        .collect();
    let [listener, accepted, client] = ends.as_slice() else {
        panic!("{}", run.text)
    };
    assert_eq!(listener, accepted, "accept() gives no new port");
    assert_ne!(accepted, client);
    // The figure's edges stand below each other, whatever the ports.
    let wide = run.text.lines().filter(|line| line.starts_with("  |"));
    for line in wide {
        let bars: Vec<usize> =
            line.match_indices('|').map(|(at, _)| at).collect();
        assert_eq!(bars, [2, 28, 46, 72], "{line}");
    }
}

#[test]
fn t_q4_two_connections_share_the_servers_port() {
    let run = show("four-tuple");
    let server = row(&run, "listener")[0].clone();
    let (one, two) = (row(&run, "client 1"), row(&run, "client 2"));
    assert_ne!(one[0], two[0], "two clients have two ports");
    assert_eq!([&one[1], &two[1]], [&server, &server]);
    assert_eq!(row(&run, "accepted 1"), [server.clone(), one[0].clone()]);
    assert_eq!(row(&run, "accepted 2"), [server, two[0].clone()]);
}

#[test]
fn t_q4_what_send_took_may_be_lost() {
    let run = show("lost");
    run.says("client: send() = 10");
    run.says("Connection reset by peer (ECONNRESET)");
}

/// Which calls of `names show TOPIC` came when, by TRACE.
fn calls(topic: &str) -> Vec<String> {
    let mut command = terminal::command("names");
    let traced = run(command.args(["show", topic]).env("TRACE", "1")).ended(0);
    let lines = traced.text.lines().filter_map(|line| {
        line.strip_prefix("trace names ")?.split('(').next()
    });
    lines.map(str::to_string).collect()
}

#[test]
fn t_q5_connect_returns_before_accept_runs() {
    let calls = calls("four-tuple");
    let at = |call: &str| calls.iter().position(|c| c == call);
    let last = calls.iter().rposition(|c| c == "7 connect");
    assert!(at("5 bind") < at("6 listen"), "{calls:?}");
    assert!(at("6 listen") < at("7 connect"), "{calls:?}");
    assert!(last.is_some() && last < at("8 accept"), "{calls:?}");
    assert!(at("8 accept") < at("10 close"), "{calls:?}");
}

#[test]
fn t_q6_connect_lends_the_client_its_port() {
    let run = show("ephemeral");
    run.says("before socket() done: getsockname() says 0.0.0.0:0");
    let after = run.item("after");
    assert!(after.contains("says 127.0.0.1:"), "{after}");
    assert!(!after.ends_with(":0"), "{after}");
}

#[test]
fn t_q1_client_and_server_are_roles_of_one_program() {
    // One process calls connect() and listen(): it is both.
    let calls = calls("sockets");
    let has = |call: &str| calls.iter().any(|c| c == call);
    assert!(has("7 connect") && has("6 listen"), "{calls:?}");
}

#[test]
fn t_q2_a_server_is_what_listens_at_a_known_address() {
    let run = show("four-tuple");
    assert_eq!(row(&run, "listener")[1], "none", "it has no peer");
}

#[test]
fn t_q3_tcp_and_udp_have_the_same_number_at_once() {
    let run = show("same-port");
    run.says("bind() and listen() done");
    run.says("bind() works: UDP has its own ports");
    let refused = run.text.matches("Address already in use").count();
    assert_eq!(refused, 2, "{}", run.text);
}

#[test]
fn t_q3_clients_ports_come_from_this_kernels_range() {
    let run = show("ephemeral");
    if std::path::Path::new("/proc/sys/net/ipv4/ip_local_port_range").exists() {
        run.says("all of them are in it");
    }
}

#[test]
fn t_q8_connection_boundaries_and_reliability_are_three_things() {
    let run = show("kinds");
    let stream = row(&run, "AF_INET, SOCK_STREAM");
    assert_eq!(stream[..2], ["yes", "'onetwo':"]);
    assert_eq!(row(&run, "AF_INET, SOCK_DGRAM")[..2], ["no", "'one':"]);
    assert_eq!(row(&run, "AF_UNIX, SOCK_DGRAM")[..2], ["no", "'one':"]);
    if cfg!(target_os = "linux") {
        let packets = row(&run, "AF_UNIX, SOCK_SEQPACKET");
        assert_eq!(packets[..2], ["yes", "'one':"]);
    }
}

#[test]
fn t_x1_all_topics_in_one_run_and_none_unknown() {
    let run = names(&["show"]).ended(0);
    assert_eq!(run.text.matches("== ").count(), 7, "{}", run.text);
    for line in run.text.lines() {
        assert!(line.chars().count() < 90, "{line}");
    }
    names(&["show", "nothing"]).ended(2).says("names --host show");
}
