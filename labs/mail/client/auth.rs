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
//! Base64 is an alphabet and not encryption: whoever sees these lines has the
//! password. So the client sends none of them in the clear, unless the server
//! is on this machine, and prints none.       (viva 6) (try 7) [W-T4b]
//!
//! The password comes from a file that only the user can read, from the
//! environment, or from a prompt that does not show it. It never comes from
//! the command line: `ps -ef` shows that to every user of the machine, and
//! the shell keeps it in its history.                             (viva 17)

use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use socketlab::secret::{self, Answer};
use socketlab::{args, console};

use super::outcome::Failure;
use super::wire::Wire;
use crate::smtp::verb::Verb;

/// Octets of a command line: a longer first answer is sent on its own line.
const LONGEST_COMMAND: usize = 510;

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Name and password at once (RFC 4616).
    Plain,
    /// The same in two lines: older, and never a standard.
    Login,
    /// A token instead of the password; Google's and Microsoft's way.
    Xoauth2,
}

/// Who logs in.
pub struct Login {
    /// The account's name, mostly the whole address.
    pub user: String,
    /// The password, or for XOAUTH2 the token.
    pub secret: String,
    /// The way that the user asked for.
    pub wanted: Option<Mechanism>,
}

/// The environment variable that may hold the password.
const VARIABLE: &str = "MAIL_PASSWORD";

/// Bytes of a password; Microsoft's tokens have about 2,500.
const LONGEST_PASSWORD: usize = 16 * 1024;

/// The password of `user`, from the first source that is there. A mistake in
/// it is a usage error.
pub fn password(user: &str, file: Option<&Path>) -> String {
    let found = match (file, secret::from_environment(VARIABLE)) {
        (Some(file), _) => secret::from_file(file, LONGEST_PASSWORD)
            .map_err(|error| error.to_string()),
        (None, Some(value)) => Ok(value),
        (None, None) => ask(user).map(String::into_bytes),
    };
    let checked = found.and_then(|bytes| {
        let fail = |why: String| Err(why);
        let Ok(password) = String::from_utf8(bytes) else {
            return fail("the password is not UTF-8".into());
        };
        match () {
            () if password.is_empty() => fail("an empty password".into()),
            () if password.len() > LONGEST_PASSWORD => fail(format!(
                "a password of more than {LONGEST_PASSWORD} bytes"
            )),
            () if password.chars().any(char::is_control) => {
                fail("a control character in the password".into())
            }
            () => Ok(password),
        }
    });
    checked.unwrap_or_else(|problem| args::usage(&problem))
}

/// Asks at the terminal, /dev/tty, because stdin is the message.
fn ask(user: &str) -> Result<String, String> {
    match secret::ask(&format!("password of {user} (not shown): ")) {
        Ok(Answer::Typed(password)) => Ok(password),
        Ok(Answer::Interrupted | Answer::End) => {
            Err("no password was given".to_string())
        }
        Ok(Answer::NoTerminal) => Err(format!(
            "there is no terminal to ask for {user}'s password: set \
             {VARIABLE}, or give --password-file FILE"
        )),
        Err(error) => Err(error.to_string()),
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::Xoauth2 => "XOAUTH2",
        }
    }
}

impl FromStr for Mechanism {
    type Err = String;

    fn from_str(word: &str) -> Result<Mechanism, String> {
        match word.to_ascii_lowercase().as_str() {
            "plain" => Ok(Mechanism::Plain),
            "login" => Ok(Mechanism::Login),
            "xoauth2" => Ok(Mechanism::Xoauth2),
            _ => Err(format!("'{word}' is none of plain, login, xoauth2")),
        }
    }
}

/// The way that both sides have: the one that was asked for, else PLAIN,
/// else LOGIN. A token is no password, so XOAUTH2 is never guessed.
pub fn choose(
    wanted: Option<Mechanism>,
    offered: &[String],
) -> Result<Mechanism, String> {
    let has = |one: Mechanism| {
        offered.iter().any(|word| word.eq_ignore_ascii_case(one.name()))
    };
    let order = match wanted {
        Some(one) => vec![one],
        None => vec![Mechanism::Plain, Mechanism::Login],
    };
    order.iter().copied().find(|one| has(*one)).ok_or_else(|| {
        let names: Vec<_> = order.iter().map(|one| one.name()).collect();
        let names = names.join(" or ");
        match offered {
            [] => "the server offers no log-in (AUTH) here. Submission ports \
                   do: 587 with --tls starttls, 465 with --tls implicit"
                .to_string(),
            _ => format!(
                "the server offers AUTH {}, not {names}",
                console::escape_short(offered.join(" ").as_bytes(), 200)
            ),
        }
    })
}

