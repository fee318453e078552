//! The command line and its checks. A mistake in it ends the program with
//! status 2 before the client connects.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port};
use socketlab::{Result, net};

use super::auth::{self, Login, Mechanism};
use super::eml::ReadyMessage;
use super::mailbox::{Mailbox, typed_address};
use super::message::{Attachment, Letter, check_header};
use super::tls_policy::TlsPolicy;
use crate::smtp::address::{Address, is_domain, is_host_name};

/// Sends one message by SMTP and shows the dialogue. C: marks the client's
/// lines, S: the server's. The client reads the text from stdin until end of
/// file (Ctrl-D). The password comes from $MAIL_PASSWORD, a file or a prompt,
/// never from the command line. Exit status 0: the server has accepted the
/// message for all recipients. 1: not for all. 2: a mistake on the command
/// line.
#[derive(FromArgs, ArgsInfo)]
pub struct Args {
    /// address or name of the mail server (default 127.0.0.1, so that nothing
    /// leaves this machine)
    #[argh(positional)]
    pub host: String,
    /// its port: 587 or 465 at a provider (default 2525, as mail-sink)
    #[argh(positional)]
    pub port: Port,
    /// sender: ada@example.com, or 'Ada <ada@example.com>'
    #[argh(option)]
    from: String,
    /// recipients, separated by commas (may be repeated)
    #[argh(option)]
    to: Vec<String>,
    /// recipients of a copy
    #[argh(option)]
    cc: Vec<String>,
    /// recipients that the others do not see
    #[argh(option)]
    bcc: Vec<String>,
    /// the subject, in any language
    #[argh(option, default = "String::new()")]
    subject: String,
    /// a file to send with the message (may be repeated)
    #[argh(option)]
    attach: Vec<PathBuf>,
    /// send this file, a complete message with its header, instead of stdin;
    /// its Bcc line is removed
    #[argh(option)]
    eml: Option<PathBuf>,
    /// the account to log in with, usually the complete address
    #[argh(option)]
    user: Option<String>,
    /// a file whose first line is the password
    #[argh(option)]
    password_file: Option<PathBuf>,
    /// mechanism: plain, login, or xoauth2 with a token as password (default:
    /// plain if the server offers it, else login)
    #[argh(option, hidden_help)]
    auth: Option<Mechanism>,
    /// encryption. auto: TLS at once on port 465, else STARTTLS; in the clear
    /// only to this machine. starttls: STARTTLS, or stop. implicit: TLS at
    /// once. off: in the clear (default auto)
    #[argh(option, default = "TlsPolicy::Auto")]
    pub tls: TlsPolicy,
    /// the envelope's sender, to which bounces go (default: that of --from;
    /// '' for none)
    #[argh(option, hidden_help)]
    envelope_from: Option<String>,
    /// the client's name in EHLO (default: its address, such as [127.0.0.1];
    /// in HELO, which needs a domain, the name of this machine)
    #[argh(option, hidden_help)]
    helo: Option<String>,
    /// seconds to wait for each reply (default 30; 12 after DATA, 60 after
    /// the dot: a tenth of RFC 5321's)
    #[argh(option, hidden_help)]
    timeout: Option<f64>,
    /// send MAIL and all RCPT together if the server offers PIPELINING
    #[argh(switch, hidden_help)]
    pub pipeline: bool,
    /// print only the result, not the dialogue
    #[argh(switch, hidden_help, short = 'q')]
    pub quiet: bool,
}

/// The checked command line.
pub struct Plan {
    /// The options as they were typed.
    pub args: Args,
    /// How long to wait for each reply, if the user has set it.
    pub timeout: Option<Duration>,
    /// The sender in MAIL FROM. Without one, no server reports a failure.
    pub sender: Option<Address>,
    /// The account, if there is a log-in.
    pub login: Option<Login>,
    /// The message, still without its text.
    pub letter: Letter,
}

