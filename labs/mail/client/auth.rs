//! The log-in: SMTP's AUTH command, with three mechanisms.
//!
//! ```text
//! AUTH PLAIN   C: AUTH PLAIN base64(\0 ada \0 secret)
//!              S: 235
//! AUTH LOGIN   C: AUTH LOGIN
//!              S: 334 VXNlcm5hbWU6     "Username:"
//!              C: base64(ada)
//!              S: 334 UGFzc3dvcmQ6     "Password:"
//!              C: base64(secret)
//!              S: 235
//! AUTH XOAUTH2 C: AUTH XOAUTH2 base64(user=ada^Aauth=Bearer TOKEN^A^A)
//!              S: 235, or 334 base64({"status":"400",…}): answer with
//!                 an empty line, then comes 535
//! ```
//!
//! Base64 is an encoding, not encryption: anybody who sees these lines can
//! read the password. So the client does not send them in the clear, unless
//! the server is on this machine, and never prints them.
//!                                            (viva 6) (try 7) [W-T4b]
//!
//! The password comes from a file that only the user can read, from the
//! environment, or from a prompt that does not show it. It never comes from
//! the command line, because `ps -ef` shows that to every user of the machine
//! and the shell stores it in its history.                        (viva 17)

use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use socketlab::secret::{self, Answer};
use socketlab::{args, console};

use super::outcome::{self, Failure, Step};
use super::wire::Wire;
use crate::smtp::verb::Verb;

/// Longest command line in bytes. A first answer that makes the line longer
/// is sent on a line of its own.
const LONGEST_COMMAND: usize = 510;

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Name and password at once (RFC 4616).
    Plain,
    /// Name and password on two lines: older, and never a standard.
    Login,
    /// A token instead of the password, for Google and Microsoft.
    Xoauth2,
}

/// Who logs in.
pub struct Login {
    /// The account's name, usually the complete address.
    pub user: String,
    /// The password, or for XOAUTH2 the token.
    pub secret: String,
    /// The mechanism that the user asked for, if any.
    pub wanted: Option<Mechanism>,
}

/// The environment variable that may hold the password.
const VARIABLE: &str = "MAIL_PASSWORD";

/// Longest password in bytes. Microsoft's tokens have about 2,500.
const LONGEST_PASSWORD: usize = 16 * 1024;

/// The password of `user`: from the file, else from the environment, else
/// from the prompt. A password that cannot be used is a usage error.
pub fn password(user: &str, file: Option<&Path>) -> String {
    let found = match (file, secret::from_environment(VARIABLE)) {
        (Some(file), _) => secret::from_file(file, LONGEST_PASSWORD)
            .map_err(|error| error.to_string()),
        (None, Some(value)) => Ok(value),
        (None, None) => ask(user).map(String::into_bytes),
    };
    let checked = found.and_then(|bytes| {
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| "the password is not UTF-8")?;
        match (1..=LONGEST_PASSWORD).contains(&text.len()) {
            true if !text.contains(char::is_control) => Ok(text),
            true => Err("the password has a control character".into()),
            false => Err("the password must have 1 to 16384 bytes".into()),
        }
    });
    checked.unwrap_or_else(|problem| args::usage(&problem))
}

/// Asks at the terminal, /dev/tty, because stdin is the message.
fn ask(user: &str) -> Result<String, String> {
    outcome::watch_signals();
    match secret::ask(&format!("password of {user} (not shown): ")) {
        Ok(Answer::Typed(password)) => Ok(password),
        Ok(Answer::Interrupted | Answer::End) => {
            Err("no password was given".to_string())
        }
        Ok(Answer::NoTerminal) => Err(format!(
            "there is no terminal to ask for {user}'s password: set \
             {VARIABLE}, or use --password-file FILE"
        )),
        Err(error) => Err(error.to_string()),
    }
}

impl Mechanism {
    const ALL: [Mechanism; 3] =
        [Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2];

    fn name(self) -> String {
        format!("{self:?}").to_uppercase()
    }

    fn is(self, word: &str) -> bool {
        self.name().eq_ignore_ascii_case(word)
    }
}

