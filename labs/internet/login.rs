//! Who we are. A password comes from the environment or from a prompt that
//! does not show it; in a URL it would stand in the shell's history, and in
//! everybody's list of processes (`ps`).                          (viva 4)

use std::io::{self, IsTerminal};
use std::process;

use rustix::termios::{
    LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr,
};
use socketlab::{Error, Result, console, signals, warn};

use crate::dialogue::Dialogue;

/// The environment variable that may hold the password.
pub const VARIABLE: &str = "FETCH_PASSWORD";

/// A user and the password.
pub struct Login {
    /// As it was in the URL.
    pub user: String,
    /// Never printed.
    pub password: String,
}

/// The user of the URL and the password, once it is clear that nobody on the
/// way will read them.
pub fn login(talk: &mut Dialogue<'_>) -> Result<Login> {
    let url = &talk.job.url;
    let Some(user) = url.user.clone() else {
        let (scheme, host) = (url.scheme.name, &url.host);
        return Err(Error::other(format!(
            "this server wants to know who you are: {scheme}://USER@{host}/"
        )));
    };
    let far = !talk.peer()?.0.ip().to_canonical().is_loopback();
    if far && !talk.is_secure() && !talk.job.allow_clear {
        let scheme = url.scheme.name;
        return Err(Error::other(format!(
            "refused: everybody on the way could read the password. Use \
             {scheme}s:// or --starttls; --allow-clear sends it all the same"
        )));
    }
    let password = match (&url.password, std::env::var(VARIABLE)) {
        (Some(password), _) => password.clone(),
        (None, Ok(password)) => password,
        (None, Err(_)) => ask(&format!("Password of {user}: "))?,
    };
    let whole = !password.contains(|c: char| c.is_ascii_control());
    match whole {
        true => Ok(Login { user, password }),
        false => Err(Error::other("a password has no control characters")),
    }
}

/// Asks at the terminal, and shows nothing of what is typed.
fn ask(prompt: &str) -> Result<String> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).ok().filter(|_| stdin.is_terminal());
    let Some(before) = before else {
        return Err(Error::other(format!(
            "no password: set {VARIABLE}, or run it at a terminal to be asked"
        )));
    };
    // Ctrl-C at the prompt must not leave the terminal without echo.
    let restore = before.clone();
    signals::on_signal(move || {
        set(&restore);
        process::exit(130);
    })?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    set(&silent);
    eprint(prompt);
    let line = console::read_stdin_line();
    set(&before);
    let Some(line) = line? else {
        return Err(Error::other("no password was given"));
    };
    String::from_utf8(line)
        .map_err(|_| Error::other("the password is not UTF-8"))
}

fn set(modes: &Termios) {
    // Flush: what was typed ahead was shown, and is no password.
    let _ = tcsetattr(io::stdin(), OptionalActions::Flush, modes);
}

/// On stderr: stdout is for what is fetched.
fn eprint(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), text.as_bytes());
}

/// A password in a URL is used, and warned of.
pub fn warn_of_password_in_url() {
    warn!(
        "warning: a password in a URL can be read in the list of processes \
         (ps) and in your shell's history. Leave it out, and set {VARIABLE} \
         or be asked."
    );
}
