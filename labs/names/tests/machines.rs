//! Worlds of other machines: with Debian's hosts file, without any files,
//! without a network, beside a name server that is mute. A world is a user,
//! mount and network namespace of its own; where a test may not make one, it
//! prints this and passes.

use std::process::Command;
use std::sync::OnceLock;

use harness::source_tree;
use harness::terminal;

use crate::{Run, run};
use harness::installed;

/// A machine made for one run of a program.
#[derive(Default)]
struct Machine<'a> {
    /// Its /etc/hosts, in place of this machine's.
    hosts: Option<&'a str>,
    /// Its name.
    name: Option<&'a str>,
    /// Nothing else is in /etc.
    bare: bool,
    /// No interface but lo.
    alone: bool,
    /// Its only name server takes questions and never answers.
    mute: bool,
}

impl Machine<'_> {
    /// Runs `names` there.
    #[track_caller]
    fn names(&self, arguments: &[&str]) -> Option<Run> {
        if !worlds_can_be_made() {
            eprintln!("skipped: no world of its own can be made here");
            return None;
        }
        // $1 hosts, $2 name, $3 resolv.conf; a file is replaced by a bind
        // mount, the whole folder by an empty one.
        let world = "trap 'exit 77' EXIT; mount -t tmpfs none /mnt
            for file in nsswitch.conf host.conf services; do
              cp /etc/$file /mnt/$file 2> /dev/null || : > /mnt/$file; done
            printf '%s' \"$1\" > /mnt/hosts; printf '%s' \"$3\" > /mnt/resolv
            [ -z \"$2\" ] || python3 -c '
import socket, sys; socket.sethostname(sys.argv[1])' \"$2\"
            if [ \"$4\" = bare ]; then mount -t tmpfs none /etc; fi
            if [ -n \"$1\" ]; then mount --bind /mnt/hosts /etc/hosts; fi
            if [ -n \"$3\" ]; then
              [ -e /etc/resolv.conf ] || : > /etc/resolv.conf
              mount --bind /mnt/resolv /etc/resolv.conf; fi
            shift 4; exec \"$@\"";
        let flags = if self.alone { "-rmun" } else { "-rmu" };
        let mut command = Command::new("unshare");
        command.args([flags, "sh", "-ec"]);
        command.args([world, "world", self.hosts.unwrap_or_default()]);
        command.arg(self.name.unwrap_or_default());
        command.arg(if self.mute { "nameserver 127.0.0.1\n" } else { "" });
        command.arg(if self.bare { "bare" } else { "full" });
        let scripted = self.mute || self.alone;
        if (scripted || self.name.is_some()) && !installed("python3", "python3")
        {
            return None;
        }
        if scripted {
            let script = source_tree::root().expect("the sources");
            let script = script.join("labs/names/python/lookup.py");
            command.arg("python3").arg(script).arg("silent");
        }
        command.arg(terminal::program_folder().join("names"));
        let run = run(command.args(arguments));
        if run.code == Some(77) {
            eprintln!("skipped: no such world can be made: {}", run.text);
            return None;
        }
        Some(run)
    }
}

/// Tried once for all tests.
fn worlds_can_be_made() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let mut command = Command::new("unshare");
        command.args(["-rmun", "mount", "-t", "tmpfs", "none", "/mnt"]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// Whether the resolver gives all lines of a name: `multi on`, as Debian has.
fn multi() -> bool {
    std::fs::read_to_string("/etc/host.conf")
        .is_ok_and(|text| text.contains("multi on"))
}

#[test]
fn t_v4_localhost_is_v6_first_and_the_line_is_named() {
    let machine = Machine {
        hosts: Some("127.0.0.1 localhost\n# a remark\n::1 localhost\n"),
        ..Default::default()
    };
    let Some(run) = machine.names(&["localhost", "80"]) else { return };
    if run.code == Some(0) && multi() && crate::has_ipv6() {
        run.says("1 AF_INET6 SOCK_STREAM IPPROTO_TCP ::1 80");
        run.says("/etc/hosts, line 1: 127.0.0.1 localhost");
        run.says("/etc/hosts, line 3: ::1 localhost");
        run.says("A server bound to 127.0.0.1 does not listen there");
        assert!(run.item("first").starts_with("::1, reached from ::1"));
        assert!(run.item("then").starts_with("127.0.0.1, reached from"));
        run.says("RFC 6724, rule 6: precedence 50 (::1) is higher than 35");
    }
}

#[test]
fn t_f11_debians_line_for_the_machines_own_name() {
    let machine = Machine {
        hosts: Some("127.0.0.1 localhost\n127.0.1.1 debian\n"),
        name: Some("debian"),
        ..Default::default()
    };
    let Some(run) = machine.names(&["--wait=5"]) else { return };
    let run = run.ended(0);
    run.says("gethostname() = 'debian'");
    run.says("/etc/hosts, line 2: 127.0.1.1 debian");
    run.says("Debian gives the machine's own name the address 127.0.1.1");
    run.says("127.0.1.1 has the name 'debian' (/etc/hosts, line 2)");
}

#[test]
fn t_f11_odd_names_of_machines() {
    for name in ["with space", "x\u{1b}[2J", "ü"] {
        let machine = Machine {
            name: Some(name),
            hosts: Some("127.0.0.1 localhost\n"),
            ..Default::default()
        };
        let Some(run) = machine.names(&["--wait=2"]) else { return };
        assert!(matches!(run.code, Some(0..=2)), "{name}: {}", run.text);
        assert!(!run.text.contains('\u{1b}'), "{name}: {:?}", run.text);
        assert!(!run.text.contains("panicked"), "{name}: {}", run.text);
    }
}

#[test]
fn t_v4_a_host_called_port_is_found() {
    let machine = Machine {
        hosts: Some("127.0.0.1 localhost\n127.0.0.7 port show\n"),
        ..Default::default()
    };
    let Some(host) = machine.names(&["--host", "port", "7"]) else { return };
    host.ended(0).says("AF_INET SOCK_STREAM IPPROTO_TCP 127.0.0.7 7");
}

#[test]
fn t_v5_a_machine_without_any_files() {
    let machine = Machine { bare: true, ..Default::default() };
    let Some(run) = machine.names(&["port", "443"]) else { return };
    run.ended(0).says("https, by IANA's list; this machine has no list");
    let get = |arguments: &[&str]| machine.names(arguments).expect("as above");
    let name = get(&["port", "http"]).ended(0);
    name.says("this machine's list does not know http; IANA's does");
    let none = get(&["127.0.0.1", "http", "--no-reverse"]).ended(1);
    none.says("no list of services (/etc/services): use the number");
    get(&["127.0.0.1", "80", "--no-reverse"]).ended(0);
    get(&["show"]).ended(0);
}

#[test]
fn t_v4_a_machine_without_a_network() {
    let hosts = "127.0.0.1 localhost\n192.0.2.9 far\n";
    let machine =
        Machine { hosts: Some(hosts), alone: true, ..Default::default() };
    let Some(run) = machine.names(&["far", "80", "--no-reverse"]) else {
        return;
    };
    run.ended(0).says("Network is unreachable (ENETUNREACH)");
    let show = machine.names(&["show"]).expect("as above").ended(0);
    assert_eq!(show.text.matches("== ").count(), 7, "{}", show.text);
}

#[test]
fn t_v4_a_mute_name_server_does_not_hold_the_program() {
    let hosts = "127.0.0.1 localhost\n";
    let machine = Machine {
        hosts: Some(hosts),
        alone: true,
        mute: true,
        ..Default::default()
    };
    let asked = ["slow.example", "80", "--wait=1"];
    let Some(run) = machine.names(&asked) else { return };
    let run = run.ended(1);
    run.says("timed out after 1 s: a name server does not answer");
    let back = machine.names(&["127.0.0.9", "80", "--wait=1"]);
    let back = back.expect("as above").ended(0);
    assert!(back.item("back").contains("timed out after"), "{}", back.text);
    back.lacks("panicked");
}
