//! `make hosts`: a shell on each host and the cable's prompt between them, in
//! tmux; and two commands to paste where tmux is missing.

use std::process::Command;

use crate::{as_ordinary_user, build, can_run, folder, packets};
use harness::installed;
use harness::terminal::Terminal;

#[test]
fn x_2h_shells_in_tmux_reach_the_server_across_the_cable() {
    if !can_run()
        || !installed("tmux", "tmux")
        || !installed("script", "bsdutils")
    {
        return;
    }
    build("uppercase-tcp-server echo-server echo-client");
    let folder = folder();
    let capture = folder.path().join("capture.pcapng");
    let hosts = as_ordinary_user("wire-hosts");
    let mut words = vec![hosts.get_program().to_string_lossy().into_owned()];
    // In the foreground of script's terminal, or tmux could not use it.
    words.push("--foreground".into());
    let more = hosts.get_args().map(|word| word.to_string_lossy().into_owned());
    words.extend(more);
    words.extend(["--save".into(), capture.display().to_string()]);
    words.extend(["--start".into(), "echo-server 10.0.0.2 12001".into()]);
    let words = words.iter().map(String::as_str);
    let line = shlex::try_join(words).expect("words");
    let mut script = Command::new("script");
    script.args(["-qfec", &line, "/dev/null"]).env("TERM", "xterm");
    script.env("SHELL", "/bin/sh").env_remove("TMUX");
    script.env("TMPDIR", folder.path());
    script.current_dir(harness::source_tree::root().expect("the sources"));
    let mut shells = Terminal::run(&mut script).expect("it starts");
    shells
        .type_line(
            "echo hello | echo-client 10.0.0.2 12001 --retry 10; \
             tmux kill-server",
        )
        .expect("a shell");
    shells.wait_for_end().expect("it ends");
    let packets = packets(&capture);
    let hello = packets.iter().filter(|packet| packet.has(12001, "hello"));
    let from: Vec<&str> = hello.map(|packet| packet.from.as_str()).collect();
    assert_eq!(from, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn x_2h_without_a_terminal_the_shells_are_two_commands_to_paste() {
    if !can_run() {
        return;
    }
    build("uppercase-tcp-server uppercase-tcp-client");
    let mut command = as_ordinary_user("wire-hosts");
    command.args(["--start", "uppercase-tcp-server 10.0.0.2 12000"]);
    command.env("SHELL", "/bin/sh");
    let mut hosts = Terminal::run(&mut command).expect("it starts");
    hosts.wait_for("A shell on the client's host, 10.0.0.1: …").expect("one");
    let paste = hosts.read_line().expect("a line").expect("a command");
    hosts.wait_for("A shell on the server's host, 10.0.0.2: …").expect("two");
    hosts.wait_for("…The server is ready to receive").expect("it is up");
    let mut shell = as_ordinary_user("sh");
    shell.arg("-c").arg(paste.trim());
    let mut shell = Terminal::run(&mut shell).expect("a shell");
    let ask = "echo hello | uppercase-tcp-client 10.0.0.2 12000; exit";
    shell.type_line(ask).expect("it reads");
    shell.wait_for("…HELLO").expect("the answer");
    shell.wait_for_end().expect("it ends");
    hosts.wait_for("…client -> server  FIN…").expect("it crossed");
    hosts.type_line("lose next data").expect("an order");
    hosts.type_line("status").expect("an order");
    hosts.wait_for("… frames, 0 lost…").expect("the count");
    hosts.type_line("nonsense").expect("no order");
    hosts.wait_for("'nonsense' is not an order…").expect("it says so");
    hosts.end_input();
    hosts.wait_for_end().expect("it ends");
}
