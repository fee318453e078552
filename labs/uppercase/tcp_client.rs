//! Sends a sentence, prints it in upper case. Handout W (Week 5), task 1
//! over TCP: its TCPClient [W-K3] [W-E3]. The other half is tcp_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|       then: Input lowercase sentence:
//!   |  3 send --- "hello" ->|  }
//!   |        ----- FIN ---->|  }    at the same time, by two threads
//!   |  4 recv <-- "HELLO" --|  }
//!   |        <---- FIN -----|  }    end of stream: all of the answer
//!   |  5 close              |
//! ```
//!
//! The skeleton's single recv(1024) prints only what came first. TCP does not
//! mark the end of a reply, so each side sends FIN after its last byte.

use std::net::Shutdown;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM); // [W-T1.3]
    let wait = args::in_range("--wait", args.wait, 1, 3_600_000);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let server = net::try_each_for(retry, &addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // SOCK_STREAM, where udp_client.rs has SOCK_DGRAM.           (viva 5)
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // If no server runs there, the kernel answers the SYN with RST, and the
        // program ends here, before it asks for a sentence. A firewall that
        // drops the SYN causes a timeout. [W-P1] [W-P3] (viva 2) (viva 8) The
        // kernel chooses the client's port here, so bind() is not needed. (viva
        // 6) The next line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;

    console::prompt("Input lowercase sentence:");
    let sentence = console::read_stdin_line()?.unwrap_or_default();
    if sentence.is_empty() {
        // The skeleton would send nothing and wait for an answer to it.
        warn!(
            "an empty sentence has no bytes, and TCP sends no segment for \
             them: there is nothing to answer"
        );
        server.close();
        return Ok(());
    }
    let expected = sentence.len();
    let writer = server.clone();
    thread::Builder::new()
        .name("sending".into())
        .spawn(move || {
            if let Err(error) = send_sentence(&writer, &sentence) {
                warn!("Error: {error}");
                process::exit(1);
            }
        })
        .map_err(|error| Error::new("spawn", "sending", error))?;
    let deadline = Instant::now() + Duration::from_millis(wait);
    let answer = read_answer(&server, expected, deadline)?;
    if let Some(reason) = refusal(&answer) {
        return Err(Error::other(format!("the server refused: {reason}")));
    }
    let line = answer.strip_suffix(b"\n").unwrap_or(&answer);
    say!("From Server: {}", console::escape(line));

    // ---- 5 close() -------------------------------------------------------
    // FIN was sent by the half-close; this only releases the descriptor.
    server.close();
    if answer.len() < expected {
        return Err(Error::other(format!(
            "the server answered {} of {expected} bytes and closed. Does it \
             call recv() once? One recv is not one sentence.",
            answer.len()
        )));
    }
    Ok(())
}

/// Sends the sentence and closes our direction. It needs a thread of its own,
/// because a sentence of many megabytes would fill all buffers and block both
/// ends if nobody read the reply meanwhile.
fn send_sentence(server: &TcpSocket, sentence: &[u8]) -> Result<()> {
    // ---- 3 send() --------------------------------------------------------
    // The typed bytes without the newline. send() may accept only a part;
    // send_all() repeats it, like Python's sendall(). (viva 10)
    let sent = server.send_all(sentence);
    // Half-close: sends FIN, but the reply can still come.
    match sent.and_then(|()| server.shutdown(Shutdown::Write)) {
        // The server closed early; main prints what it had sent.
        Err(error) if error.is_peer_gone() => Ok(()),
        done => done,
    }
}

/// The reason of a refusal, if the line is one: it has a newline and lower
/// case, which a reply to our sentence cannot have.
fn refusal(answer: &[u8]) -> Option<String> {
    let line = answer.strip_suffix(b"\n")?;
    let refused = line.iter().any(u8::is_ascii_lowercase);
    refused.then(|| console::message(line.trim_ascii()))
}

/// Everything that the server sends until it closes.
fn read_answer(
    server: &TcpSocket,
    expected: usize,
    mut deadline: Instant,
) -> Result<Vec<u8>> {
    let most = expected.saturating_mul(GROWTH).saturating_add(A_WORD);
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while answer.len() <= most {
        // ---- 4 recv() ----------------------------------------------------
        // Returns what has arrived, often a part; 0 is the server's FIN.
        match recv_by(deadline, server, &mut buffer) {
            Ok(0) => return Ok(answer),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                let was_short = answer.len() < expected;
                answer.extend_from_slice(bytes);
                if was_short && answer.len() >= expected {
                    deadline = deadline.min(Instant::now() + GRACE);
                }
            }
            // The server read a part of the sentence, replied to it and closed.
            // Unread bytes make its kernel send RST instead of FIN.
            Err(error) if error.is_peer_gone() && !answer.is_empty() => {
                warn!("{error}");
                return Ok(answer);
            }
            // The server still waits for more of the sentence.
            Err(error) if error.is_timeout() && answer.len() >= expected => {
                return Ok(answer);
            }
            Err(error) => return Err(error),
        }
    }
    Err(Error::other(format!(
        "the server sent more than {most} bytes for a sentence of {expected}"
    )))
}

/// recv() with one deadline for the complete reply. With a limit for each
/// recv() only, a server could block the client for days, with a byte now and
/// then.
fn recv_by(
    deadline: Instant,
    server: &TcpSocket,
    buffer: &mut [u8],
) -> Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let text = "timed out: the answer is not complete".into();
        return Err(Error::timed_out("recv", server.peer_addr()?, text));
    }
    server.set_recv_timeout(Some(left))?;
    server.recv(buffer)
}

/// How long to wait for the FIN of a server that has replied to every byte. It
/// may keep the connection open for a second sentence.
const GRACE: Duration = Duration::from_secs(1);

/// How much longer than the sentence a reply may be. A server that works on
/// text turns the two bytes of "ΐ" into six, and may add its own words.
const GROWTH: usize = 3;
const A_WORD: usize = 1024; // bytes

/// Asks for a sentence, prints what the server makes of it.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12000)
    #[argh(positional)]
    port: Port,
    /// milliseconds for the complete reply (default 60000, because a server may
    /// serve other clients first)
    #[argh(option, default = "60_000")]
    wait: u64,
    /// seconds to try again while the connection is refused (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Client { server: Some("uppercase-tcp-server") },
    port: 12000,
    steps: "socket connect send recv close",
    example: "uppercase-tcp-client 127.0.0.1 12000",
};
