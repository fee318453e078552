//! Calls a procedure on another machine as if it were here. Handout T (Terna),
//! RPC: the figure's left half, in its fewest lines. plain_server.rs is the
//! right half; client.rs is what one would really use.   [T-X2] (viva 1)
//!
//! ```text
//! client (this file)         server
//!   |  1 socket                |
//!   |  2 connect - handshake ->|
//!   |     stub: numbers to bytes
//!   |  3 send --- a line ----->|  skeleton, procedure, skeleton
//!   |  4 recv <-- a line ------|
//!   |     stub: bytes to number
//!   |  5 close ---- FIN ------>|
//! ```

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.0)?;

    // ---- 1 socket() ------------------------------------------------------
    // No bind(): connect() borrows a free port.   Python: socket.socket()
    let server = TcpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // The kernel waits 10 s at most: SO_SNDTIMEO bounds connect() on Linux.
    server.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    server.connect(address)?;

    // This line looks like a local call. That is the point of RPC, and its
    // danger: a local call cannot get lost half-way.         (viva 6)
    let sum = add(&server, args.a, args.b)?;
    say!("{} + {} = {sum}", args.a, args.b);

    // ---- 5 close() -------------------------------------------------------
    // FIN: the server's recv() returns 0 and its thread ends.
    server.finish();
    Ok(())
}

/// The stub: a function with the procedure's name and parameters. It makes
/// bytes of the arguments (marshalling), sends them, waits, and makes a value
/// of the bytes that come back (unmarshalling).          [T-Q7] (viva 2)
fn add(server: &TcpSocket, a: i64, b: i64) -> Result<i64> {
    let id = 1; // the response repeats it, so that it cannot be mistaken
    let call =
        json!({"jsonrpc": "2.0", "method": "add", "params": [a, b], "id": id});

    // ---- 3 send() --------------------------------------------------------
    // The newline ends the message: TCP itself has no messages.
    server.send_all(format!("{call}\n").as_bytes())?;

    // ---- 4 recv() --------------------------------------------------------
    // Here the caller sleeps while the other machine works. If no response
    // comes, nobody here can tell whether the work was done.
    // Limit: it gives up then; stub.rs asks again, with the same id.
    let mut reader = LineReader::new(server.clone(), LONGEST_RESPONSE, WAIT);
    let line = match reader.read()? {
        Received::Line(line) => line,
        _ => return Err(Error::other("the server closed, no complete line")),
    };
    let response: Value = serde_json::from_slice(&line)
        .map_err(|error| Error::other(format!("not JSON: {error}")))?;
    match response["result"].as_i64() {
        Some(sum) if response["id"] == id => Ok(sum),
        _ => Err(Error::other(format!("the server says {response}"))),
    }
}

const LONGEST_RESPONSE: usize = 4096; // bytes of a line
const WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Adds two numbers on another machine.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name of the server
    #[argh(positional)]
    host: String,
    /// port of the server
    #[argh(positional)]
    port: Port,
    /// the first number
    #[argh(positional)]
    a: i64,
    /// the second number
    #[argh(positional)]
    b: i64,
}

const PROGRAM: Program = Program {
    lab: "rpc",
    role: Role::Client { server: Some("rpc-plain-server") },
    port: 12006,
    steps: "socket connect send recv close",
    example: "rpc-plain-client 127.0.0.1 12006 2 3",
};
