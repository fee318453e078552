//! Splits `scheme://user@host:port/path` into its parts: RFC 3986, as far as
//! these schemes need it. Parts of a URL go into commands, and a command ends
//! at CR LF. So `%0d%0a` in a path would begin a second command that the user
//! did not type. Therefore control characters are refused.
//!
//! ```text
//!   pop3s :// ann : secret @ [::1] : 995 /3
//!   scheme    user password  host    port path
//! ```

use percent_encoding::percent_decode_str;

/// The protocols of the handout's table, without SMTP. [T-M]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Pages.
    Http,
    /// Usenet news.
    Nntp,
    /// Files.
    Ftp,
    /// Mail, one mailbox.
    Pop3,
    /// Mail, mailboxes that stay on the server.
    Imap,
    /// A command line.
    Telnet,
    /// Menus and documents.
    Gopher,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    AtOnce,
    ByCommand, // if the user asks for it
    Never,
}

/// What the word before `://` means.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The word itself.
    pub name: &'static str,
    /// The protocol.
    pub protocol: Protocol,
    /// The port by agreement (IANA's list).
    pub port: u16,
    tls: Tls,
}

impl Scheme {
    const fn new(
        name: &'static str,
        protocol: Protocol,
        port: u16,
        tls: Tls,
    ) -> Scheme {
        Scheme { name, protocol, port, tls }
    }

    /// Is everything encrypted from the first byte on?
    pub fn is_tls(&self) -> bool {
        self.tls == Tls::AtOnce
    }

    /// Can TLS begin by a command of the protocol? The error says why not.
    pub fn check_starttls(&self) -> Result<(), String> {
        let name = self.name;
        match self.tls {
            Tls::ByCommand => Ok(()),
            Tls::AtOnce => Err(format!(
                "{name} is TLS from the first byte on: --starttls is for {}",
                name.trim_end_matches('s')
            )),
            Tls::Never => Err(format!("{name} has no command that begins TLS")),
        }
    }
}

/// All schemes of `fetch`: the handout's table, and those with TLS.
const SCHEMES: [Scheme; 12] = [
    Scheme::new("http", Protocol::Http, 80, Tls::Never),
    Scheme::new("https", Protocol::Http, 443, Tls::AtOnce),
    Scheme::new("nntp", Protocol::Nntp, 119, Tls::ByCommand),
    Scheme::new("nntps", Protocol::Nntp, 563, Tls::AtOnce),
    Scheme::new("ftp", Protocol::Ftp, 21, Tls::ByCommand), // 20: its data
    Scheme::new("ftps", Protocol::Ftp, 990, Tls::AtOnce),
    Scheme::new("pop3", Protocol::Pop3, 110, Tls::ByCommand),
    Scheme::new("pop3s", Protocol::Pop3, 995, Tls::AtOnce),
    Scheme::new("imap", Protocol::Imap, 143, Tls::ByCommand),
    Scheme::new("imaps", Protocol::Imap, 993, Tls::AtOnce),
    Scheme::new("telnet", Protocol::Telnet, 23, Tls::Never),
    Scheme::new("gopher", Protocol::Gopher, 70, Tls::Never),
];

/// The parts of a URL.
#[derive(Debug, PartialEq, Eq)]
pub struct Url {
    /// Which protocol.
    pub scheme: &'static Scheme,
    /// The user, decoded.
    pub user: Option<String>,
    /// A password in the URL, decoded; it should not be there.
    pub password: Option<String>,
    /// A name or address; IPv6 without its brackets.
    pub host: String,
    /// The port, or the scheme's own.
    pub port: u16,
    /// From the `/` on, as it was written.
    pub path: String,
}

/// Splits a URL. The error says what to write instead.
pub fn parse(text: &str) -> Result<Url, String> {
    let bad = |c: char| c.is_control() || c == ' ';
    if text.contains(bad) {
        let what = "a URL has no spaces and control characters: write %20";
        return Err(what.into());
    }
    let known = || SCHEMES.each_ref().map(|scheme| scheme.name).join(" ");
    let Some((name, rest)) = text.split_once("://") else {
        let known = known();
        return Err(format!(
            "'{text}' is not a URL: SCHEME://HOST, of {known}"
        ));
    };
    let name = name.to_ascii_lowercase();
    let Some(scheme) = SCHEMES.iter().find(|scheme| scheme.name == name) else {
        return Err(format!("no scheme {name}: there are {}", known()));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (user, password) = match user.and_then(|user| user.split_once(':')) {
        Some((user, password)) => (Some(user), Some(decode(password)?)),
        None => (user, None),
    };
    let user = match user.and_then(|user| user.split_once(";AUTH=")) {
        Some((user, "*")) => Some(user), // RFC 5092: any way of logging in
        Some(_) => return Err("of ;AUTH= there is * only".into()),
        None => user,
    };
    let user = user.filter(|user| !user.is_empty()).map(decode).transpose()?;
    let (host, port) = host_and_port(place, scheme.port)?;
    let path = path.split('#').next().unwrap_or_default().to_string();
    decode(&path.replace("%09", " "))?; // Gopher has tabs in its paths
    Ok(Url { scheme, user, password, host, port, path })
}

fn host_and_port(place: &str, port: u16) -> Result<(String, u16), String> {
    let (host, rest) = match place.strip_prefix('[') {
        Some(inner) => {
            let closed = inner.split_once(']');
            closed.ok_or("an IPv6 address ends with ]: [::1]")?
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => port,
        Some("") => port, // RFC 3986 lets it be left out
        Some(digits) => match digits.parse() {
            Ok(number @ 1..) if !digits.starts_with('+') => number,
            _ => return Err(format!("port '{digits}' is not 1 to 65535")),
        },
        None => return Err(format!("'{rest}' after the host: a port is :21")),
    };
    let strange = |c: char| !c.is_alphanumeric() && !"-._~:".contains(c);
    if host.is_empty() || host.contains(strange) {
        let what = "a host is a name or an address; IPv6 is in [ ]";
        return Err(format!("'{host}' is not a host: {what}"));
    }
    // DNS and certificates use ASCII for a name in another script.
    let host = match host.is_ascii() {
        true => host.to_string(),
        false => idna::domain_to_ascii(host)
            .map_err(|_| format!("'{host}' is not a name of a host"))?,
    };
    Ok((host, port))
}

/// `%41` is A. The result has no control character: see above.   (viva 3)
pub fn decode(text: &str) -> Result<String, String> {
    for rest in text.split('%').skip(1) {
        let digits = rest.get(..2).unwrap_or_default();
        if digits.len() < 2 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("'%{rest}': % needs two hex digits after it"));
        }
    }
    let bytes = percent_decode_str(text).collect::<Vec<u8>>();
    let found = bytes.iter().find(|byte| byte.is_ascii_control());
    if let Some(byte) = found {
        return Err(format!(
            "%{byte:02x} in a URL is refused: CR LF would begin a command of \
             its own, and no name has control characters"
        ));
    }
    String::from_utf8(bytes).map_err(|_| "after %, UTF-8 is needed".into())
}
