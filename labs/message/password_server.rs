//! Task 2 of handout D (Durham), as short as possible: a client must know a
//! secret, not only the address and the port. The other half is
//! plain_client.rs. server.rs has better ways to ask. [D-T2.1]
//!
//! ```text
//! clients                 server (this file)
//!   |------ handshake ----->|  1 socket   2 bind   3 listen   4 accept
//!   |<--- AUTH password ----|  6 send
//!   |-- LOGIN open sesame ->|  5 recv     OK logged in, or NO and close
//!   |------ a message ----->|  5 recv, print
//! ```

use std::env;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    // ==== the secret: from the environment, because every user of the
    // machine can read the arguments with `ps -ef`.               (viva 4)
    let secret = env::var("MESSAGE_SECRET").unwrap_or_default();
    if secret.is_empty() {
        let how = "set a secret: MESSAGE_SECRET=… message-password-server";
        return Err(Error::other(how));
    }
    let secret = Arc::new(secret);

    // ---- 1 socket() ------------------------------------------------------
    // This socket only listens. Python: socket.socket() C: socket()
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Clients connect to this address. SO_REUSEADDR: also after a restart,
    // while old connections are in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here on the kernel completes handshakes; 5 clients may wait for
    // accept(). The kernel does not check who they are. (viva 5)
    listener.listen(5)?;
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // The client is connected now, whoever it is. The server can only ask
        // for the secret, in a thread, so that a silent client delays no other.
        // Limit: if no descriptor is free, the server ends.
        let (client, peer) = listener.accept()?;
        let secret = secret.clone();
        let _ = thread::Builder::new().spawn(move || {
            match converse(&client, &secret) {
                Ok(why) => say!("[{peer}] {why}"),
                Err(error) => say!("[{peer}] lost: {error}"),
            }
            // ---- 7 close() -----------------------------------------------
            // Sends FIN: the client's recv() returns 0.
            client.finish();
        });
    }
}

/// ==== no communication without the secret                        [D-T2.1]
/// Limit: the secret is sent in clear, and anybody who records it can use it.
/// auth.rs sends a proof instead. (viva 12) (try 6)
fn converse(client: &TcpSocket, secret: &str) -> Result<String> {
    // ---- 6 send() --------------------------------------------------------
    // Tells an honest client what the server wants.
    client.send_all(b"AUTH password\n")?;
    let mut reader = LineReader::new(client.clone(), 4096, IDLE);
    reader.accept_pause(PAUSE);
    let mut logged_in = false;
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // read() calls recv() until a newline has come. Students' clients
        // send none, so a pause ends a message, too.              (viva 6)
        let line = match reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => return Ok("refused: too long".into()),
            Received::End => return Ok("left: end of stream".into()),
        };
        if logged_in {
            say!("message: {}", console::escape(&line));
            continue;
        }
        // ==== let another student try: nc, the client of task 1, a wrong
        // secret. All are refused, as message-intruder shows.       [D-T2.2]
        // Limit: nothing slows a client that guesses, and == takes longer if
        // more letters are right. throttle.rs, auth.rs end both.  (viva 13)
        logged_in = line == format!("LOGIN {secret}").as_bytes();
        if !logged_in {
            client.send_all(b"NO wrong secret: LOGIN <secret>\n")?;
            return Ok(format!("refused: {}", console::escape(&line)));
        }
        client.send_all(b"OK logged in\n")?;
    }
}

/// Silence that ends a message without a newline, and one that ends a client.
const PAUSE: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(600);

/// Prints the messages of those who know a secret.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12002; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Server,
    port: 12002,
    steps: "socket bind listen accept recv send close",
    example: "MESSAGE_SECRET=… message-password-server 127.0.0.1 12002",
};
