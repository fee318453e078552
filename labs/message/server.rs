//! Tasks 2 and 3 of handout D (Durham): open_server.rs with a door and a
//! quota. The other half is client.rs; intruder.rs tries to get in without.
//!
//! The protocol, in lines; what a command line leaves out is not said:
//!
//! ```text
//! S: AUTH password | AUTH challenge <nonce>    then C: LOGIN <answer>
//! S: OK logged in | NO <reason>, and closes        (door.rs) [D-T2.1]
//! C: ID <id>, or the bare id   S: OK n left | NO … | UNKNOWN …, closes
//! C: a message                 S: OK n left, or STOP …, and stays open
//! A newline ends a line; after 200 ms without one, that is guessed.
//!
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |---- login, id, text ->|  5 recv   } in a thread
//!   |<----- OK, STOP -------|  6 send   } per client
//!   |-------- FIN --------->|  7 close  }
//! ```

use message::clock;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use message::auth::Rung;
use message::door::{Door, Refusal};
use message::quota::{Quota, Verdict};
use signal_hook::consts::SIGUSR1;
use signal_hook::iterator::Signals;
use socketlab::args::{self, Port, Program};
use socketlab::clients::{self, Clients};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

const BACKLOG: i32 = 1024; // connections that may wait for accept()
const LONGEST: usize = 128 * 1024; // bytes of a message
const SHOWN: usize = 1000; // bytes of it that are printed
const PAUSE: Duration = Duration::from_millis(200); // ends a bare message
const IDLE: Duration = Duration::from_secs(600); // silence once inside

/// What a newcomer reads when all places are taken.
const NO_ROOM: &str = "NO room: too many clients, try again later\n";

const PROGRAM: Program = Program {
    lab: "message",
    role: "server",
    port: 12002,
    steps: "socket bind listen accept recv send close",
    example: "message-server 127.0.0.1 12002 --quota labs/message/quota.txt",
};

/// Prints the messages of those who may send them, and only so many.
/// `kill -USR1` prints the quota table.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12002; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// who may talk: none, allow-list, password or challenge (default none,
    /// which lets everybody)
    #[argh(option, default = "Rung::None")]
    auth: Rung,
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
    #[argh(option, default = "10.0")]
    login_limit: f64,
    /// clients served at once (default 1024)
    #[argh(option, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    clock::load();
    let max_clients = args.max_clients;
    let house = Arc::new(House::new(args)?);

    // ---- 1 socket() ------------------------------------------------------
    // As in open_server.rs, step 1.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // As in open_server.rs, step 2.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // As in open_server.rs, step 3. The allow-list cannot act here: the
    // kernel shakes hands without asking us.                     (viva 5)
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?; // LISTEN in `ss -tln`              (viva 7)
    let clients = Clients::new(&listener, max_clients, NO_ROOM)?;
    show_table_on_signal(house.clone())?;
    net::announce(listener.local_addr()?);
    house.show_table();

    loop {
        // ---- 4 accept() --------------------------------------------------
        // The kernel has shaken hands with everybody by now: an allow-list
        // up here can only hang up again. A firewall refuses earlier.
        //                                             (viva 5) (try 5)
        match listener.accept() {
            Ok((client, peer)) => {
                let house = house.clone();
                clients.spawn(client, peer, move |client, peer| {
                    let result = converse(client, peer, &house);
                    house.show_table();
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
struct House {
    door: Door,
    quota: Option<Quota>,
    show: bool,
}

impl House {
    fn new(args: Args) -> Result<House> {
        // A relative name begins at the current folder: see `pwd`. [D-O7]
        let quota = args.quota.map(|file| Quota::read(&file)).transpose()?;
        let secret = args.secret_file.as_deref();
        let door = Door::new(args.auth, args.allow, secret, args.login_limit)?;
        Ok(House { door, quota, show: args.show_table })
    }

    fn show_table(&self) {
        if let (true, Some(quota)) = (self.show, &self.quota) {
            say!("{}", quota.table());
        }
    }
}

/// The conversation: the door first, then a verdict on each message.
fn converse(client: TcpSocket, peer: SocketAddr, house: &House) -> Result<()> {
    say!("[{peer}] connected");
    client.set_no_delay()?;
    let mut reader = LineReader::new(client.clone(), LONGEST, IDLE);
    reader.accept_pause(PAUSE);
    let quota = house.quota.as_ref();
    let id = match house.door.enter(&client, peer, &mut reader, quota) {
        Ok(id) => id,
        Err(Refusal::Told(text)) => {
            say!("[{peer}] refused: {text}");
            client.send_all(format!("{text}\n").as_bytes())?;
            drop(reader); // it holds a handle of the socket as well
            client.finish();
            return Ok(());
        }
        Err(Refusal::Left) => {
            say!("[{peer}] left: end of stream, before it was let in");
            return Ok(());
        }
        Err(Refusal::Lost(error)) => return Err(error),
    };
    let who = id.as_deref().unwrap_or("message");
    let (mut accepted, mut refused) = (0, 0);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // See open_server.rs: a message is a line, or what precedes a pause.
        //                                                     (viva 6)
        let (text, note) = match reader.read()? {
            Received::Line(text) => (text, ""),
            Received::Unterminated(text) => (text, " (ended by a pause)"),
            Received::TooLong => {
                refused += 1;
                say!("[{peer}] {who} refused: too long, thrown away");
                client.send_all(b"NO longer than 131072 bytes\n")?;
                continue;
            }
            Received::End => break,
        };
        let number = accepted + refused + 1;
        let time = clock::time();
        let verdict = match quota.zip(id.as_deref()) {
            Some((quota, id)) => quota.spend(id),
            None => Verdict::Free,
        };

        // ---- 6 send() ----------------------------------------------------
        // At N+1 the client is told to stop, and the connection stays open:
        // it may leave politely, and whoever goes on is told again. Nothing
        // is locked while this waits for the client to read.
        //                                            [D-T3.3] (viva 2)
        let answer = verdict.to_string();
        match verdict {
            Verdict::Free | Verdict::Accepted { .. } => {
                accepted += 1;
                let text = console::escape_short(&text, SHOWN);
                say!("[{peer}] {who} {number} at {time}: {text}{note}");
            }
            Verdict::Stop { .. } | Verdict::Unknown => {
                refused += 1;
                say!("[{peer}] {who} {number} at {time} refused: {answer}");
            }
        }
        client.send_all(format!("{answer}\n").as_bytes())?;
    }
    say!(
        "[{peer}] left: end of stream, messages: {accepted} accepted, \
         {refused} refused"
    );

    // ---- 7 close() -------------------------------------------------------
    // Without it the socket stays in CLOSE-WAIT.                (viva 14)
    drop(reader); // it holds a handle, and the last one closes
    client.close();
    Ok(())
}

/// `kill -USR1 PID` prints the table. Servers never read the keyboard: in
/// the background, `server &`, that would stop them.             [D-O2]
fn show_table_on_signal(house: Arc<House>) -> Result<()> {
    let mut signals = Signals::new([SIGUSR1])
        .map_err(|error| Error::new("sigaction", "SIGUSR1", error))?;
    let work = move || {
        for _ in signals.forever() {
            match &house.quota {
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
