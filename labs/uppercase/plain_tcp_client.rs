//! Handout W's TCPClient, line by line [W-K3] [W-E3]: sends one sentence and
//! prints the answer. The other half is plain_tcp_server.rs; tcp_client.rs is
//! the next stage.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|       then: Input lowercase sentence:
//!   |  3 send --- "hello" ->|
//!   |  4 recv <-- "HELLO" --|
//!   |  5 close -- FIN ----->|
//! ```

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    // HOST and PORT come from the command line; the skeleton has them in its
    // code. [W-T1.3]
    let args: Args = args::parse(&PROGRAM);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let socket = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // Python: clientSocket = socket(AF_INET, SOCK_STREAM). C: socket().
        // SOCK_STREAM means TCP.                                 [W-T1.2]
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Python: clientSocket.connect((serverName, serverPort)). SYN, SYN-ACK,
        // ACK: both kernels agree on a connection. If nobody listens on that
        // port, RST comes back: ECONNREFUSED. [W-P1] [W-P3] On Linux this limit
        // of 10 s holds for connect() and each send().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    console::prompt("Input lowercase sentence:");
    let sentence = console::read_stdin_line()?.unwrap_or_default();
    if sentence.is_empty() {
        say!("nothing typed: TCP sends nothing");
        return Ok(());
    }

    // ---- 3 send() --------------------------------------------------------
    // Python: clientSocket.send(sentence.encode()). No address: connect() has
    // set it. Copies the bytes to the kernel; TCP does not mark their end.
    socket.send_all(&sentence)?;

    // ---- 4 recv() --------------------------------------------------------
    // Python: modifiedSentence = clientSocket.recv(1024). Waits until bytes
    // have arrived. 0 bytes: the server has closed. Limit: the reply may come
    // in pieces, and this prints only the first. If the server stays silent, it
    // waits until Ctrl-C. tcp_client.rs reads until the end, and has a
    // deadline. (try 4)
    let mut buffer = [0; 1024];
    let count = socket.recv(&mut buffer)?;
    let answer = buffer.get(..count).unwrap_or_default();
    if answer.is_empty() {
        return Err(Error::other("the server closed without an answer"));
    }
    say!("From Server: {}", console::escape(answer));

    // ---- 5 close() -------------------------------------------------------
    // Python: clientSocket.close(). Sends FIN, and frees the descriptor.
    socket.close();
    Ok(())
}

/// Sends one sentence and prints the answer, as the handout's TCPClient does.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12000)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Client { server: Some("uppercase-plain-tcp-server") },
    port: 12000,
    steps: "socket connect send recv close",
    example: "uppercase-plain-tcp-client 127.0.0.1 12000",
};
