//! One procedure that other machines can call. Handout T (Terna), RPC. The
//! other half is plain_client.rs. [T-X2] (viva 1)
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
    // SOCK_STREAM means TCP. Python: socket.socket()  C: socket()
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // The address and port that a client must know. SO_REUSEADDR: bind()
    // works at once after a restart.                          (viva 15)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // From here on the kernel completes handshakes and queues connections.
    // On Linux accept()'s sockets inherit the limit of 30 s for send().
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a new socket for each client. A thread serves it, because
        // otherwise a silent client would make all others wait.
        // Limit: the number of threads is not bounded; server.rs bounds it.
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

/// Runs the calls of one client, one after the other.
fn converse(client: &TcpSocket) -> Result<()> {
    let mut reader = LineReader::new(client.clone(), LONGEST_CALL, IDLE);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // TCP has no messages, so client and server agree that a call is one
        // line. The reader calls recv() until a newline arrives.  (viva 11)
        let line = match reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => return Err(Error::other("line too long")),
            Received::End => break,
        };
        let response = skeleton(&line);
        // ---- 6 send() ----------------------------------------------------
        // If this response is lost, the procedure has run, but the client
        // does not know it.                                   (viva 6)
        client.send_all(format!("{response}\n").as_bytes())?;
    }
    // ---- 7 close() -------------------------------------------------------
    // The kernel closes the socket when its last handle is dropped, here. The
    // client's recv() then returns 0 bytes. Python: s.close()
    Ok(())
}

/// The skeleton turns bytes into a name and arguments (unmarshalling), calls
/// the procedure, and turns its result into bytes (marshalling). [T-Q7] (viva
/// 2)
fn skeleton(line: &[u8]) -> Value {
    let parsed = serde_json::from_slice::<Value>(line);
    let call = parsed.as_ref().unwrap_or(&Value::Null);
    let (id, params) = (&call["id"], &call["params"]);
    let result = match (params[0].as_i64(), params[1].as_i64()) {
        _ if parsed.is_err() => Err((-32700, "this is not JSON")),
        _ if !call.is_object() => Err((-32600, "this is not a call")),
        _ if call["method"] != "add" => Err((-32601, "only add is known")),
        (Some(a), Some(b)) => add(a, b).map_err(|why| (-32000, why)),
        _ => Err((-32602, "add needs two integers")),
    };
    match result {
        Ok(sum) => json!({"jsonrpc": "2.0", "result": sum, "id": id}),
        Err((code, message)) => json!({"jsonrpc": "2.0", "id": id,
            "error": {"code": code, "message": message}}),
    }
}

/// The procedure. It does not know where its caller is.
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
