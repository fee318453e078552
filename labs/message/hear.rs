//! How client.rs hears and prints what a server says. A foreign server may send
//! anything: text is shown as text, everything else in hexadecimal, so that
//! its format can be found out.                                   [D-T1.3]

use std::fmt::Write;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use socketlab::line::{LineReader, Received};
use socketlab::{Error, Result, console, say, warn};

/// Bytes in a line of a hexadecimal dump.
const WIDTH: usize = 16;

/// Prints one message of the server.
pub fn show(bytes: &[u8]) {
    if is_text(bytes) {
        say!("server: {}", console::escape(bytes));
    } else {
        say!("server: {} bytes, not text:{}", bytes.len(), hexdump(bytes));
    }
}

/// Is this a greeting that asks for a login? Says so.
pub fn wants_login(bytes: &[u8]) -> bool {
    let asks = bytes.starts_with(b"AUTH ");
    if asks {
        warn!("the server wants a login: see --auth in --help");
    }
    asks
}

fn is_text(bytes: &[u8]) -> bool {
    let odd = |c: char| c.is_control() && c != '\t' && c != '\r';
    str::from_utf8(bytes).is_ok_and(|text| !text.contains(odd))
}

/// `0000  48 69 00 ff  Hi..`, a line for every 16 bytes.
fn hexdump(bytes: &[u8]) -> String {
    let mut dump = String::new();
    for (row, chunk) in bytes.chunks(WIDTH).enumerate() {
        let _ = write!(dump, "\n  {:04x} ", row * WIDTH);
        for byte in chunk {
            let _ = write!(dump, " {byte:02x}");
        }
        let padding = 3 * (WIDTH - chunk.len()) + 2;
        let _ = write!(dump, "{:padding$}", "");
        dump.extend(chunk.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
    }
    dump
}

/// Set once we have said all: then a server that closes does as it should.
pub static LEAVING: AtomicBool = AtomicBool::new(false);

/// Prints what arrives, in a thread; the receiver ends when the server has
/// closed after us. If it closes before, nothing more can be sent.
pub fn listen(mut reader: LineReader) -> Result<Receiver<()>> {
    let (done, heard_all) = bounded::<()>(1);
    let work = move || {
        loop {
            match reader.read() {
                Ok(Received::Line(text) | Received::Unterminated(text)) => {
                    show(&text);
                    wants_login(&text);
                }
                Ok(Received::TooLong) => {}
                Err(error) if error.is_timeout() => {}
                _ if LEAVING.load(Ordering::Relaxed) => break,
                Ok(Received::End) => {
                    warn!("Error: the server has closed");
                    process::exit(1);
                }
                Err(error) => {
                    warn!("Error: {error}");
                    process::exit(1);
                }
            }
        }
        drop(done);
    };
    thread::Builder::new()
        .name("listening".into())
        .spawn(work)
        .map_err(|error| Error::new("spawn", "listening", error))?;
    Ok(heard_all)
}
