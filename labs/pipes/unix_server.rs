//! Echo over a Unix-domain socket: the calls of TCP, a path for an address,
//! both directions on one connection, and the kernel tells who the client
//! is. Beside the pipes of handout T [T-X3]. Peer: unix_client.rs.
//!
//! ```text
//! client                   server (this file)
//!   |                        |  1 socket   2 bind   3 listen
//!   |-- connect, no packet ->|  4 accept   pid, uid, gid of the client
//!   |------- "hello" ------->|  5 recv  }
//!   |<------ "hello" --------|  6 send  } in a thread per client
//!   |---- end of stream ---->|  7 close }
//!                            |  8 unlink   at the end: the path is a file
//! ```
//!
//! Nothing of it ever reaches a network card: write() copies into the buffer
//! that the other end reads from.

use pipes::{socket_file, unix_path};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::crowd::Crowd;
use pipes::peer::Peer;
use pipes::socket_file::SocketFile;
use rustix::fs::RawMode;
use rustix::process::geteuid;
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Program};
use socketlab::clients::MAX_CLIENTS;
use socketlab::net::{self, step};
use socketlab::{Result, console, say, warn};

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// A client that is silent for so long is sent home; one that does not read
/// holds its thread no longer than the second.
const IDLE: Duration = Duration::from_secs(600);
const SEND_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes asked for at once. Pages of it that are never filled cost nothing.
const CHUNK: usize = 64 * 1024;

const PROGRAM: Program = Program {
    lab: "pipes",
    role: "server",
    port: 0,
    steps: "socket bind listen accept recv send close unlink",
    example: "pipes-unix-server /tmp/socketlab.sock",
};

/// Echoes to programs of this machine, over a Unix-domain socket.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// path of the socket (default /tmp/socketlab.sock)
    #[argh(positional, default = "unix_path::DEFAULT.into()")]
    path: PathBuf,
    /// permissions of the socket's file, octal (default 600: only this user
    /// may connect; 666: everybody on this machine)
    #[argh(option, default = "Octal(0o600)")]
    mode: Octal,
    /// serve only clients of this user, whatever the permissions
    #[argh(switch)]
    only_me: bool,
    /// clients served at once (default 1024)
    #[argh(option, default = "MAX_CLIENTS")]
    max_clients: usize,
    /// do not print what is received
    #[argh(switch)]
    quiet: bool,
}

/// Permissions as chmod takes them.
struct Octal(RawMode);

impl FromStr for Octal {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Octal, String> {
        match RawMode::from_str_radix(word, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Octal(mode)),
            _ => Err(format!("'{word}' is no mode: 600, 660 or 666, say")),
        }
    }
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let path = &args.path;
    net::allow_many_sockets();

    // ---- 1 socket() ------------------------------------------------------
    // AF_UNIX for AF_INET: all that changes in a program, but for addresses.
    // SOCK_STREAM is a stream of bytes as TCP's, without segments. (viva 13)
    let listener = step("socket", None, "AF_UNIX, SOCK_STREAM, 0", || {
        Socket::new(Domain::UNIX, Type::STREAM, None)
    })?;

    // ---- 2 bind() --------------------------------------------------------
    // Makes a file of type socket. There is no SO_REUSEADDR that could help
    // with one that is left over from a run that was killed: socket_file.rs
    // finds out whose it is, and removes it if nobody's. (viva 15) (try 11)
    let mut file = socket_file::bind(&listener, path, args.mode.0)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here connect() succeeds, also before accept(). With the queue
    // full it waits, where TCP would drop the SYN.
    step("listen", Some(&listener), BACKLOG, || listener.listen(BACKLOG))?;
    file.listening();
    let listener = Arc::new(listener);
    let crowd = Crowd::new(&listener, args.max_clients)?;
    say!("listening on {}", path.display());
    if args.mode.0 & 0o022 != 0 && !args.only_me {
        warn!(
            "warning: mode {:03o}: other users of this machine can connect",
            args.mode.0
        );
    }

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A second socket, for this client alone. Its address is empty: a
        // client seldom binds. Who it is the kernel says.      (viva 14)
        let accepted = step("accept", Some(&listener), path.display(), || {
            listener.accept()
        });
        match accepted {
            Ok((client, _)) => welcome(client, &crowd, &args),
            Err(error) if crowd.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    crowd.finish();
    leave(&file);
    Ok(())
}

/// Lets a client in, or tells it why not.
fn welcome(client: Socket, crowd: &Crowd, args: &Args) {
    let Ok(peer) = Peer::of(&client) else {
        return; // it cannot be said who that is: closed
    };
    let (name, show) = (format!("pid {}", peer.pid), !args.quiet);
    if args.only_me && peer.uid != geteuid().as_raw() {
        say!("[{name}] turned away: uid {} is not mine", peer.uid);
        crowd.turn_away(client, "only for the user who runs me\n");
    } else if !crowd.has_room() {
        say!("[{name}] turned away: no room");
        crowd.turn_away(client, "no room, try again later\n");
    } else {
        say!("[{name}] connected: uid {}, gid {}", peer.uid, peer.gid);
        crowd.spawn(client, name, move |client, name| {
            converse(client, name, show)
        });
    }
}

/// Echoes to one client until it closes.
fn converse(client: Arc<Socket>, peer: &str, show: bool) -> Result<()> {
    step("setsockopt", Some(&client), "SO_RCVTIMEO", || {
        client.set_read_timeout(Some(IDLE))
    })?;
    step("setsockopt", Some(&client), "SO_SNDTIMEO", || {
        client.set_write_timeout(Some(SEND_DEADLINE))
    })?;
    let mut buffer = vec![0; CHUNK];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // What has arrived; 0: the client has closed its direction.
        let count =
            step("recv", Some(&client), peer, || (&*client).read(&mut buffer))?;
        if count == 0 {
            break;
        }
        let mut bytes = buffer.get(..count).unwrap_or_default();
        if show {
            let shown = console::escape_short(bytes, 60);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 6 send() ----------------------------------------------------
        // Back on the same connection: the way that a FIFO lacks.  (viva 12)
        while !bytes.is_empty() {
            let sent =
                step("send", Some(&client), peer, || (&*client).write(bytes))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
    }
    say!("[{peer}] left: end of stream");

    // ---- 7 close() -------------------------------------------------------
    // No FIN and no TIME_WAIT: the kernel has both ends.
    if let Some(client) = Arc::into_inner(client) {
        net::close(client);
    }
    Ok(())
}

/// The clean end: no name without a server behind it.
fn leave(file: &SocketFile) {
    // ---- 8 unlink() ------------------------------------------------------
    // The kernel does not do it: the file would outlive us as a FIFO does,
    // and be in the way of the next bind().                      (try 11)
    file.remove();
    console::last_line("bye");
}
