//! The review questions, and the UNIX commands of the optional tasks.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use guide::viva;
use harness::source_tree;
use harness::terminal::{self, Terminal};
use rustix::process::{Pid, Signal, kill_process};

use crate::{SECRET, client_with, dialogue, ends_with, guarded, table, wait};
use harness::{Server, installed, send};

/// The lab whose viva asks this question of the handout.
fn asked_in(id: &str) -> String {
    let labs = source_tree::root().expect("the sources").join("labs");
    for lab in fs::read_dir(labs).expect("labs").flatten() {
        let questions = viva::load(&lab.path()).unwrap_or_default();
        if questions.iter().any(|question| question.handout == id) {
            return lab.file_name().to_string_lossy().into_owned();
        }
    }
    panic!("no viva asks {id}");
}

#[test]
fn d_q1_five_applications_and_their_protocols_are_asked() {
    assert_eq!(asked_in("D-Q1"), "greet");
}

#[test]
fn d_q2_two_peers_are_client_in_one_session_and_server_in_the_other() {
    let (mut anne, mut bert) = (
        Server::start("message-open-server", &[]),
        Server::start("message-open-server", &[]),
    );
    let mut to_bert = bert.client("message-client", &[]);
    let mut to_anne = anne.client("message-client", &[]);
    to_bert.type_line("from Anne").expect("it reads");
    to_anne.type_line("from Bert").expect("it reads");
    bert.wait_for("[…] message 1 at …: from Anne");
    anne.wait_for("[…] message 1 at …: from Bert");
}

#[test]
fn d_q3_address_and_port_find_a_process_its_pid_is_not_needed() {
    let mut one = Server::start("message-open-server", &[]);
    let mut two = Server::start("message-open-server", &[]);
    assert_eq!(one.address.ip(), two.address.ip());
    assert_ne!(one.address.port(), two.address.port());
    send(&two.connect(), b"for two\n");
    send(&one.connect(), b"for one\n");
    one.wait_for("[…] message 1 at …: for one");
    two.wait_for("[…] message 1 at …: for two");
}

#[test]
fn d_q4_udp_or_tcp_for_a_fast_transaction_is_asked() {
    assert_eq!(asked_in("D-Q4"), "datetime");
}

#[test]
fn d_q5_the_handshake_is_the_kernels_a_stopped_server_still_shakes_hands() {
    let mut server = Server::start("message-open-server", &[]);
    server.console().signal(Signal::STOP).expect("a signal");
    let stream = server.connect();
    send(&stream, b"queued\n");
    server.console().signal(Signal::CONT).expect("a signal");
    server.wait_for("[…] message 1 at …: queued");
}

#[test]
fn d_q6_client_before_server_is_refused_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    for program in ["message-client", "message-intruder"] {
        let mut early = Terminal::start(program, ["127.0.0.1", &port]).unwrap();
        wait(&mut early, "Error: connect(…): … (ECONNREFUSED). Nothing …");
        ends_with(early, 1);
    }
}

#[test]
fn d_o1_which_ports_are_used() {
    let server = Server::start("message-open-server", &[]);
    let (_, port) = server.host_and_port();
    let mut ports = Terminal::start("socketlab", ["ports"]).unwrap();
    wait(&mut ports, &format!("tcp  127.0.0.1:{port} … message-open-server…"));
    if installed("ss", "iproute2") {
        let mut ss = Terminal::start("ss", ["-tln"]).unwrap();
        wait(&mut ss, &format!("LISTEN … 127.0.0.1:{port} …"));
    }
}

#[test]
fn d_o2_the_server_runs_in_the_background_and_never_reads_the_keyboard() {
    let program = terminal::program_folder().join("message-open-server");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "\"$0\" 127.0.0.1 0 & wait"]).arg(program);
    let mut server = Server::run(&mut command);
    server.console().type_line("stop exit quit").expect("typed");
    server.console().end_input();
    send(&server.connect(), b"still here\n");
    server.wait_for("[…] message 1 at …: still here");
    // `$!` is a grandchild of ours: it ends when its parent's group does.
    let pid = pid_of(&server).parse().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), Signal::TERM).expect("it is ours");
    server.wait_for("bye");
}

