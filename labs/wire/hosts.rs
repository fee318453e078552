//! Two computers and a cable on one machine, without root. Handout G, question
//! 2 asks for two computers; here they are, each with its own network. [G-2]
//!
//! ```text
//! wire-hosts SERVER CLIENT    a command for each host, until CLIENT ends
//! wire-hosts --play FILE      a transcript: what is typed, what is printed
//! wire-hosts                  a shell on each host, and the cable's prompt
//! ```
//!
//! How it is done, without a single call that needs privileges:
//!
//! ```text
//! wire-hosts, started by a user
//!   | exec  unshare --user --map-root-user --net  wire-hosts …
//!   v
//! wire-hosts, root in a user namespace: to itself, to nobody else
//!   | network.rs   two more network namespaces, veth pairs, addresses
//!   | starts       wire-cable c1 c2       here, in the cable's network
//!   | starts       SERVER                 nsenter into the server's network
//!   | starts       CLIENT                 nsenter into the client's network
//!   v
//! the capture: every frame between the two, once
//! ```
//!
//! Everything is gone when this program ends: a network namespace lives as
//! long as a process in it.                               (viva 4) (try 2)

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{self, Command, ExitStatus};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::{Receiver, bounded};
use harness::terminal::{Terminal, program_folder};
use harness::{source_tree, transcript, user_namespaces};
use rustix::process::{
    Pid, Signal, getgid, getuid, kill_process, kill_process_group,
};
use socketlab::args::{self, Program};
use socketlab::{Error, Result, say, warn};
use wire::network::{CABLE_ENDS, Network, address};
use wire::orders::Order;
use wire::packet::End;

/// How long the server may take until it can be reached.
const SERVER_STARTS: Duration = Duration::from_secs(10);
/// How often we look.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the cable may take for frames that it was told to delay.
const CABLE_ENDS_WITHIN: Duration = Duration::from_secs(60);
/// How long a server may take to end after SIGTERM.
const SERVER_ENDS: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    args.check();
    let Some(user) = args.inside.as_deref() else {
        return Err(enter_namespaces());
    };
    let user = if args.root { None } else { parse_user(user) };
    let network = match args.one_host {
        true => Network::of_one_host(user)?,
        false => Network::of_two_hosts(user)?,
    };
    let network = Arc::new(network);
    if let [server, client] = args.commands.as_slice() {
        let status = run(&args, &network, server, client)?;
        drop(network);
        process::exit(status.code().unwrap_or(1));
    }
    match &args.play {
        Some(file) => play(&args, network, file),
        None => shells(&args, &network),
    }
}

/// Starts this program again, as root of a user namespace with a network of
/// its own. Returns only if that fails. A process with threads may not enter
/// a user namespace, which is why a new program does it: unshare.
fn enter_namespaces() -> Error {
    if let Some(reason) = user_namespaces::why_not() {
        warn!(
            "no hosts of your own: {reason}. All the same work: the labs over \
             127.0.0.1 (make demo), TRACE=1, and wire-relay."
        );
        process::exit(2);
    }
    let ourselves = match env::current_exe() {
        Ok(path) => path,
        Err(error) => return Error::new("readlink", "/proc/self/exe", error),
    };
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net"]).arg(ourselves);
    command.arg("--inside").arg(format!("{user}:{group}"));
    command.args(env::args_os().skip(1)).env("PATH", path());
    Error::new("exec", "unshare", command.exec())
}

