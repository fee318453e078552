//! Tasks 2 and 3 of handout D (Durham): open_server.rs with a login and a
//! quota. The other half is client.rs; intruder.rs attacks it.
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |---- login, id, text ->|  5 recv   } in a thread
//!   |<----- OK, STOP -------|  6 send   } per client
//!   |-------- FIN --------->|  7 close  }
//! ```

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use argh::{ArgsInfo, FromArgs};
use message::auth::Level;
use message::login::{Login, Refusal};
use message::messages::{self, IDLE, LONGEST, PAUSE};
use message::quota::{Quota, QuotaReply};
use signal_hook::consts::SIGUSR1;
use signal_hook::iterator::Signals;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    messages::load_time_zone();
    let max_clients = args.max_clients;
    let shared = Arc::new(Shared::new(args)?);

    // ---- 1 socket() ------------------------------------------------------
    // A TCP socket that only listens: accept() returns one for each client.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The address that clients connect to. SO_REUSEADDR: also after a restart,
    // while old connections are in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here on the kernel completes handshakes and queues clients. It does
    // not ask the program, so the allow-list cannot act here. (viva 5) If a
    // client acknowledges nothing for 30 s, the kernel ends its connection. On
    // Linux accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?; // LISTEN in `ss -tln`              (viva 7)
    let clients = Clients::new(&listener, max_clients, NO_ROOM)?;
    show_table_on_signal(shared.clone())?;
    net::announce(listener.local_addr()?);
    shared.show_table();

    loop {
        // ---- 4 accept() --------------------------------------------------
        // The kernel has completed the handshake by now, so an allow-list in
        // a program can only close again. A firewall refuses earlier.
        //                                             (viva 5) (try 5)
        match listener.accept() {
            Ok((client, peer)) => {
                let shared = shared.clone();
                clients.spawn(client, peer, move |client, peer| {
                    let result = converse(client, peer, &shared);
                    shared.show_table();
                    result
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// What all client threads share.
struct Shared {
    login: Login,
    quota: Option<Quota>,
    show: bool,
}

impl Shared {
    fn new(args: Args) -> Result<Shared> {
        // A relative name begins at the current folder: see `pwd`. [D-O7]
        let quota = args.quota.map(|file| Quota::read(&file)).transpose()?;
        let secret = args.secret_file.as_deref();
        let login =
            Login::new(args.auth, args.allow, secret, args.login_limit)?;
        Ok(Shared { login, quota, show: args.show_table })
    }

    fn show_table(&self) {
        if let (true, Some(quota)) = (self.show, &self.quota) {
            say!("{}", quota.table());
        }
    }
}

/// The conversation in lines: the login, then a reply to each message. Without
/// --auth the login is left out, without --quota the ID:
///
/// ```text
/// S: AUTH password | AUTH challenge <nonce>    then C: LOGIN <answer>
/// S: OK logged in | NO <reason>, and closes       (login.rs) [D-T2.1]
/// C: ID <id>, or the bare id   S: OK n left | NO … | UNKNOWN …, closes
/// C: a message                 S: OK n left, or STOP …, and stays open
/// ```
fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    shared: &Shared,
) -> Result<()> {
    say!("[{peer}] connected");
    client.set_no_delay()?;
    let mut reader = LineReader::new(client.clone(), LONGEST, IDLE);
    reader.accept_pause(PAUSE);
    let quota = shared.quota.as_ref();
    let id = match shared.login.enter(&client, peer, &mut reader, quota) {
        Ok(id) => id,
        Err(refusal) => {
            drop(reader); // it holds a handle of the socket as well
            return refuse(client, peer, refusal);
        }
    };
    let who = id.as_deref().unwrap_or("message");
    let (mut accepted, mut refused) = (0, 0);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // A message is a line, or the bytes before a pause of 200 ms.
        //                                                     (viva 6)
        let (text, note) = match reader.read()? {
            Received::Line(text) => (text, ""),
            Received::Unterminated(text) => (text, " (ended by a pause)"),
            Received::TooLong => {
                refused += 1;
                say!("[{peer}] {who} refused: too long, discarded");
                client.send_all(b"NO longer than 131072 bytes\n")?;
                continue;
            }
            Received::End => break,
        };
        let number = accepted + refused + 1;
        let time = messages::time();
        let reply = match quota.zip(id.as_deref()) {
            Some((quota, id)) => quota.spend(id),
            None => QuotaReply::Free,
        };

        // ---- 6 send() ----------------------------------------------------
        // After N messages each further one gets the reply to stop. The
        // connection stays open. No lock is held while send() waits for a
        // client that does not read.
        //                                            [D-T3.3] (viva 2)
        let answer = reply.to_string();
        match reply {
            QuotaReply::Free | QuotaReply::Accepted { .. } => {
                accepted += 1;
                let text = console::message(&text);
                say!("[{peer}] {who} {number} at {time}: {text}{note}");
            }
            QuotaReply::Stop { .. } | QuotaReply::Unknown => {
                refused += 1;
                say!("[{peer}] {who} {number} at {time} refused: {answer}");
            }
        }
        client.send_all(format!("{answer}\n").as_bytes())?;
    }
    say!(
        "[{peer}] {}, messages: {accepted} accepted, {refused} refused",
        clients::end_of_stream()
    );

    // ---- 7 close() -------------------------------------------------------
    // Without it the socket stays in CLOSE-WAIT.                (viva 14)
    drop(reader); // it holds a handle, and the last one closes
    client.close();
    Ok(())
}

/// Ends a client that was not logged in.
fn refuse(client: TcpSocket, peer: SocketAddr, refusal: Refusal) -> Result<()> {
    match refusal {
        Refusal::Told(text) => {
            say!("[{peer}] refused: {text}");
            client.send_all(format!("{text}\n").as_bytes())?;
            client.finish();
            Ok(())
        }
        Refusal::Left => {
            say!("[{peer}] {}, before it was let in", clients::end_of_stream());
            Ok(())
        }
        Refusal::Lost(error) => Err(error),
    }
}

/// `kill -USR1 PID` prints the table, after the threads that signals.rs
/// prints. Servers never read the keyboard, because that would stop a server
/// in the background, `server &`.                                 [D-O2]
fn show_table_on_signal(shared: Arc<Shared>) -> Result<()> {
    let mut signals = Signals::new([SIGUSR1])
        .map_err(|error| Error::new("sigaction", "SIGUSR1", error))?;
    let work = move || {
        for _ in signals.forever() {
            match &shared.quota {
                Some(quota) => say!("{}", quota.table()),
                None => say!("no table: start with --quota FILE"),
            }
        }
    };
    thread::Builder::new()
        .name("table".into())
        .spawn(work)
        .map_err(|error| Error::new("spawn", "table", error))?;
    Ok(())
}

const BACKLOG: i32 = 1024; // connections that may wait for accept()

/// The line that a new client gets when all slots are in use.
const NO_ROOM: &str = "NO room: too many clients, try again later\n";

/// Prints messages of authorised clients, up to their quota.
/// `kill -USR1` prints the quota table.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12002; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// who may send: none, allow-list, password or challenge (default none:
    /// everybody)
    #[argh(option, default = "Level::None")]
    auth: Level,
    /// an address on the allow-list; repeat it for more
    #[argh(option)]
    allow: Vec<IpAddr>,
    /// file with the secret (default: environment variable MESSAGE_SECRET)
    #[argh(option)]
    secret_file: Option<String>,
    /// file with the table of task 3, lines of ID NUMBER (default: no quota)
    #[argh(option)]
    quota: Option<PathBuf>,
    /// print the table at the start and whenever a client leaves
    #[argh(switch)]
    show_table: bool,
    /// seconds for login and ID together (default 10)
    #[argh(option, hidden_help, default = "10.0")]
    login_limit: f64,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Server,
    port: 12002,
    steps: "socket bind listen accept recv send close",
    example: "message-server 127.0.0.1 12002 --quota labs/message/quota.txt",
};
