//! A mail server that delivers nothing: it stores each message as a file in
//! a Maildir. The client of Handout W (Week 5), task 4 needs a mail server
//! [W-T4b]. This one needs no account and no network, and it fails at the
//! commands that you name. The client is client.rs or any other mail client.
//!
//! ```text
//! client                  sink (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   one NEW socket per client
//!   |<------- 220 … --------|  6 send   } sink/wire.rs, in a thread
//!   |------- EHLO … ------->|  5 recv   } per client       [W-T4a]
//!   |<------- 250 … --------|  6 send   }
//!   |         …             |
//!   |<------- 221 … --------|  7 close
//! ```

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use mail::sink::certificate;
use mail::sink::faults::Faults;
use mail::sink::maildir::Maildir;
use mail::sink::session::{Account, Next, Session, Settings, VARIABLE};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    // The sink finds all mistakes in the options before it accepts a client.
    let settings = Arc::new(prepare(&args)?);

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_STREAM: a dialogue needs every byte, and in order.
    // Python: socket.socket()  C: socket()
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Mail servers use port 25 among themselves, and clients send their mail
    // to port 587 or 465. Ports below 1024 need privileges, so this lab uses
    // 2525.                                                     (viva 11)
    // SO_REUSEADDR: bind() works at once after a restart.
    // Python: s.bind()  C: bind()
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // The kernel queues connections until accept(). If the queue is full, a
    // mail client cannot connect and tries again later, so no message is lost.
    // Python: s.listen()  C: listen()
    // send() fails if a client reads nothing for 30 s: on Linux the sockets
    // that accept() returns inherit both limits from the listening socket.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    net::allow_many_sockets();
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);
    introduce(&settings, &args);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // accept() returns a new socket for the client, and a new thread
        // serves it. So other clients need not wait for a long message.
        // Python: s.accept()  C: accept()
        match listener.accept() {
            Ok((client, peer)) => {
                let settings = settings.clone();
                clients.spawn(client, peer, move |client, peer| {
                    say!("[{peer}] connected");
                    converse(client, peer, &settings)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// Serves one client until QUIT, or until the connection ends.
fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    settings: &Settings,
) -> Result<()> {
    // TCP_NODELAY: the kernel sends each reply at once. Otherwise Nagle's
    // algorithm would hold back the second of two short replies.
    client.set_no_delay()?;
    let mut session = Session::new(client, peer, settings)?;
    let mut next = session.greet()?;
    let end = loop {
        match next {
            Next::Close(end) => break end,
            Next::Tls => session = session.start_tls()?,
            Next::Command => {}
        }
        next = session.turn()?;
    };

    // ---- 7 close() -------------------------------------------------------
    // The kernel sends FIN. The listening socket and the other clients'
    // sockets stay open. Python: s.close()  C: close()
    session.close();
    say!("[{peer}] {end}");
    Ok(())
}

/// Opens the folder and checks the options. A wrong option ends the program.
fn prepare(args: &Args) -> Result<Settings> {
    let faults = Faults::parse(&args.fail, &args.drop_after, &args.slow);
    let faults = faults.unwrap_or_else(|problem| args::usage(&problem));
    if args.tls && args.implicit_tls {
        args::usage(
            "--tls and --implicit-tls exclude each other: with --tls a client \
             asks for TLS, with --implicit-tls it starts at once",
        );
    }
    if args.password_file.is_some() && args.user.is_none() {
        args::usage("--password-file needs --user NAME");
    }
    if args.user.as_deref() == Some("") {
        args::usage("--user: the name must not be empty");
    }
    let file = args.password_file.as_deref();
    let account = args.user.clone().map(|user| Account::new(user, file));
    let account = account.transpose()?;
    let maildir = Maildir::open(&args.dir)?;
    let certificate = || {
        maildir.be_the_only_one_with_tls()?;
        certificate::config(Path::new(&args.dir), &args.host)
    };
    let tls = (args.tls || args.implicit_tls).then(certificate).transpose()?;
    let idle = args::in_range("--idle", args.idle, 1, 86_400);
    Ok(Settings {
        maildir,
        faults,
        tls,
        implicit: args.implicit_tls,
        account,
        max_size: args::in_range("--max-size", args.max_size, 1, 1 << 40),
        idle: Duration::from_secs(idle),
        quiet: args.quiet,
    })
}

/// Prints where messages go, and which options change the usual behaviour.
fn introduce(settings: &Settings, args: &Args) {
    say!("messages go to {}", args.dir);
    if settings.tls.is_some() {
        say!("clients trust it with SSL_CERT_FILE={}/cert.pem", args.dir);
    }
    if let Some(account) = &settings.account {
        if account.is_open() {
            say!("any password is accepted, because {VARIABLE} is not set");
        }
        if settings.tls.is_none() {
            warn!("warning: passwords are sent in the clear without --tls");
        }
    }
    let faults = [
        ("--fail", &args.fail),
        ("--drop-after", &args.drop_after),
        ("--slow", &args.slow),
    ];
    for (option, values) in faults {
        for value in values {
            say!("on request: {option} {value}");
        }
    }
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// The greeting for a client beyond `--max-clients`.
const NO_ROOM: &str = "421 4.3.2 too many clients, try again later\r\n";

/// Accepts mail for anybody and stores it in a folder. Nothing is sent on.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 2525; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// folder for the messages, a Maildir: mutt -f DIR reads it (default
    /// target/mail)
    #[argh(option, default = "\"target/mail\".into()")]
    dir: String,
    /// refuse: VERB=CODE, VERB=CODE*TIMES, rcpt=CODE:ADDRESS; VERB is
    /// greeting ehlo helo starttls auth mail rcpt data dot rset noop vrfy
    /// help quit; dot comes after the message (may be repeated)
    #[argh(option)]
    fail: Vec<String>,
    /// close the connection at VERB, without a reply (may be repeated)
    #[argh(option)]
    drop_after: Vec<String>,
    /// delay replies: SECONDS, or VERB=SECONDS (may be repeated)
    #[argh(option)]
    slow: Vec<String>,
    /// offer STARTTLS; the certificate is in the folder: cert.pem
    #[argh(switch)]
    tls: bool,
    /// TLS from the first byte, as on port 465
    #[argh(switch)]
    implicit_tls: bool,
    /// require a log-in with this name; the password is in the environment
    /// variable MAIL_SINK_PASSWORD; if that is not set, any password is
    /// accepted
    #[argh(option)]
    user: Option<String>,
    /// file whose first line is the password
    #[argh(option)]
    password_file: Option<String>,
    /// largest message in bytes (default 26214400, which is 25 MiB)
    #[argh(option, default = "25 << 20")]
    max_size: u64,
    /// seconds after which a silent client is disconnected (default 300, as
    /// RFC 5321 asks for)
    #[argh(option, hidden_help, default = "300")]
    idle: u64,
    /// clients served at the same time (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not print the dialogue
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "mail",
    role: Role::Server,
    port: 2525,
    steps: "socket bind listen accept recv send close",
    example: "mail-sink 127.0.0.1 2525 --dir target/mail",
};
