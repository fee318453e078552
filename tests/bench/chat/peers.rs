//! The chat servers that the benchmark compares, ours first: how each is
//! started, and how one speaks to it.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::geteuid;

use crate::servers::{self, Cpus, Server};

/// How long a server may take to close.
const GOODBYE: Duration = Duration::from_secs(5);

/// How a client logs in and speaks.
pub struct Manner {
    /// What the server says first; empty for nothing.
    pub greeting: &'static str,
    /// What the client says (@ is its number) and what it waits for.
    pub login: &'static [(&'static str, &'static str)],
    /// What stands in front of and behind a text.
    pub before: &'static str,
    pub after: &'static str,
}

/// A kind of server.
pub struct Peer {
    pub name: &'static str,
    pub manner: &'static Manner,
    command: fn(port: u16, members: usize, folder: &Path) -> Command,
}

pub const OURS: Peer = Peer {
    name: "ours",
    manner: &Manner {
        greeting: "Enter login name:",
        login: &[("m@\n", "Member count=")],
        before: "",
        after: "\n",
    },
    command: ours,
};

const NCAT: Peer = Peer {
    name: "ncat",
    manner: &Manner {
        greeting: "<announce>",
        login: &[],
        before: "",
        after: "\n",
    },
    command: ncat,
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
    command: inspircd,
};

/// All servers that can be started here; says which are not installed.
pub fn installed() -> Vec<Peer> {
    let folder = Path::new("");
    let mut peers = vec![OURS];
    for peer in [NCAT, INSPIRCD] {
        let mut command = (peer.command)(0, 0, folder);
        let program = command.get_program().to_os_string();
        command = Command::new(program);
        command.stdin(Stdio::null()).arg("--version");
        match command.output() {
            Ok(_) => peers.push(peer),
            Err(_) => println!("skipped: install {}", peer.name),
        }
    }
    peers
}

impl Peer {
    /// A fresh server with room for so many members. `folder` is for its
    /// files and must outlive it.
    pub fn start(&self, cpus: &Cpus, members: usize, folder: &Path) -> Server {
        let address = servers::free_address();
        let command = (self.command)(address.port(), members, folder);
        // Says nothing and waits for the server to close, too: ncat does not
        // survive a client that leaves while it is being greeted.
        let answers = |address| {
            let mut client = TcpStream::connect(address)?;
            client.shutdown(Shutdown::Write)?;
            client.set_read_timeout(Some(GOODBYE))?;
            io::copy(&mut client, &mut io::sink()).map(drop)
        };
        Server::start(self.name, address, cpus, command, answers)
            .expect("it was installed a moment ago")
    }
}

fn ours(port: u16, members: usize, _: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.args(["127.0.0.1", &port.to_string(), "--quiet"]);
    command.args(["--max-clients", &(members + 10).to_string()]);
    command
}

fn ncat(port: u16, members: usize, _: &Path) -> Command {
    let mut command = Command::new("ncat");
    command.args(["-k", "-l", "--chat", "-m", &(members + 2).to_string()]);
    command.args(["127.0.0.1", &port.to_string()]);
    command
}

/// No log, no lookups, no flood limits; a queue of 1 MiB for each member, as
/// ours has.
fn inspircd(port: u16, _: usize, folder: &Path) -> Command {
    let config = folder.join("inspircd.conf");
    let text = INSPIRCD_CONFIG.replace("PORT", &port.to_string());
    if port != 0 {
        fs::write(&config, text).expect("a folder of our own");
    }
    // Often not in the PATH of those who are not root.
    let program = ["/usr/sbin/inspircd", "/usr/local/sbin/inspircd"];
    let program = program.iter().find(|file| Path::new(file).exists());
    let mut command = Command::new(program.unwrap_or(&"inspircd"));
    command.args(["--nofork", "--nolog", "--nopid", "--config"]).arg(config);
    if geteuid().is_root() {
        command.arg("--runasroot");
    }
    command
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
