//! The chat servers that the benchmark compares, ours first: how each is
//! started, and how a client talks to it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::geteuid;

use crate::kit::cpus::Cpus;
use crate::kit::server::{Server, configuration, free_address, installed};

/// How long a server may take to close.
const GOODBYE: Duration = Duration::from_secs(5);

/// How a client logs in and sends a line.
pub struct Manner {
    /// The server's first text; empty if it sends none.
    pub greeting: &'static str,
    /// What the client sends (@ is its number) and the reply it waits for.
    pub login: &'static [(&'static str, &'static str)],
    /// What precedes and what follows the text of a line.
    pub before: &'static str,
    pub after: &'static str,
}

/// A kind of server.
pub struct Peer {
    pub name: &'static str,
    pub manner: &'static Manner,
    program: &'static str,
    arguments: fn(&mut Command, SocketAddr, members: usize, folder: &Path),
}

pub const OURS: Peer = Peer {
    name: "ours",
    manner: &Manner {
        greeting: "Enter login name:",
        login: &[("m@\n", "Member count=")],
        before: "",
        after: "\n",
    },
    program: "chat-server",
    arguments: ours,
};

const NCAT: Peer = Peer {
    name: "ncat",
    manner: &Manner {
        greeting: "<announce>",
        login: &[],
        before: "",
        after: "\n",
    },
    program: "ncat",
    arguments: ncat,
};

const INSPIRCD: Peer = Peer {
    name: "inspircd",
    manner: &Manner {
        greeting: "",
        login: &[
            ("NICK m@\r\nUSER m 0 * :m\r\n", " 001 "),
            ("JOIN #room\r\n", " 366 "),
        ],
        before: "PRIVMSG #room :",
        after: "\r\n",
    },
    program: "inspircd",
    arguments: inspircd,
};

/// All servers that are installed; prints which are not.
pub fn all_installed() -> Vec<Peer> {
    let peers = [OURS, NCAT, INSPIRCD].into_iter();
    peers.filter(|peer| installed(peer.program).is_some()).collect()
}

impl Peer {
    /// A new server with room for this many members. `folder` is for its
    /// files and must outlive it.
    pub fn start(&self, cpus: &Cpus, members: usize, folder: &Path) -> Server {
        let mut command =
            installed(self.program).expect("all_installed() found it");
        let address = free_address();
        (self.arguments)(&mut command, address, members, folder);
        // Sends nothing, and waits until the server closes, too, because ncat
        // ends if a client leaves while ncat greets it.
        let answers = |address| {
            let mut client = TcpStream::connect(address)?;
            client.shutdown(Shutdown::Write)?;
            client.set_read_timeout(Some(GOODBYE))?;
            io::copy(&mut client, &mut io::sink()).map(drop)
        };
        Server::start(self.name, address, cpus, command, answers)
    }
}

fn ours(command: &mut Command, address: SocketAddr, members: usize, _: &Path) {
    let port = address.port().to_string();
    command.args(["127.0.0.1", &port, "--quiet"]);
    command.args(["--max-clients", &(members + 10).to_string()]);
}

fn ncat(command: &mut Command, address: SocketAddr, members: usize, _: &Path) {
    command.args(["-k", "-l", "--chat", "-m", &(members + 2).to_string()]);
    command.args(["127.0.0.1", &address.port().to_string()]);
}

/// No log, no lookups, no flood limits; a queue of 1 MiB for each member, as
/// ours has.
fn inspircd(
    command: &mut Command,
    address: SocketAddr,
    _: usize,
    folder: &Path,
) {
    let text = INSPIRCD_CONFIG.replace("PORT", &address.port().to_string());
    command.args(["--nofork", "--nolog", "--nopid", "--config"]);
    command.arg(configuration(folder, "inspircd.conf", text));
    if geteuid().is_root() {
        command.arg("--runasroot");
    }
}

const INSPIRCD_CONFIG: &str = r#"
<server name="irc.local" description="bench" network="bench" id="001">
<admin name="a" nick="a" email="a@irc.local">
<bind address="127.0.0.1" port="PORT" type="clients">
<connect name="all" allow="*" timeout="60" pingfreq="3600" fakelag="no"
  threshold="1000000" commandrate="100000000" recvq="1M" softsendq="1M"
  hardsendq="1M" localmax="20000" globalmax="20000" limit="20000"
  resolvehostnames="no" useident="no">
<class name="c">
<type name="t" classes="c">
<performance softlimit="12800" clonesonconnect="no" somaxconn="1024"
  netbuffersize="65534" quietbursts="yes">
"#;
