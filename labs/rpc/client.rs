//! Calls procedures of a server, from the command line or a prompt. Handout T
//! (Terna), RPC: the figure's client. The stub (stub.rs) hides the
//! sockets, so this file only calls functions and gets results. The other half
//! is server.rs.                                        [T-X2] (viva 1)
//!
//! ```text
//! you        client (this file)   stub.rs                  server
//!  | add 2 3     |                   | 1 socket  2 connect    |
//!  |------------>|-- call("add") --->| 3 send  --- line ----->|
//!  |             |                   | 4 recv  <-- line ------|
//!  |<---- 5 -----|<------ "5" -------|                        |
//!  | quit        |                   | 5 close --- FIN ------>|
//! ```

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use rpc::command::{self, Command, Invocation};
use rpc::stub::{RemoteFailure, RemoteResult, RetryPolicy, Stub};
use rpc::wire::{self, CallId};
use serde_json::value::RawValue;
use socketlab::args::{self, Port, Program, Role};
use socketlab::{Error, Result, console, net, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 600_000);
    let tries = args::in_range("--tries", args.tries, 1, 100);
    let policy = RetryPolicy { deadline: Duration::from_millis(wait), tries };
    let command = match args.call.is_empty() {
        true => None,
        false => match Command::parse(&args.call) {
            Ok(command) => Some(command),
            Err(problem) => args::usage(&problem),
        },
    };
    if args.id.is_some() && !matches!(command, Some(Command::Call(_))) {
        args::usage("--id belongs to one call: add it to a command line");
    }
    if let Some(id) = &args.id
        && CallId::parse(id).is_none()
    {
        // The server would run such a call each time it comes.
        args::usage(
            "--id is CLIENT/NUMBER, such as ada/1, so that a server \
             recognises a call that is sent again",
        );
    }
    let addresses = net::resolve(&args.host, args.port.0)?;
    let mut stub = Stub::new(addresses, policy, args.show);
    let done = match (command, args.id) {
        (Some(_), None) if args.call == ["help"] => help(&mut stub),
        (Some(Command::Call(Invocation { method, params })), Some(id)) => {
            let result = stub.call_as(&id, &method, &params);
            print(result.map(|result| text(&result)))
        }
        (Some(command), _) => print(perform(&mut stub, command)),
        (None, _) => prompt(&mut stub),
    };
    stub.hang_up();
    done
}

/// Runs a command and returns the result as JSON, if there is one.
fn perform(stub: &mut Stub, command: Command) -> RemoteResult<Option<String>> {
    match command {
        Command::Call(Invocation { method, params }) => {
            // The remote call: one line, as if it were local.
            stub.call(&method, &params).map(|result| text(&result))
        }
        Command::Notify(Invocation { method, params }) => {
            stub.notify(&method, &params).map(|()| None)
        }
        Command::Raw(line) => stub.send_raw(&line),
    }
}

fn text(result: &RawValue) -> Option<String> {
    Some(result.get().to_string())
}

/// Prints a result; a failure becomes the program's error.
fn print(done: RemoteResult<Option<String>>) -> Result<()> {
    match done {
        Ok(Some(result)) => {
            say!("{}", wire::shown(&result));
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(failure) => Err(as_error(failure)),
    }
}

fn as_error(failure: RemoteFailure) -> Error {
    Error::other(failure.to_string())
}

/// Makes a call for each line, until `quit` or the end of input. A call that
/// fails is reported, the next line is read, and the exit status is 1.
fn prompt(stub: &mut Stub) -> Result<()> {
    let mut failed = 0;
    console::prompt_person("`help` lists what can be called.\n");
    loop {
        console::prompt_person("rpc> ");
        let Some(line) = console::read_stdin_line()? else { break };
        let line = String::from_utf8_lossy(&line);
        let done = match line.trim() {
            "" => continue,
            "quit" | "exit" => break,
            "help" => help(stub),
            line => obey(stub, line),
        };
        if let Err(problem) = done {
            warn!("error: {problem}");
            failed += 1;
        }
        if console::is_closed() {
            break;
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Error::other("1 call failed")),
        _ => Err(Error::other(format!("{failed} calls failed"))),
    }
}

/// Runs the command of one line.
fn obey(stub: &mut Stub, line: &str) -> Result<()> {
    let command = if command::is_raw(line) {
        Command::Raw(line.to_string())
    } else {
        let words = shlex::split(line)
            .ok_or_else(|| Error::other("a quotation mark is open"))?;
        Command::parse(&words).map_err(Error::other)?
    };
    print(perform(stub, command))
}

/// Lists the commands, and asks the server for its procedures.
fn help(stub: &mut Stub) -> Result<()> {
    say!("{HELP}");
    let list = stub.call("rpc.methods", "").map_err(as_error)?;
    let list: Vec<String> = serde_json::from_str(list.get())
        .map_err(|error| Error::other(format!("rpc.methods: {error}")))?;
    for procedure in list {
        say!("  {}", console::escape(procedure.as_bytes()));
    }
    Ok(())
}

/// The list of commands that `help` prints.
const HELP: &str =
    "PROCEDURE ARGUMENTS   add 2 3, add a=2 b=3, table.put k '[1]'
                      a text with = in it: table.put k '\"a=b\"'
notify PROCEDURE …    the same, but no response comes
{ … } or [ … ]        JSON, sent as it is
quit                  leave
The server's procedures:";

/// Calls remote procedures: those named on the command line, or line by line.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12006)
    #[argh(positional)]
    port: Port,
    /// procedure and arguments: add 2 3, add a=2 b=3, notify counter.increment
    /// (default: ask for lines); help: what can be called
    #[argh(positional)]
    call: Vec<String>,
    /// milliseconds to wait for a response before a retry (default 1000)
    #[argh(option, default = "1000")]
    wait: u64,
    /// how often to send the call at most (default 3; 1: no retry)
    #[argh(option, default = "3")]
    tries: u32,
    /// the id of the one call on the command line: CLIENT/NUMBER, such as
    /// ada/1 (default: random)
    #[argh(option)]
    id: Option<String>,
    /// show the lines that are sent and received
    #[argh(switch)]
    show: bool,
}

const PROGRAM: Program = Program {
    lab: "rpc",
    role: Role::Client { server: Some("rpc-server") },
    port: 12006,
    steps: "socket connect send recv close",
    example: "rpc-client 127.0.0.1 12006 add 2 3",
};
