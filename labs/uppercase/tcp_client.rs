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
//! The skeleton's single recv(1024) prints whatever came first. TCP does not
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
        // Here it ends when no server runs, or on another port: the SYN is
        // answered by RST, at once, before anybody was asked for a sentence;
        // a firewall would keep silent.     [W-P1] [W-P3] (viva 2) (viva 8)
        // Our own port is the kernel's choice, made here: no bind(). (viva 6)
        // On Linux connect() waits 10 s at most, and so does each send().
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
    // Our FIN left with the half-close; this gives the descriptor back.
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
    // Bytes as they were typed, without the newline. send() may take only a
    // part; send_all() repeats it, like Python's sendall().       (viva 10)
    let sent = server.send_all(sentence);
    // Half-close: our FIN, and the answer still comes.
    match sent.and_then(|()| server.shutdown(Shutdown::Write)) {
        // The server closed early: main prints what it said until then.
        Err(error) if error.is_peer_gone() => Ok(()),
        done => done,
    }
}

/// Why the server did not answer, if that is what its line says: we send no
/// newline, and an answer has no lower case.
fn refusal(answer: &[u8]) -> Option<String> {
    let line = answer.strip_suffix(b"\n")?;
    let refused = line.iter().any(u8::is_ascii_lowercase);
    refused.then(|| console::message(line.trim_ascii()))
}

/// Everything the server says until it closes.
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
        // Gives what has arrived, often a part; 0 is the server's FIN.
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
            // It read a part of our sentence, answered that and closed:
            // RST instead of FIN, because of the bytes left unread.
            Err(error) if error.is_peer_gone() && !answer.is_empty() => {
                warn!("{error}");
                return Ok(answer);
            }
            // It waits for a sentence that never comes.
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

/// recv() until one moment for the whole answer. A limit for each recv()
/// alone would let a server hold us for days, with a byte now and then.
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

/// How long to wait for the FIN of a server that has answered every byte: it
/// may keep the connection for a second sentence.
const GRACE: Duration = Duration::from_secs(1);

/// How much longer than the sentence an answer may be: a server that works
/// on text makes six bytes of the two of "ΐ", and may add words of its own.
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
    /// milliseconds that the whole answer may take (default 60000: a server
    /// that takes one client at a time may keep us waiting for a turn)
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
