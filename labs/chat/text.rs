//! What of a line is shown: to the members, and on the client's screen.

use socketlab::console;

/// The line without what could drive a terminal: control characters are
/// escaped. A tab is one and does no harm.              [G-8d] (try 7)
pub fn readable(line: &[u8]) -> String {
    let parts = line.split(|&byte| byte == b'\t').map(console::escape);
    parts.collect::<Vec<_>>().join("\t")
}
