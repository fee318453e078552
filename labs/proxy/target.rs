//! Where a request goes. The request line decides, not the Host field: if the
//! two differ, Host is a mistake or a trick.
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
//! So that host must not have a name that a stranger controls. If evil.example
//! came to mean 127.0.0.1 (DNS rebinding), its page could read our own page,
//! with the URLs of everybody. Nobody controls addresses and localhost.
//! [W-T3a] (viva 3)

use std::net::IpAddr;

use http::target::split_authority;
use http::{Fields, Request, Target};

use crate::errors::ErrorPage;

/// The name under which the proxy itself is asked for its page.
const OWN_NAME: &str = "proxy.local";

/// What to do with a request.
#[derive(Debug, PartialEq)]
pub enum Route {
    /// Our own page, at this path.
    Own(String),
    /// `OPTIONS *`, which asks what the proxy itself can do.
    Options,
    /// Ask this origin.
    Forward(Destination),
    /// The same; its URL was in the path of ours.
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
    /// Parses `host` or `host:port`, and the path after it.
    fn new(
        authority: &str,
        port: u16,
        path: &str,
    ) -> Result<Destination, ErrorPage> {
        let (host, given) = split_authority(authority)
            .ok_or_else(|| ErrorPage::bad("The URL names no host."))?;
        let port = given.unwrap_or(port);
        if port == 0 {
            return Err(ErrorPage::bad("Port 0 is nobody's."));
        }
        // "http://host?query" has an empty path, which is written as "/".
        let path = match path {
            "" => "/".to_string(),
            path if path.starts_with('?') => format!("/{path}"),
            path => path.to_string(),
        };
        Ok(Destination { host: host.to_ascii_lowercase(), port, path })
    }

    /// For the Host field: with the port if it is not 80.
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// `host:port`: the key of the pool.
    pub fn origin(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The complete URL: the key of the cache.
    pub fn url(&self) -> String {
        let path = if self.path == "*" { "" } else { &self.path };
        format!("http://{}{path}", self.authority())
    }

    /// In path style, a redirect of the origin must lead back into the path:
    /// for the browser, `/x` is a path of this proxy, and `http://h/x` would
    /// leave it. (nginx: proxy_redirect.)
    pub fn lead_back(&self, fields: &mut Fields) {
        for (name, mark) in [("Location", ""), ("Refresh", "url=")] {
            let Some(value) = fields.text(name) else { continue };
            let Some(at) = value.to_ascii_lowercase().find(mark) else {
                continue;
            };
            let (before, place) = value.split_at(at + mark.len());
            if let Some(place) = self.in_path(place) {
                fields.set(name, format!("{before}{place}"));
            }
        }
    }

    /// `place`, relative to this URL, as a path of this proxy; `None` if it
    /// is in another protocol.
    fn in_path(&self, place: &str) -> Option<String> {
        let special = place.find([':', '/', '?', '#']).unwrap_or(place.len());
        let (scheme, rest) = place.split_at(special);
        let rest = match rest.strip_prefix(':') {
            Some(rest) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return None,
            None => place,
        };
        if let Some(other) = rest.strip_prefix("//") {
            return Some(format!("/{other}"));
        }
        let end = place.find(['?', '#']).unwrap_or(place.len());
        let (path, query) = place.split_at(end);
        let base = self.path.split('?').next().unwrap_or_default();
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match path {
            "" => base.to_string(),
            path if path.starts_with('/') => path.to_string(),
            path => format!("{folder}/{path}"),
        };
        // The browser would go up with `..`, and out of this origin's path.
        let mut kept = Vec::new();
        let mut parts = path.split('/').skip(1).peekable();
        while let Some(part) = parts.next() {
            match part.to_ascii_lowercase().replace("%2e", ".").as_str() {
                "." => {}
                ".." => drop(kept.pop()),
                _ => {
                    kept.push(part);
                    continue;
                }
            }
            if parts.peek().is_none() {
                kept.push(""); // "a/.." is "", not "a"
            }
        }
        Some(format!("/{}/{}{query}", self.authority(), kept.join("/")))
    }
}

/// Decides where a request goes. `own_port`: where this proxy listens.
pub fn route(request: &Request, own_port: u16) -> Result<Route, ErrorPage> {
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
                // Host is this proxy: the URL is in the path.
                _ => path_style(target),
            }
        }
    }
}

/// `/www.host.tld/path`; a `/` alone asks for our own page.
fn path_style(target: &str) -> Result<Route, ErrorPage> {
    // A browser asks every server for its icon, and so it asks this proxy.
    if matches!(target, "/" | "/favicon.ico" | "/json") {
        return Ok(Route::Own(target.into()));
    }
    Ok(match own_or(parse(target)?) {
        Route::Forward(destination) => Route::InPath(destination),
        own => own,
    })
}

/// What a URL says, or a path that holds a URL: `http://host/path`,
/// `/host/path`, `/http://host/path`. Links of a page are relative to its
/// last slash, so that `/host` must become `/host/` in the browser.
pub fn destination(target: &str) -> Result<Destination, ErrorPage> {
    let destination = parse(target)?;
    let no_slash = destination.path == "/" && !target.ends_with('/');
    match target.starts_with('/') && no_slash {
        true => Err(ErrorPage::moved(format!("{target}/"))),
        false => Ok(destination),
    }
}

fn parse(target: &str) -> Result<Destination, ErrorPage> {
    let url = target.strip_prefix('/').unwrap_or(target);
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        // `/host/x?u=ftp://y` has none of its own.
        Some((scheme, _)) if !scheme.contains(['/', '?']) => {
            return Err(not_http());
        }
        _ => url,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Destination::new(authority, 80, path)
}

/// Is this a host whose meaning no stranger controls?
fn is_nobodys(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(OWN_NAME)
}

fn not_http() -> ErrorPage {
    ErrorPage::new(
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