/// `1000:1000`: the user and the group outside.
fn parse_user(text: &str) -> Option<(u32, u32)> {
    let (user, group) = text.split_once(':')?;
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// Runs a command on each host, until the client's ends.
fn run(
    args: &Args,
    network: &Network,
    server: &str,
    client: &str,
) -> Result<ExitStatus> {
    let cable = Running::cable(args)?;
    let server = executed(server);
    let mut command = on(network, End::Server, &["sh", "-c", &server]);
    command.process_group(0); // Ctrl-C is for the client
    let mut server = Running::start("server", Terminal::run(&mut command)?)?;
    let started = Instant::now();
    while !network.serves(End::Server) {
        if server.has_ended() {
            server.wait(SERVER_ENDS);
            return Err(Error::other("the server has ended already"));
        }
        if started.elapsed() > SERVER_STARTS {
            warn!("the server listens nowhere; the client starts all the same");
            break;
        }
        thread::sleep(LOOK_EVERY);
    }
    // The client has the terminal: it can ask, and be interrupted.
    let status = on(network, End::Client, &["sh", "-c", client])
        .status()
        .map_err(|error| Error::new("exec", client, error))?;
    server.signal(Signal::TERM);
    server.wait(SERVER_ENDS);
    cable.end()?;
    Ok(status)
}

/// Plays a transcript: what runs in a terminal called `server…` runs on the
/// server's host, everything else on the client's.
fn play(args: &Args, network: Arc<Network>, file: &str) -> Result<()> {
    let mut text = source_tree::read(file.as_ref())?;
    if args.one_host {
        for end in End::BOTH {
            text = text.replace(&address(end), "127.0.0.1");
        }
    }
    let cable = Running::cable(args)?;
    let hosts = network.clone(); // they must outlive the cable
    let host = move |terminal: &str| {
        let end = match terminal.starts_with("server") {
            true => End::Server,
            false => End::Client,
        };
        hosts.words(end)
    };
    let show = &mut |line: &str| say!("{line}");
    let played = transcript::play_on_hosts(Box::new(host), &text, show);
    cable.end()?;
    played
}

/// A shell on each host and the cable between them: in tmux, if there is one
/// and a terminal to show it on; otherwise two commands to paste.
fn shells(args: &Args, network: &Network) -> Result<()> {
    let mut cable = cable_words(args)?;
    let server = args.start.as_deref().map(|server| {
        let mut command =
            on(network, End::Server, &["sh", "-c", &executed(server)]);
        command.process_group(0);
        Ok::<_, Error>(command)
    });
    let shell = env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into());
    let has_tmux = Command::new("tmux").arg("-V").output().is_ok();
    if has_tmux && std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return tmux(args, network, &shell, &cable);
    }
    for end in End::BOTH {
        let Some(pid) = network.pid(end) else { continue };
        let user = network.words(end).into_iter().skip(4);
        let user: Vec<String> = user.collect();
        say!(
            "A shell on the {}'s host, {}: in another terminal,\n  \
             nsenter --user --preserve-credentials --net --target {pid} {} \
             env PATH=\"$PATH:{}\" {shell}",
            end.name(),
            address(end),
            user.join(" "),
            program_folder().display()
        );
    }
    let server = server.transpose()?;
    let server = server.map(|mut command| Terminal::run(&mut command));
    let server = server.transpose()?;
    let server = server.map(|server| Running::start("server", server));
    let server = server.transpose()?;
    let program = cable.remove(0);
    let status = Command::new(&program)
        .args(cable)
        .status()
        .map_err(|error| Error::new("exec", &program, error))?;
    if let Some(mut server) = server {
        server.signal(Signal::TERM);
        server.wait(SERVER_ENDS);
    }
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("the cable ended with {status}"))),
    }
}

/// Three panes: the client's host, the cable, the server's host.
fn tmux(
    args: &Args,
    network: &Network,
    shell: &str,
    cable: &[String],
) -> Result<()> {
    let pane = |end: End, first: Option<&str>| {
        let mut words = network.words(end);
        match first {
            // The server in front, and a shell when it has ended.
            Some(first) => words.extend([
                "sh".into(),
                "-c".into(),
                format!("{first}; exec {shell}"),
            ]),
            None => words.push(shell.into()),
        }
        joined(&words)
    };
    let client = pane(End::Client, None);
    let server = pane(End::Server, args.start.as_deref());
    let title = |end: End| format!("{}'s host {}", end.name(), address(end));
    // A socket of our own: that of root (who we seem to be) is root's.
    let socket = format!("socketlab-{}.tmux", process::id());
    let socket = env::temp_dir().join(socket).display().to_string();
    let [left, right] = End::BOTH.map(title);
    let words: Vec<&str> = vec![
        "-S",
        &socket,
        "-f",
        "/dev/null",
        "new-session",
        &client,
        ";",
        "set-option",
        "-g",
        "pane-border-status",
        "top",
        ";",
        "set-option",
        "-g",
        "mouse",
        "on",
        ";",
        "select-pane",
        "-T",
        &left,
        ";",
    ];
    let cable = joined(cable);
    let panes: Vec<&str> = vec![
        "split-window",
        &cable,
        ";",
        "select-pane",
        "-T",
        "the cable",
        ";",
        "split-window",
        &server,
        ";",
        "select-pane",
        "-T",
        &right,
        ";",
        "select-layout",
        "even-vertical",
        ";",
        "select-pane",
        "-t",
        "0",
    ];
    let status = Command::new("tmux")
        .args(words)
        .args(panes)
        .env_remove("TMUX") // also from within a tmux
        .status()
        .map_err(|error| Error::new("exec", "tmux", error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("tmux ended with {status}"))),
    }
}