/// The first answer of PLAIN and XOAUTH2.
fn first_answer(how: Mechanism, login: &Login) -> Option<String> {
    let Login { user, secret, .. } = login;
    match how {
        Mechanism::Plain => {
            Some(STANDARD.encode(format!("\0{user}\0{secret}")))
        }
        Mechanism::Login => None,
        Mechanism::Xoauth2 => Some(
            STANDARD
                .encode(format!("user={user}\x01auth=Bearer {secret}\x01\x01")),
        ),
    }
}

/// The whole exchange. Ends with 235, or not at all.
pub fn authenticate(
    wire: &mut Wire,
    login: &Login,
    how: Mechanism,
) -> Result<(), Failure> {
    let (user, secret) = (&login.user, &login.secret);
    let first = first_answer(how, login);
    // What a reply might repeat is masked there, too.
    let hidden = [STANDARD.encode(user), STANDARD.encode(secret)];
    wire.hide(hidden.into_iter().chain(first.clone()).chain([secret.clone()]));
    let name = how.name();
    let mut command = format!("AUTH {name}");
    let mut waiting = first.as_deref(); // not sent yet
    if let Some(first) = &first
        && command.len() + 1 + first.len() <= LONGEST_COMMAND
    {
        command = format!("{command} {first}");
        waiting = None;
        wire.send_masked(&command, &format!("AUTH {name} ********"))?;
    } else {
        wire.send_masked(&command, &command)?;
    }
    let mut reply = wire.read_reply(Verb::Auth)?;
    // Two questions are the most that any of the three has. Their words
    // differ between servers, their order does not.
    for question in 0..3 {
        if reply.code != 334 {
            break;
        }
        let words = reply.lines.first().map(String::as_str);
        let words = STANDARD.decode(words.unwrap_or_default());
        wire.note(&console::escape_short(&words.unwrap_or_default(), 200));
        let (answer, what) = match (how, question, waiting.take()) {
            (_, _, Some(first)) => (first.to_string(), "********"),
            (Mechanism::Login, 0, _) => {
                (STANDARD.encode(user), "******** (the user name)")
            }
            (Mechanism::Login, 1, _) => {
                (STANDARD.encode(secret), "******** (the password)")
            }
            // XOAUTH2: the question is the error; the refusal comes next.
            (Mechanism::Xoauth2, ..) => (String::new(), ""),
            // Nothing more to say: `*` gives up.
            _ => ("*".to_string(), "*"),
        };
        wire.send_masked(&answer, what)?;
        reply = wire.read_reply(Verb::Auth)?;
    }
    match reply.code {
        235 => Ok(()),
        _ => Err(Failure::refused("AUTH", &reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_string).collect()
    }

    #[test]
    fn plain_comes_before_login_and_a_token_is_never_guessed() {
        let both = offered("LOGIN plain CRAM-MD5");
        assert_eq!(choose(None, &both), Ok(Mechanism::Plain));
        assert_eq!(choose(None, &offered("LOGIN")), Ok(Mechanism::Login));
        let wanted = Some(Mechanism::Login);
        assert_eq!(choose(wanted, &both), Ok(Mechanism::Login));
        assert!(choose(None, &offered("XOAUTH2")).is_err());
        let nothing = choose(None, &[]);
        assert!(nothing.is_err_and(|advice| advice.contains("587")));
    }

    #[test]
    fn the_answers_are_those_of_the_standards() {
        let login = |user: &str, secret: &str| Login {
            user: user.into(),
            secret: secret.into(),
            wanted: None,
        };
        // The example of RFC 4616, in base64.
        assert_eq!(
            first_answer(Mechanism::Plain, &login("tim", "tanstaaftanstaaf")),
            Some("AHRpbQB0YW5zdGFhZnRhbnN0YWFm".to_string())
        );
        // Google's documentation of XOAUTH2 has this one.
        let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        let google = login("someuser@example.com", token);
        assert_eq!(
            first_answer(Mechanism::Xoauth2, &google),
            Some(
                "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5Ln\
                 ZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
                    .to_string()
            )
        );
    }
}