impl Plan {
    /// The client's name in EHLO. A machine without a domain name gives its
    /// address in brackets (RFC 5321, 4.1.3).
    pub fn name(&self, local: IpAddr) -> String {
        match (&self.args.helo, local.to_canonical()) {
            (Some(name), _) => name.clone(),
            (None, IpAddr::V4(four)) => format!("[{four}]"),
            (None, IpAddr::V6(six)) => format!("[IPv6:{six}]"),
        }
    }

    /// The client's name in HELO, which must be a domain. It is `localhost`
    /// if the name of this machine is not a domain.
    pub fn domain(&self) -> String {
        let mut known = self.args.helo.clone().into_iter();
        let mut known = known.by_ref().chain([net::hostname()]);
        let fine = |name: &String| name.is_ascii() && !name.contains('_');
        let name = known.find(|name| fine(name) && is_domain(name));
        name.unwrap_or("localhost".to_string())
    }

    /// Does an address, or the header of `--eml`, need SMTPUTF8?
    pub fn needs_utf8(&self) -> bool {
        if self.letter.ready.as_ref().is_some_and(ReadyMessage::needs_utf8) {
            return true;
        }
        let mut all = self.letter.recipients();
        all.extend(self.sender.iter().chain([&self.letter.from.address]));
        all.iter().any(|address| address.needs_utf8())
    }
}

/// Checks the command line, and reads the password and the files. A mistake
/// of the user ends the program. An error means that a certificate file
/// cannot be read.
pub fn plan(args: Args) -> Result<Plan> {
    if args.tls == TlsPolicy::Upgrade || args.tls.comes_first(args.port.0) {
        tls::check_cert_file()?;
    }
    let timeout = args.timeout.map(|seconds| {
        let seconds = args::in_range("--timeout", seconds, 0.1, 3600.0);
        Duration::from_secs_f64(seconds)
    });
    let from = or_usage("--from", Mailbox::parse(&args.from));
    let (to, cc, bcc) =
        (all("--to", &args.to), all("--cc", &args.cc), all("--bcc", &args.bcc));
    if to.is_empty() && cc.is_empty() && bcc.is_empty() {
        args::usage("no recipient is given: add --to bob@example.org");
    }
    or_usage("--subject", check_header("Subject", &args.subject));
    let sender = match args.envelope_from.as_deref() {
        None => Some(from.address.clone()),
        Some("") => None,
        Some(text) => Some(or_usage("--envelope-from", typed_address(text))),
    };
    if args.helo.as_ref().is_some_and(|name| !is_host_name(name)) {
        args::usage("--helo must be a host name or an address in brackets");
    }
    let no_text = args.subject.is_empty() && args.attach.is_empty();
    if args.eml.is_some() && !no_text {
        args::usage(
            "--eml FILE is a complete message: --subject and --attach cannot \
             change it",
        );
    }
    let ready = args.eml.as_deref().map(ReadyMessage::read);
    let ready = ready.map(|found| or_usage("--eml", found));
    let attachments = or_usage("--attach", Attachment::read_all(&args.attach));
    let login_option = args.auth.is_some() || args.password_file.is_some();
    if args.user.is_none() && login_option {
        args::usage("--auth and --password-file need --user NAME");
    }
    let login = args.user.clone().map(|user| {
        if user.is_empty() || user.chars().any(char::is_control) {
            args::usage("--user: the name is empty or has a control character");
        }
        let secret = auth::password(&user, args.password_file.as_deref());
        Login { user, secret, wanted: args.auth }
    });
    let (subject, body) = (args.subject.clone(), String::new());
    let letter =
        Letter { from, to, cc, bcc, subject, body, attachments, ready };
    Ok(Plan { args, timeout, sender, login, letter })
}

fn or_usage<T>(option: &str, found: std::result::Result<T, String>) -> T {
    found.unwrap_or_else(|why| args::usage(&format!("{option}: {why}")))
}

fn all(option: &str, lists: &[String]) -> Vec<Mailbox> {
    let lists = lists.iter().map(|list| Mailbox::parse_list(list));
    lists.flat_map(|found| or_usage(option, found)).collect()
}
