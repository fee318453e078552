//! Proves that wrong words and unknown names get a helpful error.

use crate::{has_ipv6, names};

/// Names that cannot exist: RFC 6761 keeps .invalid empty. Without a
/// name server the error is another one, which is printed, too.
#[test]
fn t_v4_names_that_do_not_exist_are_told_in_one_line() {
    let long = "a".repeat(64);
    let longer = "abcd.".repeat(60);
    for (word, note) in [
        ("no-such-host.invalid", ""),
        ("a..b.invalid", "an empty label"),
        (".invalid", "an empty label"),
        (long.as_str(), ""),
        (longer.as_str(), ""),
        ("no-such-host.invalid.", "the dot at the end means"),
        ("two words", ""),
        ("münchen.invalid", "the resolver gets 'xn--mnchen-3ya.invalid'"),
        ("\u{202e}cba.invalid", ""),
    ] {
        let run = names(&[word, "80", "--wait=5"]);
        // Direction marks cannot be part of a name: a usage error.
        assert!(matches!(run.code, Some(1 | 2)), "{word}: {}", run.text);
        run.says(note);
        assert!(run.text.contains("rror: getaddrinfo(") || run.code == Some(2));
        assert!(!run.text.contains('\u{202e}'), "an obeyed direction mark");
        let error = run.text.lines().find(|line| line.starts_with("Error"));
        assert!(error.is_none_or(|line| line.len() < 400), "{}", run.text);
    }
}

#[test]
fn t_v4_addresses_that_are_none_get_a_hint() {
    for (word, hint) in [
        ("1.2.3.256", "It is not an IPv4 address"),
        ("1:2:3", "has colons but is not an IPv6 address"),
        ("fe80::1%no-such-zone", "the zone, an interface of this machine"),
        ("127.0.0.1%lo", "Only IPv6 addresses can have a zone"),
    ] {
        let run = names(&[word, "80", "--wait=5"]).ended(1);
        if !run.flat().contains("timed out after") {
            run.says(hint);
        }
    }
}

#[test]
fn t_v4_words_that_are_no_host_at_all_are_refused() {
    for (word, hint) in [
        ("http://example.com/index.html", "names example.com http"),
        ("localhost:8080", "names localhost 8080"),
    ] {
        names(&[word]).ended(2).says(hint);
    }
}

#[test]
fn t_v4_literals_of_ipv6_with_brackets_and_zone() {
    names(&["[::1]", "80", "--no-reverse"]).ended(0).says("brackets");
    if cfg!(target_os = "linux") && has_ipv6() {
        let run = names(&["fe80::1%lo", "80", "--no-reverse"]).ended(0);
        run.says("zone: interface number 1");
        let bare = names(&["fe80::1", "80", "--no-reverse"]).ended(0);
        bare.says("no zone");
        let first = bare.item("first");
        assert!(first.contains("cannot be reached"), "{first}");
    }
}

#[test]
fn t_v5_services_that_are_none_are_told() {
    for (service, code, hint) in [
        ("65536", 2, "65536 becomes 0"),
        ("-1", 2, "ports are 16 bits"),
        ("", 2, "SERVICE is empty"),
        ("no-such-service", 1, "the number"),
        ("HTTP", 1, "the number, such as 80 | in lower case: http"),
        ("http/tcp", 1, "the number"),
    ] {
        let run = names(&["127.0.0.1", service, "--no-reverse"]).ended(code);
        let flat = run.flat();
        let found = hint.split(" | ").any(|hint| flat.contains(hint));
        assert!(found, "{service}: {}", run.text);
    }
}

#[test]
fn t_v4_an_integer_of_more_than_32_bits_is_no_address() {
    let run = names(&["4294967296", "--wait=5"]).ended(1);
    run.says("has 32 bits, 0 to 4294967295, but this number is larger");
}

#[test]
fn t_v5_a_service_that_nobody_knows_is_said_in_words() {
    let run = names(&["port", "nosuchservice"]).ended(1);
    assert!(!run.text.contains("ai_socktype"), "{}", run.text);
    run.says("no service has this name");
    names(&["port", "N"]).ended(2).says("give a number in place of N");
}

#[test]
fn t_v4_output_to_a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let mut command = harness::terminal::command("names");
    let output = command.args(["port", "80"]).stdout(full).output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot be stored: write(stdout): No space"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn t_v4_a_host_called_port_or_show_can_be_asked_for() {
    for word in ["port", "show"] {
        let run = names(&["--host", word, "80", "--wait=3"]);
        // Nobody is called that here, probably; but it was asked for.
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.text);
        run.says(&format!("getaddrinfo('{word}', '80')"));
    }
    names(&["port"]).ended(2).says("names --host port");
    names(&["port", "1", "2"]).ended(2).says("names --host port");
    names(&["show", "a", "b"]).ended(2).says("names --host show");
    names(&["a", "b", "c"]).ended(2).says("HOST and SERVICE");
}

#[test]
fn t_v4_what_is_typed_cannot_drive_the_terminal() {
    let run = names(&["a\x1b[2Jb", "--wait=5"]).ended(1);
    assert!(!run.text.contains('\x1b'), "{:?}", run.text);
    let run = names(&["127.0.0.1", "a\x1b[2Jb"]).ended(1);
    assert!(!run.text.contains('\x1b'), "{:?}", run.text);
    let run = names(&["port", "a\x1b[2Jb"]).ended(1);
    assert!(!run.text.contains('\x1b'), "{:?}", run.text);
}
