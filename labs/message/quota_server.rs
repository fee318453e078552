//! Task 3 of handout D (Durham), in its fewest lines: a table says how many
//! messages each client may send. The other half is plain_client.rs --id ID;
//! server.rs is the one to use.
//!
//! ```text
//! clients                 server (this file)
//!   |------ handshake ----->|  1 socket   2 bind   3 listen   4 accept
//!   |------ ID alice ------>|  5 recv     OK 3 left, or UNKNOWN   [D-T3.2]
//!   |------ a message ----->|  5 recv     6 send: OK 2 left
//!   |------ the fourth ---->|  5 recv     6 send: STOP            [D-T3.3]
//! ```

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use parking_lot::Mutex;
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;

    // ---- 1 socket() ------------------------------------------------------
    // It only listens: accept() returns one more for each client.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Clients connect to this address. SO_REUSEADDR lets a restarted server
    // have it while old connections are in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here on the kernel completes handshakes; 5 clients may wait for
    // accept(). It asks nobody who they are.                      (viva 5)
    listener.listen(5)?;
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    net::announce(listener.local_addr()?);

    // ==== 3.1 the table: ID, messages allowed, messages sent       [D-T3.1]
    // All threads share it, so a lock (Python: threading.Lock) guards it.
    // Limit: a restart forgets what was sent.                     (viva 9)
    let table = [("alice", 3, 0), ("bob", 5, 0), ("carol", 0, 0)];
    let table = Arc::new(Mutex::new(table));
    loop {
        // ---- 4 accept() --------------------------------------------------
        // Blocks until a client has connected. A thread serves it, so that a
        // silent client delays nobody.
        // Limit: no descriptor left is an error, and ends the server.
        let (client, peer) = listener.accept()?;
        let table = table.clone();
        let _ = thread::Builder::new().spawn(move || {
            if let Err(error) = converse(&client, &table) {
                say!("[{peer}] lost: {error}");
            }
            // ---- 7 close() -----------------------------------------------
            // Sends FIN: the client's recv() returns 0.
            client.finish();
        });
    }
}

/// The table of the handout, a row for each client.
type Table = [(&'static str, u32, u32); 3];

fn converse(client: &TcpSocket, table: &Mutex<Table>) -> Result<()> {
    let mut reader = LineReader::new(client.clone(), 4096, IDLE);
    reader.accept_pause(PAUSE);
    let mut id = None;
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // read() calls recv() until a newline has come. Students' clients
        // send none, so a pause ends a message, too.              (viva 6)
        let line = match reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong | Received::End => return Ok(()),
        };
        let text = console::escape(&line);
        let answer = match &id {
            // ==== 3.2 the ID comes before anything else            [D-T3.2]
            None => {
                let word = text.strip_prefix("ID ").unwrap_or(&text);
                let rows = table.lock();
                let row = rows.iter().find(|row| row.0 == word);
                id = row.map(|row| row.0);
                match row {
                    Some(row) => format!("OK {} left", row.1 - row.2),
                    // ==== 3.5 an ID that is not in the table       [D-T3.5]
                    None => format!("UNKNOWN {word} is not in the table"),
                }
            }
            Some(id) => spend(table, id),
        };
        say!("{}: {text} -> {answer}", id.unwrap_or("nobody"));

        // ---- 6 send() ----------------------------------------------------
        // The lock is free again: send() may wait for a slow client.
        client.send_all(format!("{answer}\n").as_bytes())?;
        if id.is_none() {
            return Ok(()); // unknown: the connection ends
        }
    }
}

/// ==== 3.3 each message is checked against the table              [D-T3.3]
/// Looking and counting are one step under the lock: two connections of one
/// ID cannot both have the last message.           [D-T3.4] (viva 2) (try 8)
fn spend(table: &Mutex<Table>, id: &str) -> String {
    let mut rows = table.lock();
    let row = rows.iter_mut().find(|row| row.0 == id);
    let Some((_, allowed, sent)) = row else { return "UNKNOWN".into() };
    if *sent == *allowed {
        return format!(
            "STOP sending: your quota is used up ({sent} of {allowed})"
        );
    }
    *sent += 1;
    format!("OK {} left", *allowed - *sent)
}

/// Silence that ends a message without a newline, and one that ends a client.
const PAUSE: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(600);

/// Prints messages, as many as a table allows.
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
    example: "message-quota-server 127.0.0.1 12002",
};
