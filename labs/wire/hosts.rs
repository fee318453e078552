//! Two computers and a cable on one machine, without root. Handout G asks for
//! two computers in question 2. Each of these has its own network.    [G-2]
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
//! wire-hosts, root in a user namespace, and nowhere else
//!   | network.rs   two more network namespaces, veth pairs, addresses
//!   | starts       wire-cable c1 c2       here, in the cable's network
//!   | starts       SERVER                 nsenter into the server's network
//!   | starts       CLIENT                 nsenter into the client's network
//!   v
//! the capture: every frame between the two, once
//! ```
//!
//! Everything is gone when this program ends, because a network namespace
//! lives as long as a process in it.                      (viva 4) (try 2)

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{self, Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use harness::terminal::{Terminal, program_folder};
use harness::{namespaces, source_tree, transcript};
use rustix::process::{Signal, getgid, getuid};
use socketlab::args::{self, Program, Role};
use socketlab::{Error, Result, say, warn};
use wire::network::{CABLE_ENDS, Network, address};
use wire::orders::Order;
use wire::packet::End;
use wire::running::Running;
use wire::tmux::{self, Pane};

/// How long the cable and the server may take until they work.
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// How often we look.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the cable may take for frames that its orders delay.
const CABLE_ENDS_WITHIN: Duration = Duration::from_secs(60);
/// How long a server may take to end after SIGTERM.
const SERVER_ENDS_WITHIN: Duration = Duration::from_secs(5);

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
        Some(file) => play(&args, &network, file),
        None => shells(&args, &network),
    }
}

/// Starts this program again, as root of a user namespace with a network of
/// its own. Returns only if that fails. A process with threads may not enter a
/// user namespace, so that a new program has to do it, which is unshare.
fn enter_namespaces() -> Error {
    if let Some(reason) = namespaces::why_not() {
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
    let cable = start_cable(args)?;
    let mut server = start_server(network, server)?;
    let started = Instant::now();
    while !network.serves(End::Server) {
        if server.has_ended() {
            return Err(Error::other("the server has ended already"));
        }
        if started.elapsed() > STARTS_WITHIN {
            warn!("the server listens nowhere; the client starts all the same");
            break;
        }
        thread::sleep(LOOK_EVERY);
    }
    // The client has the terminal, so that it can ask the user a question.
    let status = on(network, End::Client, &["sh", "-c", client])
        .status()
        .map_err(|error| Error::new("exec", client, error))?;
    server.signal(Signal::TERM);
    server.wait(SERVER_ENDS_WITHIN);
    end_cable(cable)?;
    Ok(status)
}

/// Plays a transcript: what runs in a terminal called `server…` runs on the
/// server's host, everything else on the client's.
fn play(args: &Args, network: &Arc<Network>, file: &str) -> Result<()> {
    let mut text = source_tree::read(file.as_ref())?;
    if args.one_host {
        for end in End::BOTH {
            text = text.replace(&address(end), "127.0.0.1");
        }
    }
    let cable = start_cable(args)?;
    let hosts = network.clone();
    let host = move |terminal: &str| {
        let end = match terminal.starts_with("server") {
            true => End::Server,
            false => End::Client,
        };
        hosts.words(end)
    };
    let show = &mut |line: &str| say!("{line}");
    let played = transcript::play_on_hosts(Box::new(host), &text, show);
    end_cable(cable)?;
    played
}

/// A shell on each host and the cable between them: in tmux, if there is one
/// and a terminal to show it on; otherwise two commands to paste.
fn shells(args: &Args, network: &Network) -> Result<()> {
    let shell = env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into());
    if tmux::is_installed() && io::stdin().is_terminal() {
        return tmux::show(&panes(args, network, &shell)?);
    }
    for end in End::BOTH {
        let Some(pid) = network.pid(end) else { continue };
        let as_user = joined(&network.as_user());
        let programs = program_folder();
        let (name, address) = (end.name(), address(end));
        say!(
            "A shell on the {name}'s host, {address}: in another terminal,\n  \
             nsenter --user --preserve-credentials --net --target {pid} \
             {as_user} env PATH=\"$PATH:{}\" {shell}",
            programs.display()
        );
    }
    let server = args.start.as_deref();
    let server = server.map(|server| start_server(network, server));
    let server = server.transpose()?;
    // The cable has this terminal.
    let mut words = cable_words(args)?.into_iter();
    let program = words.next().unwrap_or_default();
    let status = Command::new(&program).args(words).status();
    let status = status.map_err(|e| Error::new("exec", &program, e))?;
    if let Some(mut server) = server {
        server.signal(Signal::TERM);
        server.wait(SERVER_ENDS_WITHIN);
    }
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("the cable ended with {status}"))),
    }
}

