//! One procedure that other machines can call. Handout T (Terna), RPC: the
//! figure's right half, in its fewest lines. plain_client.rs is the left half;
//! server.rs is what one would really use.               [T-X2] (viva 1)
//!
//! ```text
//! client                     server (this file)
//!   |                          |  1 socket   2 bind   3 listen
//!   |------- handshake ------->|  4 accept   a thread per client
//!   |-- {"method":"add", …} -->|  5 recv     skeleton: bytes to numbers
//!   |                          |             procedure: add(2, 3)
//!   |<---- {"result":5, …} ----|  6 send     skeleton: number to bytes
//!   |---------- FIN ---------->|  7 close
//! ```

use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // TCP, because a call must arrive complete.     Python: socket.socket()
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // A client has to know this port before it can call.      (viva 15)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the kernel accepts connections and queues them. A client that
    // does not read is disconnected after 30 s.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // One socket for each client. A thread for each, because a client
        // that calls nothing would otherwise keep all others waiting.
        // Limit: nothing bounds their number; server.rs does.
        let (client, peer) = listener.accept()?;
        say!("[{peer}] connected");
        let work = move || match converse(&client) {
            Ok(()) => say!("[{peer}] left"),
            Err(error) => say!("[{peer}] lost: {error}"),
        };
        let thread = thread::Builder::new().name(peer.to_string());
        if let Err(error) = thread.spawn(work) {
            warn!("refused: {}", Error::new("spawn", peer, error));
        }
    }
}

/// Runs one client's calls, one after the other.
fn converse(client: &TcpSocket) -> Result<()> {
    let mut reader = LineReader::new(client.clone(), LONGEST_CALL, IDLE);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // TCP has no messages, so the two ends agree on one: a call is a line.
        // The reader calls recv() until a newline has come.   (viva 11)
        let line = match reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => return Err(Error::other("a line too long")),
            Received::End => break,
        };
        let response = skeleton(&line);

        // ---- 6 send() ----------------------------------------------------
        // If it is lost now, the work is done, and nobody knows. (viva 6)
        client.send_all(format!("{response}\n").as_bytes())?;
    }

    // ---- 7 close() -------------------------------------------------------
    // The socket goes with its last handle, here; the client's recv() gives 0.
    Ok(())
}

/// The skeleton: what stands between the bytes and the procedure. It finds
/// out what is called (unmarshalling), calls it as any local program would,
/// and makes bytes of the result (marshalling).          [T-Q7] (viva 2)
fn skeleton(line: &[u8]) -> Value {
    let call: Value = serde_json::from_slice(line).unwrap_or_default();
    let (id, params) = (&call["id"], &call["params"]);
    let result = match (params[0].as_i64(), params[1].as_i64()) {
        (Some(a), Some(b)) if call["method"] == "add" => add(a, b),
        _ => Err("only add is known here, with two whole numbers"),
    };
    match result {
        Ok(sum) => json!({"jsonrpc": "2.0", "result": sum, "id": id}),
        Err(why) => {
            let error = json!({"code": -32601, "message": why});
            json!({"jsonrpc": "2.0", "error": error, "id": id})
        }
    }
}

/// The procedure. Nothing in it knows of a network.
fn add(a: i64, b: i64) -> std::result::Result<i64, &'static str> {
    a.checked_add(b).ok_or("the sum has more than 64 bits")
}

const LONGEST_CALL: usize = 4096; // bytes of a line
const IDLE: Duration = Duration::from_secs(60); // between two calls

/// One procedure, add, that other machines can call.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 12006)")]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "rpc",
    role: Role::Server,
    port: 12006,
    steps: "socket bind listen accept recv send close",
    example: "rpc-plain-server 127.0.0.1 12006",
};
