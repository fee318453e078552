//! Calls a procedure on another machine as if it were a local one. Handout T
//! (Terna), RPC: the left half of the figure, in as few lines as possible.
//! plain_server.rs is the right half. client.rs is the complete client.
//! [T-X2] (viva 1)
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
    // The kernel makes a TCP socket. A client needs no bind(), because
    // connect() chooses a free port. Python: socket.socket()  C: socket()
    let server = TcpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // The kernel does the TCP handshake. It fails after 10 s without an
    // answer, because on Linux SO_SNDTIMEO limits connect(), too.
    // Python: s.connect()  C: connect()
    server.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    server.connect(address)?;

    // This line looks like a local call. That is the purpose of RPC, and its
    // danger, because a local call cannot be lost on the way.    (viva 6)
    let sum = add(&server, args.a, args.b)?;
    say!("{} + {} = {sum}", args.a, args.b);

    // ---- 5 close() -------------------------------------------------------
    // The kernel sends FIN, so the server's recv() returns 0 bytes and its
    // thread ends. Python: s.close()  C: close()
    server.finish();
    Ok(())
}

/// The stub: a function with the procedure's name and parameters. It turns the
/// arguments into bytes (marshalling), sends them, and waits for the response.
/// Then it turns the response's bytes into a value (unmarshalling).
/// [T-Q7] (viva 2)
fn add(server: &TcpSocket, a: i64, b: i64) -> Result<i64> {
    // The response repeats the id, so that the client can check that the
    // response belongs to this call.
    let id = 1;
    let call =
        json!({"jsonrpc": "2.0", "method": "add", "params": [a, b], "id": id});

    // ---- 3 send() --------------------------------------------------------
    // The newline ends the call, because TCP itself has no messages.
    // Python: s.sendall()  C: send() in a loop
    server.send_all(format!("{call}\n").as_bytes())?;

    // ---- 4 recv() --------------------------------------------------------
    // recv() blocks while the other machine runs the procedure. If no
    // response comes, the client cannot know whether the procedure has run.
    // Limit: this stub then fails; stub.rs sends the call again, with the
    // same id. Python: s.makefile("rb").readline()  C: recv() in a loop
    let mut reader = LineReader::new(server.clone(), LONGEST_RESPONSE, WAIT);
    let line = match reader.read()? {
        Received::Line(line) => line,
        _ => {
            let why = "the server closed before its response was complete";
            return Err(Error::other(why));
        }
    };
    let response: Value = serde_json::from_slice(&line)
        .map_err(|error| format!("the response is not JSON: {error}"))
        .map_err(Error::other)?;
    match response["result"].as_i64() {
        Some(sum) if response["id"] == id => Ok(sum),
        _ => {
            let why = format!("the response has no result: {response}");
            Err(Error::other(why))
        }
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
