//! Handout W's TCPServer, line by line [W-K4] [W-E4]: answers one sentence of
//! each client in upper case. The other half is plain_tcp_client.rs;
//! tcp_server.rs is the next stage.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   a NEW socket for this client
//!   |------- "hello" ------>|  5 recv
//!   |<------ "HELLO" -------|  6 send
//!   |<------- FIN ----------|  7 close    then again from 4
//! ```

use std::net::SocketAddr;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    // HOST and PORT come from the command line; the skeleton has them in its
    // code. [W-T1.3]
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?; // Ctrl-C prints "bye" and ends

    // ---- 1 socket() ------------------------------------------------------
    // Python: serverSocket = socket(AF_INET, SOCK_STREAM). C: socket().
    // SOCK_STREAM means TCP. This socket will only listen.       [W-T1.2]
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Python: serverSocket.bind(('', serverPort)). Claims the port that clients
    // connect to. The side that closes first keeps the connection in TIME_WAIT
    // for a minute. If that is the server, as in step 7, its next run gets
    // EADDRINUSE, unless both runs set SO_REUSEADDR. The skeleton does not set
    // it. If the client closes first, bind() succeeds.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // Python: serverSocket.listen(1). From here the kernel completes
    // handshakes, and keeps the connections until accept(). 1 is how many
    // may wait, not how many are served.                         (try 5)
    listener.listen(1)?;
    net::announce(listener.local_addr()?);
    say!("The server is ready to receive");

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Python: connectionSocket, addr = serverSocket.accept(). Returns a
        // second socket, for this client alone. Limit: while one client is
        // served, all others wait, without end if it sends nothing.
        // tcp_server.rs has a thread for each client. (try 4)
        let (client, peer) = listener.accept()?;
        if let Err(error) = converse(client, peer) {
            warn!("[{peer}] {error}"); // serve the next client
        }
    }
}

/// One sentence, one reply.
fn converse(client: TcpSocket, peer: SocketAddr) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // Python: sentence = connectionSocket.recv(1024). Waits until bytes have
    // arrived, and returns those: perhaps half of the sentence.
    // Limit: the rest of a longer sentence is not read.          (try 4)
    let mut buffer = [0; 1024];
    let count = client.recv(&mut buffer)?;
    let sentence = buffer.get_mut(..count).unwrap_or_default();
    let s = if count == 1 { "" } else { "s" };
    say!("[{peer}] {count} byte{s}: {}", console::escape(sentence));

    // ---- 6 send() --------------------------------------------------------
    // Python: connectionSocket.send(sentence.upper()). No address, because this
    // socket has one peer. Only a to z change. [W-T1.1a] [W-T1.1b]
    sentence.make_ascii_uppercase();
    client.send_all(sentence)?;

    // ---- 7 close() -------------------------------------------------------
    // Python: connectionSocket.close(). Sends FIN: the client's next recv()
    // returns 0. Without FIN the client would not know that the reply is
    // complete.
    client.close();
    Ok(())
}

/// Answers one sentence of each client, as the handout's TCPServer does.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12000; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Server,
    port: 12000,
    steps: "socket bind listen accept recv send close",
    example: "uppercase-plain-tcp-server 127.0.0.1 12000",
};
