//! Where a request is to go. What stands in the request line decides, not
//! the Host field: if the two differ, Host is somebody's mistake or trick.
//!
//! ```text
//! GET http://host/path            absolute-form   what browsers send a proxy
//! GET /www.host.tld/path          path style      the companion's form
//! GET /path  Host: other          origin-form     sent here by a router
//! CONNECT host:443                authority-form  a tunnel
//! GET http://proxy.local/         this proxy's own page
//! ```
//!
//! In path style all sites are one site for the browser: one host, one port.
//! So nobody may bring a name of his own for that host: a page of evil.example
//! whose name has come to mean 127.0.0.1 (DNS rebinding) could read our page
//! with all URLs of others. Addresses and localhost are nobody's.
//! [W-T3a] (viva 3)

use std::net::IpAddr;

use http::target::split_authority;
use http::{Request, Target};

use crate::errors::Problem;

/// The name under which the proxy itself is asked for its page.
pub const OWN_NAME: &str = "proxy.local";

/// What to do with a request.
#[derive(Debug, PartialEq)]
pub enum Route {
    /// Our own page, at this path.
    Own(String),
    /// `OPTIONS *`, which asks what the proxy itself can do.
    Options,
    /// Ask this origin.
    Forward(Destination),
    /// The same; its URL stood in the path of ours.
    InPath(Destination),
    /// Open a tunnel to this place.
    Tunnel(Destination),
}

/// An origin, and what is wanted from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Name or address, in lower case; an IPv6 address has its brackets.
    pub host: String,
    /// 80 unless the URL says otherwise.
    pub port: u16,
    /// `/path?query`, or `*`.
    pub path: String,
}

impl Destination {
    /// Parses `host` or `host:port`.
    fn new(
        authority: &str,
        port: u16,
        path: &str,
    ) -> Result<Destination, Problem> {
        let (host, given) = split_authority(authority)
            .ok_or_else(|| Problem::bad("The URL names no host."))?;
        let port = given.unwrap_or(port);
        if port == 0 {
            return Err(Problem::bad("Port 0 is nobody's."));
        }
        // "http://host?query" has an empty path, which is written as "/".
        let path = match path {
            "" => "/".to_string(),
            path if path.starts_with('?') => format!("/{path}"),
            path => path.to_string(),
        };
        Ok(Destination { host: host.to_ascii_lowercase(), port, path })
    }

