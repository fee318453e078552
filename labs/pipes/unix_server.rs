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

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::unix::{self, Credentials};
use rustix::fs::RawMode;
use rustix::process::geteuid;
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, step};
use socketlab::{Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let path = &args.path;
    net::allow_many_sockets();

    // ---- 1 socket() ------------------------------------------------------
    // AF_UNIX instead of AF_INET: nothing else changes in a program but the
    // addresses. SOCK_STREAM is a stream of bytes as TCP's.     (viva 13)
    let listener = step("socket", None, "AF_UNIX, SOCK_STREAM, 0", || {
        Socket::new(Domain::UNIX, Type::STREAM, None)
    })?;

    // ---- 2 bind() --------------------------------------------------------
    // Makes a file of type socket. SO_REUSEADDR does not help if a killed run
    // has left its file: unix.rs finds out whose it is, and removes it if it
    // is nobody's.                                    (viva 15) (try 11)
    let (name, lock) = unix::bind(&listener, path, args.mode)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here connect() succeeds, also before accept(). With the queue
    // full it waits, where TCP would drop the SYN.
    step("listen", Some(&listener), BACKLOG, || listener.listen(BACKLOG))?;
    drop(lock); // a second server finds us listening now
    let listener = Arc::new(listener);
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    say!("listening on {}", path.display());
    if args.mode & 0o022 != 0 && !args.only_me {
        warn!(
            "warning: mode {:03o}: other users of this machine can connect",
            args.mode
        );
    }

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A second socket, for this client alone. Its address is empty,
        // because a client seldom binds. The kernel says who it is. (viva 14)
        let accepted = step("accept", Some(&listener), path.display(), || {
            listener.accept()
        });
        match accepted {
            Ok((client, _)) => welcome(client, &clients, &args),
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish_with(|| {
        // ---- 8 unlink() --------------------------------------------------
        // The kernel does not do it: the file would outlive us as a FIFO
        // does, and be in the way of the next bind().            (try 11)
        name.remove();
    });
    Ok(())
}

/// Permissions as chmod takes them.
fn octal(word: &str) -> std::result::Result<RawMode, String> {
    match RawMode::from_str_radix(word, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err(format!("'{word}' is not a mode: give 600, 660 or 666, say")),
    }
}

/// Lets a client in, or tells it why not.
fn welcome(client: Socket, clients: &Clients, args: &Args) {
    let Ok(peer) = Credentials::of(&client) else {
        return; // it cannot be said who that is: closed
    };
    let (name, client) = (format!("pid {}", peer.pid), Arc::new(client));
    if args.only_me && peer.uid != geteuid().as_raw() {
        say!("[{name}] refused: uid {} is not mine", peer.uid);
        return clients.refuse(client, "only for the user who runs me\n");
    }
    let show = !args.quiet;
    clients.spawn(client, name, move |client, name| {
        say!("[{name}] connected: uid {}, gid {}", peer.uid, peer.gid);
        converse(client, &name, show)
    });
}

/// Echoes to one client until it closes.
fn converse(client: Arc<Socket>, peer: &str, show: bool) -> Result<()> {
    step("setsockopt", Some(&client), "SO_RCVTIMEO, SO_SNDTIMEO", || {
        client.set_read_timeout(Some(IDLE))?;
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
            let shown = console::message(bytes);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 6 send() ----------------------------------------------------
        // Copies into the buffer that the client reads from: no packet. The
        // reply uses the same connection, which a FIFO cannot do. (viva 12)
        while !bytes.is_empty() {
            let sent =
                step("send", Some(&client), peer, || (&*client).write(bytes))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
    }
    say!("[{peer}] {}", clients::end_of_stream());

    // ---- 7 close() -------------------------------------------------------
    // No FIN and no TIME_WAIT: the kernel has both ends.
    if let Some(client) = Arc::into_inner(client) {
        net::close(client);
    }
    Ok(())
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// A client that stays silent for this time is disconnected. A client that does
/// not read holds its thread for the next limit at most.
const IDLE: Duration = Duration::from_secs(600);
const SEND_DEADLINE: Duration = Duration::from_secs(30);

/// What a client reads when all slots are taken.
const NO_ROOM: &str = "no room, try again later\n";

/// Bytes asked for at once. Pages of it that are never filled cost nothing.
const CHUNK: usize = 64 * 1024;

/// Echoes to programs of this machine, over a Unix-domain socket.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// path of the socket (default /tmp/socketlab.sock)
    #[argh(positional, default = "unix::DEFAULT.into()")]
    path: PathBuf,
    /// permissions of the socket's file, octal (default 600: only this user
    /// may connect; 666: everybody on this machine)
    #[argh(option, default = "0o600", from_str_fn(octal))]
    mode: RawMode,
    /// serve only clients of this user, whatever the permissions
    #[argh(switch)]
    only_me: bool,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not print what is received
    #[argh(switch, hidden_help)]
    quiet: bool,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Server,
    port: 0,
    steps: "socket bind listen accept recv send close unlink",
    example: "pipes-unix-server /tmp/socketlab.sock",
};
