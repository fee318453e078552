//! Sends a sentence, prints it in upper case. Handout W (Week 5), task 1
//! over UDP: its UDPClient [W-K1] [W-E1]. The other half is udp_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |       Input lowercase sentence:
//!   |  2 sendto - "hello" ->|  }
//!   |  3 recvfrom "HELLO" <-|  }    or silence: send it again
//!   |  4 close              |       nothing is sent
//! ```
//!
//! Unconnected, as in the handout: every sendto() names the server, and any
//! program that knows our port can send to it. So the client checks the sender.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM); // [W-T1.3]
    let wait = args::in_range("--wait", args.wait, 0, 3_600_000);
    let wait = Duration::from_millis(wait);
    let addresses = net::resolve(&args.host, args.port.0)?;

    console::prompt("Input lowercase sentence:");
    let Some(sentence) = console::read_stdin_line()? else { return Ok(()) };
    // Without a connection only a reply shows which address of a name is the
    // server's, so the client tries one after the other.
    let answer = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // SOCK_DGRAM: this argument chooses UDP.
        let socket = UdpSocket::new(address)?;
        let answer = ask(&socket, address, &sentence, wait, args.retry);

        // ---- 4 close() ---------------------------------------------------
        // Releases the port; nothing is sent.
        socket.close();
        answer
    })?;
    say!("{}", console::escape(&answer));
    Ok(())
}

/// Sends the sentence and waits for the reply, up to three times; with `retry`
/// for that many seconds.
fn ask(
    socket: &UdpSocket,
    server: SocketAddr,
    sentence: &[u8],
    wait: Duration,
    retry: u64,
) -> Result<Vec<u8>> {
    if wait.is_zero() {
        socket.sendto(sentence, server)?;
        let forever = receive(socket, server, None)?;
        return forever.ok_or_else(|| Error::other("no answer"));
    }
    let seconds = args::in_range("--retry", retry, 0, 3600);
    let attempts = u128::from(seconds) * 1000 / wait.as_millis().max(1);
    let attempts = attempts.max(ATTEMPTS);
    for attempt in 1..=attempts {
        // ---- 2 sendto() --------------------------------------------------
        // One datagram, also for an empty sentence. If it is too long, the call
        // fails with EMSGSIZE. Success does not mean that it arrived: without a
        // server on this port it is lost. [W-P2] [W-P3]
        socket.sendto(sentence, server)?; //                  (viva 3) (viva 4)

        // ---- 3 recvfrom() ------------------------------------------------
        // The server's host may report "port unreachable" by ICMP. This
        // socket may send to many hosts, so the kernel does not report it;
        // after connect() it would be ECONNREFUSED. The skeleton would wait
        // here without end.                            [W-P2] (try 3)
        let deadline = Instant::now() + wait;
        if let Some(answer) = receive(socket, server, Some(deadline))? {
            return Ok(answer);
        }
        warn!("no answer, attempt {attempt} of {attempts}");
    }
    Err(Error::other(format!(
        "no answer from {server}: no server has that port, or the datagrams \
         were lost; UDP does not tell which"
    )))
}

/// The next datagram of the server; `None` if there is none by the deadline.
fn receive(
    socket: &UdpSocket,
    server: SocketAddr,
    deadline: Option<Instant>,
) -> Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let now = Instant::now();
        let left = deadline.map(|end| end.saturating_duration_since(now));
        if left == Some(Duration::ZERO) {
            return Ok(None);
        }
        socket.set_recv_timeout(left)?;
        match socket.recvfrom(&mut buffer) {
            Ok((count, sender)) if sender == server => {
                let answer = buffer.get(..count).unwrap_or_default();
                return Ok(Some(answer.to_vec()));
            }
            Ok((_, sender)) => warn!("a datagram of {sender}, ignored"),
            Err(error) if error.is_timeout() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// How often the sentence is sent before the server counts as gone.
const ATTEMPTS: u128 = 3;

/// Large enough for any reply; the skeleton's 2048 would cut a longer one.
const BUFFER: usize = 65_536;

/// Asks for a sentence, sends it as one datagram, prints the answer.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12000)
    #[argh(positional)]
    port: Port,
    /// milliseconds to wait for an answer before sending again (default
    /// 1000; 0: send once and wait without limit, as the handout does)
    #[argh(option, default = "1000")]
    wait: u64,
    /// seconds to ask again while no reply comes (default 0: three times)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Client { server: Some("uppercase-udp-server") },
    port: 12000,
    steps: "socket sendto recvfrom close",
    example: "uppercase-udp-client 127.0.0.1 12000",
};
