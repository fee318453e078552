//! The HTTP version in a start line.

/// The versions with this text format. HTTP/2 and HTTP/3 are binary protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// One request for each connection, unless both sides send `keep-alive`.
    Http10,
    /// A connection stays open unless a side sends `close`.
    Http11,
}

impl Version {
    /// The text in a start line: `HTTP/1.1`.
    pub fn text(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}
