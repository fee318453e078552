//! A web proxy for many browsers at once: handout W (Week 5), task 3. once.rs
//! is what the handout asks for, literally. The peers are any browser and any
//! origin. lib.rs lists the modules; the README follows one request.
//!
//! ```text
//! browsers              proxy (this program)        origin servers
//!   |                     |  1 socket 2 bind 3 listen     |
//!   |----- handshake ---->|  4 accept, a thread each      |
//!   | GET http://host/x ->|  5 recv                       |
//!   |                     |  6 connect, unless idle ----->|
//!   |                     |  7 send ---- GET /x --------->|
//!   |                     |  5 recv <------- the object --|
//!   |<------- the object -|  7 send                       |
//!   | GET http://other/y->|  5 recv  on the same connection
//!   |<-------- FIN -------|  8 close      [W-T3a] [W-T3b] [W-T3c]
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use proxy::hub::handle::Hub;
use proxy::rules::Rules;
use proxy::session::converse;
use proxy::turn::Settings;
use proxy::users::Users;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    // The kernel creates the TCP socket that will listen for browsers. The
    // sockets to origins are created in origin.rs.              (viva 1)
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The default is loopback, because strangers who can reach a proxy act
    // under its address.                                        (viva 7)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    let settings = Arc::new(settings(&args, listener.local_addr()?)?);

    // ---- 3 listen() ------------------------------------------------------
    // If a client acknowledges nothing for 30 s, the kernel ends its
    // connection. On Linux accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    // Small messages leave at once. On Linux accepted sockets inherit it.
    listener.set_no_delay()?;
    net::allow_many_sockets(); // two for each client
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    let hub = Hub::start(settings.cache * 1024 * 1024, args.quiet)?;
    net::announce(settings.rules.own);
    warn_of_strangers(&settings);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A thread for each client. It sleeps while its origin prepares the
        // response, and the other threads work.       [W-T3b] (viva 2)
        match listener.accept() {
            Ok((client, peer)) => {
                let (hub, settings) = (hub.clone(), settings.clone());
                clients.spawn(client, peer, move |client, peer| {
                    converse(client, peer, &hub, &settings)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish_with(|| hub.finish());
    Ok(())
}

/// Checks the options. A number out of its range ends the program.
fn settings(args: &Args, own: SocketAddr) -> Result<Settings> {
    let seconds = |name, value| {
        Duration::from_secs(args::in_range(name, value, 1, 86_400))
    };
    let mib = args::in_range("--cache-mib", args.cache_mib, 0, 65_536);
    Ok(Settings {
        rules: Rules {
            own,
            allow_private: args.allow_private || own.ip().is_loopback(),
        },
        users: args.user_file.as_deref().map(Users::read).transpose()?,
        tunnel_ports: [&TUNNEL_PORTS, args.connect_port.as_slice()].concat(),
        cache: if args.no_cache { 0 } else { mib },
        via: format!("socketlab-{:08x}", rand::random::<u32>()),
        patience: seconds("--patience", args.patience),
        idle: seconds("--idle", args.idle),
        tunnel_idle: seconds("--tunnel-idle", args.tunnel_idle),
        max_body: match args.max_body {
            0 => u64::MAX,
            mib => mib.saturating_mul(1024 * 1024),
        },
    })
}

/// Warns if other machines can use this proxy.
fn warn_of_strangers(settings: &Settings) {
    match (settings.rules.own.ip().is_loopback(), &settings.users) {
        (true, _) => {}
        (false, None) => {
            warn!(
                "warning: this is an open proxy. Everybody who can reach it \
                 browses under this machine's address."
            );
        }
        (false, Some(_)) => warn!(
            "warning: Basic does not encrypt. Everybody who sees the traffic \
             can read the passwords of --user-file."
        ),
    }
}

/// Connections that may wait for accept(). A browser opens dozens at once.
const BACKLOG: i32 = 1024;

/// Tunnels may lead to the ports of HTTPS only. With all ports, strangers could
/// send mail under the proxy's address.
const TUNNEL_PORTS: [u16; 2] = [443, 8443];

/// The response to a client above `--max-clients`.
const NO_ROOM: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    Content-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";

/// Fetches for browsers: http:// with a cache, https:// through tunnels.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 8888; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// mebibytes of memory for cached responses (default 32)
    #[argh(option, default = "32")]
    cache_mib: usize,
    /// cache no responses
    #[argh(switch)]
    no_cache: bool,
    /// one more port to which CONNECT may lead, besides 443 and 8443; may be
    /// given several times
    #[argh(option, hidden_help)]
    connect_port: Vec<u16>,
    /// file of the users that may use the proxy, one line `name:password` each
    #[argh(option)]
    user_file: Option<PathBuf>,
    /// allow private and loopback origins although others can use the proxy
    #[argh(switch)]
    allow_private: bool,
    /// seconds that an origin may be silent (default 60)
    #[argh(option, hidden_help, default = "60")]
    patience: u64,
    /// seconds without a request that end a connection (default 30)
    #[argh(option, hidden_help, default = "30")]
    idle: u64,
    /// seconds of silence on both sides that end a tunnel (default 300)
    #[argh(option, hidden_help, default = "300")]
    tunnel_idle: u64,
    /// largest body of a request, in mebibytes (default 0: no limit)
    #[argh(option, hidden_help, default = "0")]
    max_body: u64,
    /// clients served at the same time (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not print the log
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "proxy",
    role: Role::Server,
    port: 8888,
    steps: "socket bind listen accept recv connect send close",
    example: "proxy-server 127.0.0.1 8888",
};
