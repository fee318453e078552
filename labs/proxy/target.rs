//! Where a request goes. The request line decides and not the Host field,
//! because another program may look at only one of the two (RFC 9112, 3.2.2).
//!
//! ```text
//! GET http://host/path            absolute-form   what browsers send a proxy
//! GET /www.host.tld/path          path style      the companion's form
//! GET /path  Host: other          origin-form     a router redirected it here
//! CONNECT host:443                authority-form  a tunnel
//! GET http://proxy.local/         this proxy's own page
//! ```
//!
//! In path style the browser takes all sites for one site, with the proxy's
//! host and port. So path style needs a host name that no stranger controls: an
//! address, or localhost. If evil.example pointed to 127.0.0.1 (DNS rebinding),
//! a page of it could read the proxy's own page, with the URLs of all users.
//! [W-T3a] (viva 3)

use std::net::IpAddr;

use http::target::split_authority;
use http::{Fields, Request, Target};

use crate::errors::ErrorPage;

/// The host name of the proxy's own page.
const OWN_NAME: &str = "proxy.local";

/// What to do with a request.
#[derive(Debug, PartialEq)]
pub enum Route {
    /// Send the proxy's own page, at this path.
    Own(String),
    /// Answer `OPTIONS *`: it asks for the methods of the proxy itself.
    Options,
    /// Ask this origin.
    Forward(Destination),
    /// Ask this origin; the request was in path style.
    InPath(Destination),
    /// Open a tunnel to this host and port.
    Tunnel(Destination),
}

/// An origin, and the path of an object there.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Name or address, in lower case; an IPv6 address has its brackets.
    pub host: String,
    /// 80 if the URL names no port; 443 for a tunnel.
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
            return Err(ErrorPage::bad("No program can have port 0."));
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

    /// In path style a redirect must lead back into the path. For the browser
    /// `/x` is a path of this proxy, and `http://h/x` would leave the proxy.
    /// nginx calls this proxy_redirect.
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
        // Remove `.` and `..` here. Otherwise the browser would remove them,
        // together with the origin's name in front of them.
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
                // Host names another server: a router redirected it here.
                Some((name, port))
                    if port.unwrap_or(80) != own_port || !is_nobodys(name) =>
                {
                    Ok(own_or(Destination::new(host, 80, target)?))
                }
                // Host names this proxy, so the URL is in the path.
                _ => path_style(target),
            }
        }
    }
}

/// `/www.host.tld/path`; `/` asks for the proxy's own page.
fn path_style(target: &str) -> Result<Route, ErrorPage> {
    if matches!(target, "/" | ICON | "/json") {
        return Ok(Route::Own(target.into()));
    }
    Ok(match own_or(parse(target)?) {
        Route::Forward(destination) => Route::InPath(destination),
        own => own,
    })
}

/// Parses a URL, or a path that contains one: `http://host/path`, `/host/path`,
/// `/http://host/path`. The links of a page are relative to its last slash, so
/// the browser is redirected from `/host` to `/host/`.
pub fn destination(target: &str) -> Result<Destination, ErrorPage> {
    if target == ICON {
        return Err(ErrorPage::new(404, "This proxy has no icon."));
    }
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
        // In `/host/x?u=ftp://y` the scheme is a part of the query.
        Some((scheme, _)) if !scheme.contains(['/', '?']) => {
            return Err(not_http());
        }
        _ => url,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Destination::new(authority, 80, path)
}

/// A browser asks every server for its icon, and so it asks this proxy.
const ICON: &str = "/favicon.ico";

/// Is this an address, or a name that no stranger controls?
fn is_nobodys(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(OWN_NAME)
}

fn not_http() -> ErrorPage {
    ErrorPage::new(
        501,
        "The proxy fetches http:// URLs only. For https:// the client must \
         ask for a tunnel with CONNECT.",
    )
}

fn own_or(destination: Destination) -> Route {
    match destination.host == OWN_NAME {
        true => Route::Own(destination.path),
        false => Route::Forward(destination),
    }
}