/// The command, so that the shell becomes it: then a signal to the process
/// reaches the program. With several commands the shell has to stay.
fn executed(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default();
    if command.contains([';', '&', '|', '(']) || first == "exec" {
        command.to_string()
    } else if first.contains('=') {
        format!("exec env {command}") // VARIABLE=value program
    } else {
        format!("exec {command}")
    }
}

/// Words for a shell.
fn joined(words: &[String]) -> String {
    let words = words.iter().map(String::as_str);
    shlex::try_join(words).unwrap_or_default()
}

/// A command on a host, in the current folder.
fn on(network: &Network, end: End, words: &[&str]) -> Command {
    let mut before = network.words(end).into_iter();
    let mut command = Command::new(before.next().unwrap_or_default());
    command.args(before).args(words);
    command
}

/// PATH with our programs in front, so that `echo-server` is found.
fn path() -> OsString {
    let mut path = program_folder().into_os_string();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    path
}

/// The cable's command line.
fn cable_words(args: &Args) -> Result<Vec<String>> {
    let program = program_folder().join("wire-cable");
    if !program.is_file() {
        return Err(Error::other(format!(
            "{} is missing: cargo build --bin wire-cable",
            program.display()
        )));
    }
    let mut words = vec![program.to_string_lossy().into_owned()];
    match args.one_host {
        true => words.push("lo".into()),
        false => words.extend(CABLE_ENDS.map(String::from)),
    }
    if let Some(save) = &args.save {
        words.extend(["--save".into(), save.clone()]);
    }
    if let Some(fifo) = &args.orders_from {
        words.extend(["--orders-from".into(), fifo.clone()]);
    }
    for order in args.orders() {
        words.extend(["--order".into(), order]);
    }
    words.extend(["--seed".into(), args.seed.to_string()]);
    if args.quiet {
        words.push("--quiet".into());
    }
    Ok(words)
}

/// A program whose lines are printed with its name in front.
struct Running {
    pid: u32,
    input: Option<process::ChildStdin>,
    /// Gets the first line.
    up: Receiver<()>,
    /// Is closed when the program has ended.
    over: Receiver<()>,
    printer: Option<JoinHandle<Option<ExitStatus>>>,
}

impl Running {
    fn cable(args: &Args) -> Result<Running> {
        let words = cable_words(args)?;
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_default();
        let cable = Terminal::start(&program, words)?;
        let cable = Running::start("cable", cable)?;
        match cable.up.recv_timeout(SERVER_STARTS) {
            Ok(()) => Ok(cable),
            Err(_) => Err(Error::other("the cable cannot be plugged in")),
        }
    }

    fn start(label: &'static str, mut program: Terminal) -> Result<Running> {
        let (pid, input) = (program.pid(), program.take_input());
        let (first, up) = bounded(1);
        let (until, over) = bounded::<()>(0);
        let printer =
            thread::Builder::new().name(label.into()).spawn(move || {
                loop {
                    match program.read_line() {
                        Ok(Some(line)) => say!("[{label}] {line}"),
                        Ok(None) => break,
                        // Silence for ten seconds is no reason to stop.
                        Err(_) if program.is_running() => continue,
                        Err(_) => break,
                    }
                    let _ = first.try_send(());
                }
                let status = program.wait_for_end().ok();
                drop(until);
                status
            });
        let printer =
            printer.map_err(|error| Error::new("clone", label, error))?;
        let input = input.filter(|_| label == "cable");
        Ok(Running { pid, input, up, over, printer: Some(printer) })
    }

    fn has_ended(&self) -> bool {
        self.printer.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| !self.has_ended()) {
            // It and what it has started; the cable has no group of its own.
            let _ = kill_process_group(pid, signal)
                .or_else(|_| kill_process(pid, signal));
        }
    }

    /// Waits until it has ended; ends it if it takes too long. Did it succeed?
    fn wait(&mut self, limit: Duration) -> bool {
        if self.over.recv_timeout(limit)
            == Err(crossbeam_channel::RecvTimeoutError::Timeout)
        {
            self.signal(Signal::KILL);
        }
        let printer = self.printer.take().map(JoinHandle::join);
        let status = printer.and_then(|joined| joined.ok().flatten());
        status.is_some_and(|status| status.success())
    }

    /// Lets the cable carry what is on its way, and ends it.
    fn end(mut self) -> Result<()> {
        if let Some(input) = &mut self.input {
            std::io::Write::write_all(input, b"end\n")
                .map_err(|error| Error::new("write", "the cable", error))?;
        }
        match self.wait(CABLE_ENDS_WITHIN) {
            true => Ok(()),
            false => {
                Err(Error::other("the cable failed; the capture ends early"))
            }
        }
    }
}

