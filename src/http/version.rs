//! The version in a start line.

/// The versions that share this format. HTTP/2 and 3 are binary protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// One request a connection unless both say `keep-alive`.
    Http10,
    /// Connections are kept unless one says `close`.
    Http11,
}

impl Version {
    /// `HTTP/1.1`, as it stands in a start line.
    pub fn text(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}
