//! Fetches what a URL names, in the protocol that its scheme names: the rows of
//! handout T's table. [T-M] The other half is any server.
//!
//! ```text
//! fetch URL
//!   |  url.rs          scheme, user, host, port, path
//!   |  output.rs       stdout, or -o FILE
//!   |  connection.rs   socket connect send recv close, and TLS
//!   v
//! pop3.rs imap.rs ftp.rs nntp.rs gopher.rs telnet.rs http.rs
//!                      one protocol each: who says what, in which order
//! ```
//!
//! The dialogue is printed on stderr, `C:` for the client's lines, `S:` for the
//! server's, under the numbers of the protocol's steps. The result is printed
//! on stdout. Run: make fetch URL=gopher://127.0.0.1:7070/

use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use internet::connection::SHOWN;
use internet::job::Job;
use internet::url::{Protocol, Scheme};
use internet::{ftp, gopher, http, imap, login, nntp, pop3, telnet, url};
use socketlab::args::{self, Program, Role};
use socketlab::dialogue::Printer;
use socketlab::{Result, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let url = url::parse(&args.url).unwrap_or_else(|what| args::usage(&what));
    let scheme = url.scheme;
    check_tls(scheme, args.starttls)?;
    check_put(&args, scheme);
    if url.password.is_some() {
        login::warn_of_password_in_url();
    }
    // The dialogue goes to stderr, because stdout is for the result.
    let print: fn(&str) = |line| warn!("{line}");
    let job = Job {
        url,
        output: args.output,
        put: args.put,
        starttls: args.starttls,
        allow_clear: args.allow_clear,
        wait: Duration::from_secs(wait),
        printer: Printer::new((!args.quiet).then_some(print), SHOWN),
    };
    match scheme.protocol {
        Protocol::Pop3 => pop3::fetch(&job),
        Protocol::Imap => imap::fetch(&job),
        Protocol::Ftp => ftp::fetch(&job),
        Protocol::Nntp => nntp::fetch(&job),
        Protocol::Gopher => gopher::fetch(&job),
        Protocol::Telnet => telnet::fetch(&job),
        Protocol::Http => http::fetch(&job),
    }
}

/// Reports a wrong use of TLS before the client connects.
fn check_tls(scheme: &Scheme, starttls: bool) -> Result<()> {
    if starttls {
        scheme.check_starttls().unwrap_or_else(|what| args::usage(&what));
    }
    match starttls || scheme.is_tls() {
        true => tls::check_cert_file(),
        false => Ok(()),
    }
}

/// Only FTP stores files here.
fn check_put(args: &Args, scheme: &Scheme) {
    let ftp = scheme.protocol == Protocol::Ftp;
    match args.put.is_some() {
        true if !ftp => args::usage("--put FILE is for ftp:// and ftps://"),
        true if args.output.is_some() => args::usage(
            "--put FILE sends a file, -o FILE saves one: leave one out",
        ),
        _ => {}
    }
}

/// Fetches what a URL names: mail, news, a file, a menu, a page. The dialogue
/// is shown on stderr, the result goes to stdout. Paths: pop3://U@H/ lists,
/// /3 is message 3; imap://U@H/ lists mailboxes, /INBOX its messages,
/// '/INBOX/;UID=7' is one, '/INBOX?SUBJECT%20lunch' searches;
/// ftp://H/dir/ lists, /dir/file is a file;
/// nntp://H/ lists groups, /GROUP its articles, /GROUP/7 is one;
/// gopher://H/1/menu, /0/text. A password is asked for, or comes from
/// $FETCH_PASSWORD. $SSL_CERT_FILE names a certificate to trust.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// scheme://user@host:port/path, where the scheme is one of http https
    /// nntp nntps ftp ftps pop3 pop3s imap imaps telnet gopher
    #[argh(positional)]
    url: String,
    /// save the result in this file, which is there only when it is complete
    #[argh(option, short = 'o')]
    output: Option<PathBuf>,
    /// store this file at an ftp URL; in a folder it keeps its name
    #[argh(option)]
    put: Option<PathBuf>,
    /// begin TLS with the protocol's own command (STARTTLS, STLS, AUTH TLS);
    /// a server that refuses is an error
    #[argh(switch)]
    starttls: bool,
    /// send a password unencrypted, also to another machine
    #[argh(switch)]
    allow_clear: bool,
    /// do not print the dialogue
    #[argh(switch, hidden_help, short = 'q')]
    quiet: bool,
    /// seconds that the server may be silent (default 30)
    #[argh(option, default = "30")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "internet",
    role: Role::Client { server: None },
    port: 0, // it is in the URL
    steps: "socket connect send recv close",
    example: "fetch pop3://ann@127.0.0.1:11000/1",
};
