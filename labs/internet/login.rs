//! User and password. The password comes from the environment or from a prompt
//! that does not show it. In a URL it would be visible in the shell's history
//! and in the list of processes (`ps`).                           (viva 4)

use std::io::{self, IsTerminal};
use std::process;

use socketlab::secret::{self, Answer};
use socketlab::{Error, Result, signals, warn};

use crate::connection::Connection;

/// The environment variable that may hold the password.
const VARIABLE: &str = "FETCH_PASSWORD";

/// The status of a program that Ctrl-C has ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// A user and the password.
pub struct Login {
    /// As it was in the URL.
    pub user: String,
    /// Never printed.
    pub password: String,
}

/// The user of the URL and the password, after a check that they can be sent
/// safely.
pub fn login(connection: &mut Connection<'_>) -> Result<Login> {
    let job = connection.job;
    let (url, scheme) = (&job.url, job.url.scheme.name);
    let Some(user) = url.user.clone() else {
        let host = &url.host;
        return Err(Error::other(format!(
            "this server wants to know who you are: {scheme}://USER@{host}/"
        )));
    };
    let peer = connection.peer_addr()?.ip().to_canonical();
    let safe = connection.is_secure() || peer.is_loopback();
    if !safe && !job.allow_clear {
        return Err(Error::other(format!(
            "refused: everybody on the way could read the password. Use \
             {scheme}s:// or --starttls; --allow-clear sends it all the same"
        )));
    }
    let password = match (&url.password, secret::from_environment(VARIABLE)) {
        (Some(password), _) => password.clone(),
        (None, Some(value)) => String::from_utf8(value).map_err(|_| {
            Error::other(format!("the password in {VARIABLE} is not UTF-8"))
        })?,
        (None, None) => ask(&format!("Password of {user}: "))?,
    };
    match password.contains(|c: char| c.is_ascii_control()) {
        true => Err(Error::other("a password has no control characters")),
        false => {
            // The server may repeat the password in a reply.
            job.printer.clone().hide([password.clone()]);
            Ok(Login { user, password })
        }
    }
}

/// Asks at the terminal. In a script, stdin is not a terminal, and the program
/// does not wait for a person.
fn ask(prompt: &str) -> Result<String> {
    signals::on_signal(|| {
        secret::restore_terminal();
        process::exit(INTERRUPTED);
    })?;
    let answer = match io::stdin().is_terminal() {
        true => secret::ask(prompt)?,
        false => Answer::NoTerminal,
    };
    match answer {
        Answer::Typed(password) => Ok(password),
        Answer::Interrupted => process::exit(INTERRUPTED),
        Answer::End => Err(Error::other("no password was given")),
        Answer::NoTerminal => Err(Error::other(format!(
            "no password: set {VARIABLE}, or run it at a terminal to be asked"
        ))),
    }
}

/// A password in a URL is used, with a warning.
pub fn warn_of_password_in_url() {
    warn!(
        "warning: a password in a URL can be read in the list of processes \
         (ps) and in your shell's history. Leave it out, and set {VARIABLE} \
         or be asked."
    );
}