    /// For the Host field: the port stands there if it is not 80.
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// `host:port`: who it is, for the pool.
    pub fn origin(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The whole URL: what it is, for the cache.
    pub fn url(&self) -> String {
        let path = if self.path == "*" { "" } else { &self.path };
        format!("http://{}{path}", self.authority())
    }
}

/// Finds the way; `own_port` is the one that this proxy listens on.
pub fn route(request: &Request, own_port: u16) -> Result<Route, Problem> {
    match request.target() {
        Target::Authority(authority) => {
            Ok(Route::Tunnel(Destination::new(authority, 443, "")?))
        }
        Target::Asterisk => Ok(Route::Options),
        Target::Absolute { scheme, authority, path } => {
            if !scheme.eq_ignore_ascii_case("http") {
                return Err(not_http());
            }
            let asterisk = request.method == "OPTIONS" && path.is_empty();
            let path = if asterisk { "*" } else { path };
            Ok(own_or(Destination::new(authority, 80, path)?))
        }
        Target::Origin(target) => {
            let host = request.fields.text("Host").unwrap_or_default();
            match split_authority(host) {
                // Host names another server: a router brought it here.
                Some((name, port))
                    if port.unwrap_or(80) != own_port || !is_nobodys(name) =>
                {
                    Ok(own_or(Destination::new(host, 80, target)?))
                }
                // Host is this proxy: the URL stands in the path.
                _ => path_style(target),
            }
        }
    }
}

/// `/www.host.tld/path`; a `/` alone asks for our own page.
fn path_style(target: &str) -> Result<Route, Problem> {
    let rest = target.strip_prefix('/').unwrap_or(target);
    // Many write the whole URL behind the slash.
    let rest = match rest.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", _)) => return Err(not_http()),
        _ => rest,
    };
    if rest.is_empty() {
        return Ok(Route::Own("/".into()));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A browser asks every server for its icon, also one that is a proxy.
    if matches!(rest, "favicon.ico" | "json") {
        return Ok(Route::Own(target.into()));
    }
    Ok(match own_or(Destination::new(authority, 80, path)?) {
        Route::Forward(destination) => Route::InPath(destination),
        own => own,
    })
}

/// A host that no name server can be told to lead to somebody else.
fn is_nobodys(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(OWN_NAME)
}

fn not_http() -> Problem {
    Problem::new(
        501,
        "Only http:// URLs are fetched here. For https:// the client asks \
         for a tunnel with CONNECT.",
    )
}

fn own_or(destination: Destination) -> Route {
    match destination.host == OWN_NAME {
        true => Route::Own(destination.path),
        false => Route::Forward(destination),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Result<Route, u16> {
        let head = format!("{text}\r\n\r\n");
        match Request::parse(head.as_bytes()) {
            Ok(request) => route(&request, 8888).map_err(|p| p.status),
            Err(fault) => panic!("{text}: {fault}"),
        }
    }

    fn forward(host: &str, port: u16, path: &str) -> Result<Route, u16> {
        let (host, path) = (host.into(), path.into());
        Ok(Route::Forward(Destination { host, port, path }))
    }

    #[test]
    fn the_url_wins_over_host() {
        let text = "GET HTTP://A.example:81?x HTTP/1.1\r\nHost: b.example";
        assert_eq!(ask(text), forward("a.example", 81, "/?x"));
    }

    #[test]
    fn the_companions_form() {
        let at = |path: &str| {
            ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost:8888"))
        };
        let in_path = |host: &str, port, path: &str| {
            let (host, path) = (host.into(), path.into());
            Ok(Route::InPath(Destination { host, port, path }))
        };
        let url = in_path("a.example", 80, "/x?y");
        assert_eq!(at("/a.example/x?y"), url);
        assert_eq!(at("/http://a.example/x?y"), url);
        let nested = in_path("a.example", 80, "/?u=http://b.example/");
        assert_eq!(at("/a.example?u=http://b.example/"), nested);
        assert_eq!(at("/https://a.example/"), Err(501));
        assert_eq!(at("/[::1]:81"), in_path("[::1]", 81, "/"));
        assert_eq!(at("/"), Ok(Route::Own("/".into())));
        assert_eq!(at("/proxy.local/json"), Ok(Route::Own("/json".into())));
        assert_eq!(at("//a.example/"), Err(400));
    }

    #[test]
    fn the_own_page_is_not_for_a_host_of_somebody_elses_naming() {
        for (host, own) in [
            ("127.0.0.1:8888", true),
            ("[::1]:8888", true),
            ("LocalHost:8888", true),
            ("proxy.local:8888", true),
            ("", true), // HTTP/1.0, by hand
            ("evil.example:8888", false),
            ("localhost.evil.example:8888", false),
            ("127.0.0.1.evil.example:8888", false),
        ] {
            let found = ask(&format!("GET /json HTTP/1.1\r\nHost: {host}"));
            let expected = Ok(Route::Own("/json".into()));
            assert_eq!(found == expected, own, "{host}");
        }
    }

    #[test]
    fn the_other_forms() {
        let text = "GET /x HTTP/1.1\r\nHost: a.example";
        assert_eq!(ask(text), forward("a.example", 80, "/x"));
        let text = "OPTIONS http://a.example HTTP/1.1\r\nHost: a.example";
        assert_eq!(ask(text), forward("a.example", 80, "*"));
        let text = "OPTIONS * HTTP/1.1\r\nHost: a.example";
        assert_eq!(ask(text), Ok(Route::Options));
        let text = "GET https://a.example/ HTTP/1.1\r\nHost: a.example";
        assert_eq!(ask(text), Err(501));
        let text = "GET http://a.example:0/ HTTP/1.1\r\nHost: a.example";
        assert_eq!(ask(text), Err(400));
    }
}
