//! Which part of a line is shown, to the members and on the client's screen.

use socketlab::console;

/// The line with control characters escaped, because they could control a
/// terminal. A tab is harmless and stays. [G-8d] (try 7)
pub fn readable(line: &[u8]) -> String {
    let parts = line.split(|&byte| byte == b'\t').map(console::escape);
    parts.collect::<Vec<_>>().join("\t")
}
