//! The request target has four forms (RFC 9112, section 3.2), and what a
//! program may be asked for depends on what it is:
//!
//! ```text
//! GET /a?b HTTP/1.1                 origin-form: to a server
//! GET http://host/a?b HTTP/1.1      absolute-form: to a proxy
//! CONNECT host:443 HTTP/1.1         authority-form: a tunnel, by a proxy
//! OPTIONS * HTTP/1.1                asterisk-form: the server as a whole
//! ```

/// A request target, taken apart but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query`
    Origin(&'a str),
    /// `scheme://authority/path?query`
    Absolute {
        /// `http`, in whatever case it came.
        scheme: &'a str,
        /// `host` or `host:port`; never with a user's name.
        authority: &'a str,
        /// `/path?query`; without its `/` where nothing stood between the
        /// authority and the query, or the end: `?query`, or "".
        path: &'a str,
    },
    /// `host:port`
    Authority(&'a str),
    /// `*`
    Asterisk,
}

impl<'a> Target<'a> {
    /// Takes a target apart, for this method. `None`: it has no such form.
    pub fn parse(method: &str, target: &'a str) -> Option<Target<'a>> {
        // Visible ASCII only. A fragment (#) is the browser's own business
        // and never sent; who sends one is confused or wants us to be.
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

/// `host:port` into host (brackets of an IPv6 address stay) and port. `None`
/// if it is not the syntax of RFC 3986: `user@host`, blanks, port 99999.
pub fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rfind(':') {
        // A colon inside [::1] is none that a port follows.
        Some(colon) if !authority.ends_with(']') => {
            let (host, port) = authority.split_at(colon);
            (host, port.get(1..))
        }
        _ => (authority, None),
    };
    let port = match port {
        None | Some("") => None, // "host:" is allowed and means no port
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').unwrap_or_default();
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    // unreserved, percent escapes, sub-delims
    !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_forms() {
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
    fn authorities() {
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