impl FromStr for Mechanism {
    type Err = String;

    fn from_str(word: &str) -> Result<Mechanism, String> {
        let found = Mechanism::ALL.into_iter().find(|one| one.is(word));
        found.ok_or(format!("'{word}' is not one of plain, login, xoauth2"))
    }
}

/// The mechanism that both sides support: the one that the user asked for,
/// else PLAIN, else LOGIN. XOAUTH2 needs a token instead of a password, so it
/// is used only if the user asks for it.
pub fn choose(
    wanted: Option<Mechanism>,
    offered: &[String],
) -> Result<Mechanism, String> {
    let has = |one: &Mechanism| offered.iter().any(|word| one.is(word));
    let order = match wanted {
        Some(one) => vec![one],
        None => vec![Mechanism::Plain, Mechanism::Login],
    };
    order.iter().copied().find(has).ok_or_else(|| {
        let names: Vec<_> = order.iter().map(|one| one.name()).collect();
        let names = names.join(" or ");
        match offered {
            [] => "the server does not offer a log-in (AUTH) on this port. \
                   Use port 587 with --tls starttls, or 465 with --tls implicit"
                .to_string(),
            _ => format!(
                "the server offers AUTH {}, not {names}",
                console::escape_short(offered.join(" ").as_bytes(), 200)
            ),
        }
    })
}

/// The client's answers in order, each with the text that is printed instead.
/// Servers word their questions differently, but ask in the same order.
fn answers(mechanism: Mechanism, login: &Login) -> Vec<(String, &'static str)> {
    let Login { user, secret, .. } = login;
    let code = |text: &str| STANDARD.encode(text);
    match mechanism {
        Mechanism::Plain => {
            vec![(code(&format!("\0{user}\0{secret}")), "********")]
        }
        Mechanism::Login => vec![
            (code(user), "******** (the user name)"),
            (code(secret), "******** (the password)"),
        ],
        // A second question contains the error. The client answers it with
        // an empty line, and then the server refuses.
        Mechanism::Xoauth2 => {
            let first = format!("user={user}\x01auth=Bearer {secret}\x01\x01");
            vec![(code(&first), "********"), (String::new(), "")]
        }
    }
}

/// Logs in. The log-in succeeds only with the reply 235.
pub fn authenticate(
    wire: &mut Wire,
    login: &Login,
    mechanism: Mechanism,
) -> Step<()> {
    let answers = answers(mechanism, login);
    // A server may repeat the secrets, so they are masked in replies, too.
    let secrets = [&login.user, &login.secret].map(|s| STANDARD.encode(s));
    let texts = answers.iter().map(|(text, _)| text.clone());
    wire.hide(secrets.into_iter().chain(texts).chain([login.secret.clone()]));
    let mut answers = answers.into_iter().peekable();
    let mut command = format!("AUTH {}", mechanism.name());
    let mut shown = command.clone();
    // The first answer is part of the command, unless the line is too long.
    let fits = |(first, _): &(String, &str)| {
        mechanism != Mechanism::Login
            && command.len() + 1 + first.len() <= LONGEST_COMMAND
    };
    if let Some((first, mask)) = answers.next_if(fits) {
        command = format!("{command} {first}");
        shown = format!("{shown} {mask}");
    }
    wire.send_masked(&command, &shown)?;
    let mut reply = wire.read_reply(Verb::Auth)?;
    // A mechanism has two questions at most. The client answers a third one
    // with `*`, which ends the log-in.
    for _ in 0..3 {
        if reply.code != 334 {
            break;
        }
        let question = reply.lines.first().map(String::as_str);
        let question = STANDARD.decode(question.unwrap_or_default());
        wire.note(&console::escape_short(&question.unwrap_or_default(), 200));
        let give_up = ("*".to_string(), "*");
        let (answer, mask) = answers.next().unwrap_or(give_up);
        wire.send_masked(&answer, mask)?;
        reply = wire.read_reply(Verb::Auth)?;
    }
    match reply.code {
        235 => Ok(()),
        _ => Err(Failure::refused("AUTH", &reply)),
    }
}
