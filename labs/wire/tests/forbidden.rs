//! Where user namespaces are forbidden: one line says which setting forbids
//! them, and what works all the same. `socketlab doctor` says it, too.

use std::process::{Command, Output};

use harness::namespaces;
use harness::terminal::{command, program_folder};

/// Runs a program in a namespace where no further namespaces may be made.
fn where_forbidden(program: &str, words: &[&str]) -> Option<Output> {
    if let Some(reason) = namespaces::why_not() {
        harness::skipped(&format!("nothing, but allow it: {reason}"));
        return None;
    }
    drop(command(program)); // is built
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", forbid, "sh"])
        .arg(program_folder().join(program))
        .args(words)
        .output();
    Some(output.expect("it starts"))
}

#[test]
fn x_2h_what_forbids_it_is_said_in_one_line() {
    let Some(output) = where_forbidden("wire-hosts", &["true", "true"]) else {
        return;
    };
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in [
        "user.max_user_namespaces is 0",
        "sudo sysctl user.max_user_namespaces=",
        "All the same work:",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn x_2h_the_doctor_names_the_setting() {
    let Some(output) = where_forbidden("socketlab", &["doctor"]) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("user.max_user_namespaces is 0"), "{said}");
    assert!(said.contains("These work without it:"), "{said}");
}

#[test]
fn x_2h_the_doctor_finds_what_works() {
    if !crate::can_run() {
        return;
    }
    let output = command("socketlab").arg("doctor").output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    for part in ["yes  two hosts and a cable", "yes  captures with tshark"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(output.status.success());
}

#[test]
fn x_2h_a_command_line_that_makes_no_sense_is_refused() {
    for (words, reason) in [
        (&["--lose", "my keys", "a", "b"][..], "does not name a packet"),
        (&["--delay", "50", "a", "b"], "is not a time"),
        (&["only-one"], "and the command for the client's host?"),
        (&["--one-host"], "--one-host needs"),
        (&["--one-host", "--loss", "1%", "a", "b"], "has no cable"),
    ] {
        let output = command("wire-hosts").args(words).output();
        let output = output.expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn x_wire_without_the_right_the_raw_socket_is_refused() {
    let output = crate::as_ordinary_user("wire-cable").arg("lo").output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let refused = "socket(AF_PACKET, SOCK_RAW): Operation not permitted";
    assert!(said.contains(refused), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
