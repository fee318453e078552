//! The smallest TCP server: receives one message, replies to it. Handout G,
//! question 4; the other half is template_client.rs. The UDP pair of question 1
//! is in labs/datetime: `socketlab steps datetime-template-server
//! calculator-template-server` prints the steps side by side. [G-4]
//!
//! ```text
//! client                      server (this file)
//!   |                           |  1 socket   2 bind   3 listen
//!   |-------- handshake ------->|  4 accept   one NEW socket per client
//!   |--- "Hello, I am a …" ---->|  5 recv
//!   |<-- "Hello, I am the …" ---|  6 send
//!   |<---------- FIN -----------|  7 close
//! ```

use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_STREAM means TCP. The UDP template has SOCK_DGRAM here, and no steps
    // like 3, 4 and 7. Python: socket.socket(AF_INET, SOCK_STREAM) C: socket()
    // (viva 1)
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // As in UDP: claims the port that clients send to.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // Only TCP: the kernel now completes handshakes and queues 5 clients. (viva
    // 1) If a client acknowledges nothing for 30 s, the kernel ends its
    // connection. On Linux accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Only TCP: returns a SECOND socket, only for this client, so that
        // recv() and send() need no address. (viva 1)
        let client = match listener.accept() {
            Ok((client, _)) => client,
            // The client left while it waited, or no descriptor is free. Wait a
            // moment, because the second error may repeat at once.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        if let Err(error) = converse(client) {
            warn!("{error}"); // this client's own: the next one is served
        }
    }
}

fn converse(client: TcpSocket) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // The bytes of the stream that have arrived. recvfrom() returns one
    // complete datagram; here a short message is usually, but not certainly,
    // complete.
    client.set_recv_timeout(Some(PATIENCE))?;
    let mut buffer = [0; 1024];
    let count = client.recv(&mut buffer)?;
    let message = buffer.get(..count).unwrap_or_default();
    say!("From the client: {}", console::escape(message));

    // ---- 6 send() --------------------------------------------------------
    // No address, because the socket has one peer. sendto() would need one.
    client.send_all(b"Hello, I am the server")?;

    // ---- 7 close() -------------------------------------------------------
    // Only TCP: ends the connection, and the client reads end of stream. With
    // UDP no connection has to end, and one socket serves all.   (viva 1)
    client.close();
    Ok(())
}

/// Longest wait for a silent client, because the next one is waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replies to one message of each client, one client at a time.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12004; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Server,
    port: 12004,
    steps: "socket bind listen accept recv send close",
    example: "calculator-template-server 127.0.0.1 12004",
};
