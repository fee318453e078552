//! The command line, and what it asks for. Whatever is wrong with it ends
//! the program here, with status 2, before the client connects.

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

/// Sends one message by SMTP and shows the dialogue: C: is what we say, S:
/// what the server says. The text comes from stdin, until its end (Ctrl-D).
/// A password comes from $MAIL_PASSWORD, a file or a prompt, never from
/// here. Exit status 0: the server has taken it for everybody; 1: not, or
/// not for all; 2: this command line makes no sense.
#[derive(FromArgs, ArgsInfo)]
pub struct Args {
    /// the mail server's address or name (default 127.0.0.1: nothing leaves
    /// this machine)
    #[argh(positional)]
    pub host: String,
    /// its port: 587 and 465 at a provider (default 2525: our mail-sink)
    #[argh(positional)]
    pub port: Port,
    /// sender: ada@example.com, or 'Ada <ada@example.com>'
    #[argh(option)]
    from: String,
    /// recipients, with commas between; may be given again
    #[argh(option)]
    to: Vec<String>,
    /// recipients of a copy
    #[argh(option)]
    cc: Vec<String>,
    /// recipients whom the others do not see
    #[argh(option)]
    bcc: Vec<String>,
    /// the subject, in any script
    #[argh(option, default = "String::new()")]
    subject: String,
    /// a file to go with it; may be given again
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
    /// plain, login, or xoauth2 (the password is then a token) (default:
    /// plain, else login, as the server offers)
    #[argh(option)]
    auth: Option<Mechanism>,
    /// auto: STARTTLS where offered, TLS at once on port 465, in the clear
    /// only on this machine; starttls: or stop; implicit: at once; off: in
    /// the clear (default auto)
    #[argh(option, default = "TlsPolicy::Auto")]
    pub tls: TlsPolicy,
    /// the envelope's sender, where bounces go, if it is not --from's; ''
    /// for none
    #[argh(option)]
    envelope_from: Option<String>,
    /// our name after EHLO (default: our address, [127.0.0.1]; after HELO,
    /// which takes no address, this machine's name)
    #[argh(option)]
    helo: Option<String>,
    /// seconds to wait for each reply (default 30; 12 after DATA, 60 after
    /// the dot: a tenth of what RFC 5321 has)
    #[argh(option)]
    timeout: Option<f64>,
    /// send MAIL and all RCPT in one go where the server offers PIPELINING
    #[argh(switch)]
    pub pipeline: bool,
    /// print the outcome, and not the dialogue
    #[argh(switch, short = 'q')]
    pub quiet: bool,
}

/// The command line, understood.
pub struct Plan {
    /// The options that need no more than their own check.
    pub args: Args,
    /// How long to wait for each reply, if not as usual.
    pub timeout: Option<Duration>,
    /// The sender in MAIL FROM; without one, nobody is told of a failure.
    pub sender: Option<Address>,
    /// The account, if there is a log-in.
    pub login: Option<Login>,
    /// The message. It has no text yet.
    pub letter: Letter,
}

impl Plan {
    /// Our name after EHLO. Without one of its own, a machine gives its
    /// address in brackets (RFC 5321, 4.1.3).
    pub fn name(&self, local: IpAddr) -> String {
        match (&self.args.helo, local.to_canonical()) {
            (Some(name), _) => name.clone(),
            (None, IpAddr::V4(four)) => format!("[{four}]"),
            (None, IpAddr::V6(six)) => format!("[IPv6:{six}]"),
        }
    }

    /// Our name after HELO: a domain, because HELO knows no other names. A
    /// machine whose name is not a domain is `localhost`.
    pub fn domain(&self) -> String {
        let mut known = self.args.helo.clone().into_iter();
        let mut known = known.by_ref().chain([net::hostname()]);
        let fine = |name: &String| name.is_ascii() && !name.contains('_');
        let name = known.find(|name| fine(name) && is_domain(name));
        name.unwrap_or("localhost".to_string())
    }

    /// Does an address, or a ready header, need a server with SMTPUTF8?
    pub fn needs_utf8(&self) -> bool {
        if self.letter.ready.as_ref().is_some_and(ReadyMessage::needs_utf8) {
            return true;
        }
        let mut all = self.letter.recipients();
        all.extend(self.sender.iter().chain([&self.letter.from.address]));
        all.iter().any(|address| address.needs_utf8())
    }
}

/// Checks everything and reads password and files. What the user typed wrong
/// ends the program; the error is a certificate file that cannot be read.
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
        args::usage("to whom? --to bob@example.org");
    }
    or_usage("--subject", check_header("Subject", &args.subject));
    let sender = match args.envelope_from.as_deref() {
        None => Some(from.address.clone()),
        Some("") => None,
        Some(text) => Some(or_usage("--envelope-from", typed_address(text))),
    };
    if args.helo.as_ref().is_some_and(|name| !is_host_name(name)) {
        args::usage("--helo: a host name, or an address in brackets");
    }
    let no_text = args.subject.is_empty() && args.attach.is_empty();
    if args.eml.is_some() && !no_text {
        args::usage("--eml FILE is complete: no --subject, no --attach");
    }
    let ready = args.eml.as_deref().map(ReadyMessage::read);
    let ready = ready.map(|found| or_usage("--eml", found));
    let attachments = or_usage("--attach", Attachment::read_all(&args.attach));
    let login_option = args.auth.is_some() || args.password_file.is_some();
    if args.user.is_none() && login_option {
        args::usage("--auth and --password-file go with --user NAME");
    }
    let login = args.user.clone().map(|user| {
        if user.is_empty() || user.chars().any(char::is_control) {
            args::usage("--user: empty, or a control character in it");
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