const PROGRAM: Program = Program {
    lab: "wire",
    role: "hosts",
    port: 0,
    steps: "",
    example: "wire-hosts --lose 'first SYN' 'echo-server 10.0.0.2 12001' \
              'echo hi | echo-client 10.0.0.2 12001'",
};

/// Two hosts with a cable between them, for an ordinary user: the client's is
/// 10.0.0.1, the server's is 10.0.0.2. Runs a command on each, or opens shells.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// a command for the server's host, and one for the client's, which starts
    /// once the server listens (default: a shell on each host)
    #[argh(positional)]
    commands: Vec<String>,
    /// play this transcript on the hosts
    #[argh(option)]
    play: Option<String>,
    /// with shells: a command that runs on the server's host already
    #[argh(option)]
    start: Option<String>,
    /// one host, which talks to itself: the capture shows loopback
    #[argh(switch)]
    one_host: bool,
    /// file for the capture, in the format pcapng
    #[argh(option)]
    save: Option<String>,
    /// lose a packet by name: 'first SYN', 'second data from server'; may be
    /// repeated, as may all orders by name
    #[argh(option)]
    lose: Vec<String>,
    /// duplicate by name, or a share: 'first datagram', 5%
    #[argh(option)]
    duplicate: Vec<String>,
    /// every packet takes so long: 50ms; or by name: 'next data by 300ms'
    #[argh(option)]
    delay: Vec<String>,
    /// up to so much more, at random: 10ms
    #[argh(option)]
    jitter: Option<String>,
    /// lose this share at random: 10%
    #[argh(option)]
    loss: Option<String>,
    /// let later packets overtake this share: 5%
    #[argh(option)]
    reorder: Option<String>,
    /// unplug the cable so long after the first frame: 2s
    #[argh(option)]
    unplug_after: Option<String>,
    /// reset the connection when this packet comes: 'second data from server'
    #[argh(option)]
    cut: Vec<String>,
    /// a FIFO (mkfifo) for orders to the cable while it runs, one a line
    #[argh(option)]
    orders_from: Option<String>,
    /// number from which all chance is made (default 1)
    #[argh(option, default = "1")]
    seed: u64,
    /// of the cable only what is lost or changed
    #[argh(switch)]
    quiet: bool,
    /// run the programs as root of their hosts: for ports below 1024
    #[argh(switch)]
    root: bool,
    /// set by the program itself: the user outside
    #[argh(option, hidden_help)]
    inside: Option<String>,
}

impl Args {
    /// The orders to the cable, in its own language.
    fn orders(&self) -> Vec<String> {
        let mut orders = Vec::new();
        let many = [
            ("lose", &self.lose),
            ("duplicate", &self.duplicate),
            ("delay", &self.delay),
            ("cut", &self.cut),
        ];
        for (verb, rest) in many {
            orders.extend(rest.iter().map(|rest| format!("{verb} {rest}")));
        }
        let one = [
            ("jitter", &self.jitter),
            ("loss", &self.loss),
            ("reorder", &self.reorder),
            ("unplug after", &self.unplug_after),
        ];
        for (verb, rest) in one {
            orders.extend(rest.iter().map(|rest| format!("{verb} {rest}")));
        }
        orders
    }

    /// A command line that makes no sense ends the program, with status 2,
    /// before anything has been made.
    fn check(&self) {
        for order in self.orders() {
            if let Err(problem) = order.parse::<Order>() {
                args::usage(&problem);
            }
        }
        let commands = self.commands.len();
        match (commands, &self.play, &self.start) {
            (2, None, None) | (0, _, None) | (0, None, _) => {}
            (1, ..) => args::usage("and the command for the client's host?"),
            _ => args::usage("two commands, or --play, or --start"),
        }
        let carries_nothing = self.one_host && !self.orders().is_empty();
        if carries_nothing {
            args::usage("--one-host has no cable that could lose anything");
        }
        if self.one_host && commands == 0 && self.play.is_none() {
            args::usage("--one-host needs two commands, or --play");
        }
    }
}
