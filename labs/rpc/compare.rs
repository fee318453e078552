//! The same procedure called here and called there: what "as if it were
//! local" hides. Handout T (Terna), question 7. The other half is server.rs,
//! and stub.rs is in between.                         [T-Q7] (viva 2) (try 3)
//!
//!     here    add(2, 3) -> 5                       nothing can go wrong
//!     there   stub.add(2, 3) -> 1 socket 2 connect 3 send 4 recv 5 close
//!                            -> 5, or an error, or NO ANSWER
//!
//! Run it against a server with --delay, with --lose-reply 100, and without
//! any server.

#[allow(dead_code)] // it adds, and nothing else
mod calculator;
mod connection;
mod fault;
#[allow(dead_code)] // nor does it notify
mod stub;
mod wire;

use std::hint::black_box;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use calculator::Number;
use socketlab::args::{self, Port, Program};
use socketlab::{Error, Result, net, say};
use stub::{Patience, Stub};

const PROGRAM: Program = Program {
    lab: "rpc",
    role: "client",
    port: 12006,
    steps: "socket connect send recv close",
    example: "rpc-compare 127.0.0.1 12006 --calls 1000",
};

/// Adds two numbers here and on a server, and compares.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12006)
    #[argh(positional)]
    port: Port,
    /// how many calls of each kind (default 1000)
    #[argh(option, default = "1000")]
    calls: u32,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let calls = args::in_range("--calls", args.calls, 1, 1_000_000);
    let (a, b) = (Number::Whole(2), Number::Whole(3));

    let began = Instant::now();
    let mut here = Ok(a);
    for _ in 0..calls {
        here = black_box(calculator::add(black_box(a), black_box(b)));
    }
    let local = began.elapsed();
    let here = here.map_err(|problem| Error::other(problem.to_string()))?;
    say!("here:  add(2, 3) = {here}, {} a call", each(local, calls));

    let deadline = Duration::from_secs(1);
    let patience = Patience { deadline, tries: 2 };
    let addresses = net::resolve(&args.host, args.port.0)?;
    let mut stub = Stub::new(addresses, patience, false);
    let began = Instant::now();
    let mut there = here;
    for _ in 0..calls {
        there = add(&mut stub, black_box(a), black_box(b))?;
    }
    let remote = began.elapsed();
    stub.hang_up();
    say!("there: add(2, 3) = {there}, {} a call", each(remote, calls));
    let times = remote.as_secs_f64() / local.as_secs_f64().max(1e-9);
    say!("The result is the same; the time is {times:.0} times as long.");
    Ok(())
}

/// `calculator::add`, from afar. A stub for one procedure is written by a
/// program mostly (rpcgen, protoc), from a description of the interface: the
/// caller sees two numbers and a result, and one thing more, that the call
/// can fail in ways in which adding cannot.                  [T-Q7] (viva 3)
fn add(stub: &mut Stub, a: Number, b: Number) -> Result<Number> {
    let result = stub
        .call("add", &format!("[{a},{b}]"))
        .map_err(|failure| Error::other(failure.to_string()))?;
    // Both ends must mean the same by a result: another version may not.
    Number::read(result.get())
        .map_err(|what| Error::other(format!("the result {what}")))
}

/// The time of one call, in a unit that fits.
fn each(time: Duration, calls: u32) -> String {
    let nanoseconds = time.as_secs_f64() * 1e9 / f64::from(calls);
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0} ns"),
        1e3..1e6 => format!("{:.0} us", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}