/// Client's host, cable, server's host.
fn panes(args: &Args, network: &Network, shell: &str) -> Result<[Pane; 3]> {
    let title = |end: End| format!("{}'s host {}", end.name(), address(end));
    let mut client = network.words(End::Client);
    client.push(shell.into());
    let mut server = network.words(End::Server);
    match &args.start {
        // A shell when the server has ended.
        Some(start) => server.extend([
            "sh".into(),
            "-c".into(),
            format!("{start}; exec {shell}"),
        ]),
        None => server.push(shell.into()),
    }
    Ok([
        Pane { title: title(End::Client), words: client },
        Pane { title: "the cable".into(), words: cable_words(args)? },
        Pane { title: title(End::Server), words: server },
    ])
}

/// Starts a command on the server's host.
fn start_server(network: &Network, command: &str) -> Result<Running> {
    let mut server =
        on(network, End::Server, &["sh", "-c", &executed(command)]);
    server.process_group(0); // Ctrl-C is for the client
    Running::start("server", Terminal::run(&mut server)?)
}

/// Starts the cable, and waits until it is plugged in.
fn start_cable(args: &Args) -> Result<Running> {
    let mut words = cable_words(args)?.into_iter();
    let program = words.next().unwrap_or_default();
    let cable = Terminal::start(&program, words)?;
    let cable = Running::start("cable", cable)?;
    match cable.has_begun(STARTS_WITHIN) {
        true => Ok(cable),
        false => Err(Error::other("the cable cannot be plugged in")),
    }
}

/// Lets the cable carry what is on its way, and ends it.
fn end_cable(mut cable: Running) -> Result<()> {
    cable.type_line("end")?;
    match cable.wait(CABLE_ENDS_WITHIN) {
        true => Ok(()),
        false => Err(Error::other("the cable failed; the capture ends early")),
    }
}

/// The command with `exec`, so that the shell becomes the program, which then
/// receives the process's signals. With several commands the shell stays.
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

const PROGRAM: Program = Program {
    lab: "wire",
    role: Role::Other("hosts"),
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
    #[argh(option, hidden_help)]
    play: Option<String>,
    /// with shells: a command that runs on the server's host already
    #[argh(option, hidden_help)]
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
    /// delay every packet by this time, 50ms; or by name: 'next data by 300ms'
    #[argh(option)]
    delay: Vec<String>,
    /// add a random time of up to this: 10ms
    #[argh(option, hidden_help)]
    jitter: Option<String>,
    /// lose this share at random: 10%
    #[argh(option)]
    loss: Option<String>,
    /// let later packets overtake this share: 5%
    #[argh(option, hidden_help)]
    reorder: Option<String>,
    /// unplug the cable this long after the first frame: 2s
    #[argh(option)]
    unplug_after: Option<String>,
    /// reset the connection when this packet comes: 'second data from server'
    #[argh(option)]
    cut: Vec<String>,
    /// a FIFO (mkfifo) for orders to the cable while it runs, one a line
    #[argh(option, hidden_help)]
    orders_from: Option<String>,
    /// the seed of the random numbers (default 1)
    #[argh(option, hidden_help, default = "1")]
    seed: u64,
    /// of the cable, print only what is lost or changed
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// run the programs as root of their hosts: for ports below 1024
    #[argh(switch, hidden_help)]
    root: bool,
    /// internal: the user outside the namespace
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
