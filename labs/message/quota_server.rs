//! Task 3 of handout D (Durham): a table says how many messages each client
//! may send. The other half is plain_client.rs --id ID; to use: server.rs.
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
    // This socket only listens; accept() returns one for each client.
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Clients connect here. Without SO_REUSEADDR a restart fails (TIME_WAIT).
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // The kernel completes handshakes, and checks no ID.          (viva 5)
    listener.listen(5)?; // 5 may wait for accept()
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    net::announce(listener.local_addr()?);
    // ==== 3.1 the table: ID, messages allowed, messages sent       [D-T3.1]
    // The threads share it, so a lock guards it (Python: threading.Lock).
    // Limit: a restart forgets what was sent.                     (viva 9)
    let table = [("alice", 3, 0), ("bob", 5, 0), ("carol", 0, 0)];
    let table = Arc::new(Mutex::new(table));
    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a client's socket. Limit: without descriptors it ends.
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

fn converse(client: &TcpSocket, table: &Mutex<Table>) -> Result<()> {
    let mut reader = LineReader::new(client.clone(), 4096, IDLE);
    reader.accept_pause(PAUSE);
    let mut known: Option<(&str, u32, u32)> = None; // its row, by its ID
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // read() calls recv() until a newline has come. Students' clients
        // send none, so a pause ends a message, too.              (viva 6)
        let line = match reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => b"(too long)".to_vec(),
            Received::End => return Ok(()),
        };
        let text = console::escape(&line);
        let answer = match known {
            // ==== 3.2 the ID comes before anything else            [D-T3.2]
            None => {
                let word = text.strip_prefix("ID ").unwrap_or(&text);
                known = table.lock().into_iter().find(|row| row.0 == word);
                match known {
                    Some((_, all, sent)) => format!("OK {} left", all - sent),
                    // ==== 3.5 an ID that is not in the table       [D-T3.5]
                    None => format!("UNKNOWN {word} is not in the table"),
                }
            }
            Some((id, ..)) => spend(table, id),
        };
        say!("{}: {text} -> {answer}", known.map_or("nobody", |row| row.0));
        // ---- 6 send() ----------------------------------------------------
        // The lock is free again, because send() may block.
        client.send_all(format!("{answer}\n").as_bytes())?;
        if known.is_none() {
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
        let used = format!("{sent} of {allowed}");
        return format!("STOP sending: your quota is used up ({used})");
    }
    *sent += 1;
    format!("OK {} left", *allowed - *sent)
}

type Table = [(&'static str, u32, u32); 3];
const PAUSE: Duration = Duration::from_millis(200); // ends a message
const IDLE: Duration = Duration::from_secs(600); // ends a client

/// Prints messages, as many as a table allows.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 12002)")]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Server,
    port: 12002,
    steps: "socket bind listen accept recv send close",
    example: "message-quota-server 127.0.0.1 12002",
};