/// The process id that `socketlab ports` shows for this server.
fn pid_of(server: &Server) -> String {
    let mut ports = Terminal::start("socketlab", ["ports"]).unwrap();
    let line = ports.wait_for(&format!("tcp  {} …", server.address));
    let line = line.expect("it listens");
    let pid = line.split("(pid ").nth(1).expect("a pid");
    pid.split(':').next().expect("a pid").to_string()
}

#[test]
fn d_o3_ps_shows_the_process_and_our_table_agrees() {
    if !installed("ps", "procps") {
        return;
    }
    let mut server = Server::start("message-open-server", &[]);
    let pid = server.console().pid().to_string();
    assert_eq!(pid_of(&server), pid);
    let mut ps = Terminal::start("ps", ["-o", "args", "-p", &pid]).unwrap();
    wait(&mut ps, "…message-open-server 127.0.0.1 0");
}

#[test]
fn d_o4_no_secret_stands_in_what_ps_shows() {
    let mut server = guarded("password", &[]);
    let mut owner = client_with(&server, SECRET, &["--auth", "password"]);
    wait(&mut owner, "server: OK logged in");
    for pid in [server.console().pid(), owner.pid()] {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(!line.contains(SECRET), "{line}");
    }
    // No option accepts the secret, because `ps` would show it.
    for program in ["message-server", "message-client", "message-intruder"] {
        let words = ["127.0.0.1", "0", "--secret", SECRET];
        let mut asked = Terminal::start(program, words).unwrap();
        wait(&mut asked, "there is no option --secret");
        ends_with(asked, 2);
    }
}

#[test]
fn d_o5_grep_finds_the_server_among_all_processes() {
    if !installed("ps", "procps") {
        return;
    }
    let mut server = Server::start("message-open-server", &[]);
    let pid = server.console().pid();
    let pipe = "ps -ef | grep '[m]essage-open-server'";
    let mut grep = Terminal::start("sh", ["-c", pipe]).unwrap();
    wait(&mut grep, &format!("… {pid} …message-open-server 127.0.0.1 0"));
}

#[test]
fn d_o6_kill_ends_the_server_politely_and_kill_9_does_not_let_it() {
    let mut server = Server::start("message-open-server", &[]);
    server.console().signal(Signal::TERM).expect("a signal");
    server.wait_for("bye");
    let mut server = Server::start("message-open-server", &[]);
    let mut client = server.client("message-client", &[]);
    client.type_line("hello").expect("it reads");
    server.wait_for("[…] message 1 at …: hello");
    server.console().signal(Signal::KILL).expect("a signal");
    let words = server.console().read_to_end().expect("it ends");
    assert_eq!(words, b"", "no bye");
    // The kernel closed for it: the client hears at once.
    wait(&mut client, "Error: the server has closed");
    ends_with(client, 1);
}

#[test]
fn d_o7_files_are_looked_for_from_the_current_folder() {
    let (folder, _file) = table("alice 7");
    let path: PathBuf = terminal::program_folder().join("message-server");
    let mut command = std::process::Command::new(path);
    command.args(["127.0.0.1", "0", "--quota", "quota.txt"]);
    let server = Server::run(command.current_dir(folder.path()));
    assert_eq!(dialogue(&server.connect(), &["alice"]), ["OK 7 left"]);
}

#[test]
fn d_o8_for_a_remote_client_bind_more_than_loopback_and_be_warned() {
    let arguments = ["0.0.0.0", "0"];
    let mut server = Terminal::start("message-server", arguments).unwrap();
    wait(&mut server, "listening on 0.0.0.0:…");
    wait(&mut server, "warning: bound to 0.0.0.0, every interface: anybody …");
}
