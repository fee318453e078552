//! A web server for many browsers at once, for handout W (Week 5), task 2.
//! once.rs is literally what the handout asks for. The client is any browser,
//! or client.rs. The README's "The path" follows a request through the modules.
//!
//! ```text
//! browsers                server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |--- GET /a HTTP/1.1 -->|  5 recv  }  session.rs, in a thread
//!   |<-- HTTP/1.1 200 OK ---|  6 send  }  per client; again and again
//!   |--- GET /b HTTP/1.1 -->|  5 recv  }  on the same connection
//!   |<-- 404 Not Found -----|  6 send  }                      [W-T2g]
//!   |<-------- FIN ---------|  7 close
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::Result;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::Clients;
use socketlab::net::{self, TcpSocket};
use web::files::Files;
use web::log::AccessLog;
use web::session::converse;
use web::site::{self, Site};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    let site = Arc::new(open_site(&args)?);

    // ---- 1 socket() ------------------------------------------------------
    // Python: socket(AF_INET, SOCK_STREAM)  C: socket(AF_INET, SOCK_STREAM, 0)
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Python: s.bind((host, port))  C: bind(s, &address, sizeof address)
    // A browser uses port 80 if the URL names no port. So the URL must name
    // every other port: http://127.0.0.1:8080/.         [W-T2i] (viva 8)
    // For browsers on other hosts, start with HOST 0.0.0.0. [W-T2h] (viva 16)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // Python: s.listen(1024)  C: listen(s, 1024)
    // The server disconnects a client that reads nothing for 30 s. It sets
    // both limits here, because on Linux each socket that accept() returns
    // inherits them from the listening socket.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    // TCP_NODELAY: the kernel sends a small response at once. Otherwise it
    // waits until the client has acknowledged the response before. On Linux
    // accepted sockets inherit this option too.                   (viva 9)
    listener.set_no_delay()?;
    net::allow_many_sockets();
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Python: client, peer = s.accept()  C: client = accept(s, &peer, &n)
        // Each client gets a thread. So a browser that connects and sends
        // nothing blocks only its own thread, and no other client waits.
        //                             [W-T2a] (viva 3) (viva 14) (try 3)
        match listener.accept() {
            Ok((client, peer)) => {
                let site = site.clone();
                clients.spawn(client, peer, move |client, peer| {
                    converse(client, peer, &site)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish_with(|| site.log.flush());
    Ok(())
}

/// Opens the root folder and the log, which all conversations share.
fn open_site(args: &Args) -> Result<Site> {
    let idle = args::in_range("--idle", args.idle, 1, 86_400);
    let head = args::in_range("--head", args.head, 1, 3_600);
    let root = args.root.clone().unwrap_or_else(site::sample_folder);
    Ok(Site {
        files: Files::open(&root)?,
        log: AccessLog::start(args.quiet)?,
        list: args.list,
        dotfiles: args.dotfiles,
        idle: Duration::from_secs(idle),
        head_deadline: Duration::from_secs(head),
    })
}

/// Connections that may wait for accept(). A browser opens six at once, so
/// 1024 are enough for about 170 browsers that connect at the same moment.
const BACKLOG: i32 = 1024;

/// The response to each client above the limit `--max-clients`.
const NO_ROOM: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    Content-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";

/// Serves the files below a folder over HTTP/1.1.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 8080; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// folder with the files (default labs/web/www)
    #[argh(option)]
    root: Option<PathBuf>,
    /// show the list of a folder that has no index.html
    #[argh(switch)]
    list: bool,
    /// also serve files whose names begin with a dot
    #[argh(switch)]
    dotfiles: bool,
    /// clients served at once (default 4096)
    #[argh(option, hidden_help, default = "4096")]
    max_clients: usize,
    /// close a connection after this many idle seconds (default 30)
    #[argh(option, hidden_help, default = "30")]
    idle: u64,
    /// seconds in which a complete head must arrive (default 10)
    #[argh(option, default = "10")]
    head: u64,
    /// write no access log
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "web",
    role: Role::Server,
    port: 8080,
    steps: "socket bind listen accept recv send close",
    example: "web-server 127.0.0.1 8080 --root labs/web/www",
};
