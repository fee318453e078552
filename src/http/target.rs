//! The request target has four forms (RFC 9112, section 3.2). The form depends
//! on whether the client talks to a server or to a proxy:
//!
//! ```text
//! GET /a?b HTTP/1.1                 origin-form: to a server
//! GET http://host/a?b HTTP/1.1      absolute-form: to a proxy
//! CONNECT host:443 HTTP/1.1         authority-form: a tunnel, by a proxy
//! OPTIONS * HTTP/1.1                asterisk-form: the server, not a file
//! ```

/// A request target, split into its parts but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query`
    Origin(&'a str),
    /// `scheme://authority/path?query`
    Absolute {
        /// `http`, upper and lower case unchanged.
        scheme: &'a str,
        /// `host` or `host:port`; never with a user's name.
        authority: &'a str,
        /// `/path?query`. If the target has no path, it is `?query` or "".
        path: &'a str,
    },
    /// `host:port`
    Authority(&'a str),
    /// `*`
    Asterisk,
}

impl<'a> Target<'a> {
    /// Splits a target, for this method. Returns `None` if the target has none
    /// of the four forms.
    pub fn parse(method: &str, target: &'a str) -> Option<Target<'a>> {
        // Only visible ASCII is allowed. A browser does not send the fragment
        // (after #). A client that sends it is faulty or an attacker.
        let odd = |byte: u8| !byte.is_ascii_graphic() || byte == b'#';
        if target.bytes().any(odd) {
            return None;
        }
        if method == "CONNECT" {
            let (_, port) = split_authority(target)?;
            return port.map(|_| Target::Authority(target));
        }
        if target.starts_with('/') {
            return Some(Target::Origin(target));
        }
        if target == "*" {
            return (method == "OPTIONS").then_some(Target::Asterisk);
        }
        let (scheme, rest) = target.split_once("://")?;
        let mut letters = scheme.bytes();
        if !letters.next()?.is_ascii_alphabetic()
            || !letters
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        split_authority(authority)?;
        Some(Target::Absolute { scheme, authority, path })
    }
}

/// Splits `host:port`. An IPv6 address keeps its brackets. Returns `None` if
/// the syntax is not that of RFC 3986 (spaces, port 99999) or names a user
/// (`user@host`).
pub fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rfind(':') {
        // No port follows a colon inside [::1].
        Some(colon) if !authority.ends_with(']') => {
            let (host, port) = authority.split_at(colon);
            (host, port.get(1..))
        }
        _ => (authority, None),
    };
    let port = match port {
        None | Some("") => None, // "host:" is allowed; it names no port
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
    };
    is_host(host).then_some((host, port))
}

/// Is this a name or an address? An IPv6 address must be in brackets.
fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').unwrap_or_default();
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    // RFC 3986: unreserved characters, percent escapes, sub-delims.
    !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_of_four_forms() {
        let get = |target| Target::parse("GET", target);
        assert_eq!(get("/a?b"), Some(Target::Origin("/a?b")));
        let absolute =
            Target::Absolute { scheme: "http", authority: "h:80", path: "/a" };
        assert_eq!(get("http://h:80/a"), Some(absolute));
        let absolute =
            Target::Absolute { scheme: "http", authority: "h", path: "?a" };
        assert_eq!(get("http://h?a"), Some(absolute));
        assert_eq!(get("*"), None);
        assert_eq!(Target::parse("OPTIONS", "*"), Some(Target::Asterisk));
        let tunnel = Target::parse("CONNECT", "h:443");
        assert_eq!(tunnel, Some(Target::Authority("h:443")));
        for wrong in ["", "a", "h:80", "/a b", "/a#b", "http://", "://h/"] {
            assert_eq!(get(wrong), None, "{wrong}");
        }
        assert_eq!(get("http://u@h/"), None);
        assert_eq!(Target::parse("CONNECT", "h"), None);
        assert_eq!(Target::parse("CONNECT", "/"), None);
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        assert_eq!(split_authority("h"), Some(("h", None)));
        assert_eq!(split_authority("h:80"), Some(("h", Some(80))));
        assert_eq!(split_authority("[::1]:80"), Some(("[::1]", Some(80))));
        assert_eq!(split_authority("[::1]"), Some(("[::1]", None)));
        for wrong in [
            "", ":80", "h:80:80", "::1", "a b", "u@h", "h:99999", "h:+8", "[h]",
        ] {
            assert_eq!(split_authority(wrong), None, "{wrong}");
        }
    }
}
