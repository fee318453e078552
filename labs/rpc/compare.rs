//! Calls the same procedure locally and remotely, and compares the times.
//! Handout T (Terna), question 7: "as if it were local". The other half is
//! server.rs.                                         [T-Q7] (viva 2) (try 3)
//!
//! ```text
//! here    add(2, 3) -> 5                       always returns
//! there   stub.add(2, 3) -> 1 socket 2 connect 3 send 4 recv 5 close
//!                        -> 5, an error, or NO RESPONSE
//! ```
//!
//! Run it against a server with --delay, with --lose-reply 100, and without
//! any server.

use std::hint::black_box;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use rpc::calculator::{self, ArithmeticError, Number};
use rpc::stub::{RetryPolicy, Stub};
use socketlab::args::{self, Port, Program, Role};
use socketlab::{Error, Result, net, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let calls = args::in_range("--calls", args.calls, 1, 1_000_000);
    let named = |(name, ..): &&(&str, Here, There)| *name == args.procedure;
    let Some((name, here, there)) = PROCEDURES.iter().find(named) else {
        args::usage("--procedure: add, subtract, multiply or divide");
    };
    let (a, b) = (Number::Whole(2), Number::Whole(3));

    let began = Instant::now();
    let mut near = Ok(a);
    for _ in 0..calls {
        near = black_box(here(black_box(a), black_box(b)));
    }
    let local = began.elapsed();
    let near = near.map_err(|problem| Error::other(problem.to_string()))?;
    say!("here:  {name}(2, 3) = {near}, {} a call", each(local, calls));

    let deadline = Duration::from_secs(1);
    let policy = RetryPolicy { deadline, tries: 2 };
    let addresses = net::resolve(&args.host, args.port.0)?;
    let mut stub = Stub::new(addresses, policy, false);
    let began = Instant::now();
    let mut far = near;
    for _ in 0..calls {
        far = there(&mut stub, a, b)?;
    }
    let remote = began.elapsed();
    stub.hang_up();
    say!("there: {name}(2, 3) = {far}, {} a call", each(remote, calls));
    let times = remote.as_secs_f64() / local.as_secs_f64().max(1e-9);
    say!("The result is the same; the time is {times:.0} times as long.");
    Ok(())
}

type Here = fn(Number, Number) -> std::result::Result<Number, ArithmeticError>;
type There = fn(&mut Stub, Number, Number) -> Result<Number>;

/// The stub of `calculator::add`. Usually a generator (rpcgen, protoc) writes
/// stubs from a description of the interface. The caller sees two numbers and
/// a result, but this call can also fail because of the network.
///                                                           [T-Q7] (viva 3)
fn add(stub: &mut Stub, a: Number, b: Number) -> Result<Number> {
    call(stub, "add", a, b)
}

fn subtract(stub: &mut Stub, a: Number, b: Number) -> Result<Number> {
    call(stub, "subtract", a, b)
}

fn multiply(stub: &mut Stub, a: Number, b: Number) -> Result<Number> {
    call(stub, "multiply", a, b)
}

fn divide(stub: &mut Stub, a: Number, b: Number) -> Result<Number> {
    call(stub, "divide", a, b)
}

/// Marshals the arguments, makes the call, and unmarshals the result.
fn call(stub: &mut Stub, name: &str, a: Number, b: Number) -> Result<Number> {
    let result = stub
        .call(name, &format!("[{a},{b}]"))
        .map_err(|failure| Error::other(failure.to_string()))?;
    // The result is checked, because a server of another version may return
    // something else.
    Number::read(result.get())
        .map_err(|what| Error::other(format!("the result {what}")))
}

/// The time of one call, in a unit that fits.
fn each(time: Duration, calls: u32) -> String {
    let nanoseconds = time.as_secs_f64() * 1e9 / f64::from(calls);
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0} ns"),
        1e3..1e6 => format!("{:.1} us", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

/// Each procedure, and its stub.
const PROCEDURES: [(&str, Here, There); 4] = [
    ("add", calculator::add, add),
    ("subtract", calculator::subtract, subtract),
    ("multiply", calculator::multiply, multiply),
    ("divide", calculator::divide, divide),
];

/// Calls a procedure here and on a server, and compares.
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
    /// which one: add, subtract, multiply or divide (default add)
    #[argh(option, default = "\"add\".into()")]
    procedure: String,
}

const PROGRAM: Program = Program {
    lab: "rpc",
    role: Role::Client { server: Some("rpc-server") },
    port: 12006,
    steps: "socket connect send recv close",
    example: "rpc-compare 127.0.0.1 12006 --calls 1000",
};
