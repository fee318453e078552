//! The users of the proxy. The log-in is Basic (RFC 7617), because every client
//! supports it.
//!
//! ```text
//!   GET http://h/x ------------------------------------>
//!   <--- 407, Proxy-Authenticate: Basic ----------------
//!   GET http://h/x, Proxy-Authorization: Basic QTpi --->   base64 of "A:b"
//! ```
//! Base64 is not encryption, so everybody on the path can read the password.
//! Limit: a client can try any number of passwords, and the file contains them
//! in clear. A serious proxy stores hashes (htpasswd) and slows attackers down.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Request, Target};
use socketlab::{Error, Result};

use crate::errors::ErrorPage;

/// The credentials that are accepted, as they appear in a request.
pub struct Users(Vec<String>);

impl Users {
    /// Reads a file with a line `name:password` for each user.
    pub fn read(path: &Path) -> Result<Users> {
        let text = fs::read_to_string(path)
            .map_err(|error| Error::new("open", path.display(), error))?;
        let lines = text.lines().filter(|line| !line.is_empty());
        let users: Vec<String> = lines.map(|l| STANDARD.encode(l)).collect();
        match text.lines().any(|line| !line.is_empty() && !line.contains(':')) {
            false if !users.is_empty() => Ok(Users(users)),
            _ => Err(Error::other(format!(
                "{}: write a line name:password for each user",
                path.display()
            ))),
        }
    }

    /// May this request be answered?
    pub fn check(
        &self,
        request: &Request,
    ) -> std::result::Result<(), ErrorPage> {
        let said = request.fields.text("Proxy-Authorization");
        let (scheme, given) =
            said.unwrap_or_default().split_once(' ').unwrap_or_default();
        // Each entry is compared up to its end. Otherwise the time of the
        // comparison would show how many characters are right.
        let same = |user: &String| {
            let both = user.bytes().zip(given.trim().bytes());
            let differ = both.fold(0, |all, (a, b)| all | (a ^ b));
            user.len() == given.trim().len() && differ == 0
        };
        let known = self.0.iter().filter(|user| same(user)).count() > 0;
        if known && scheme.eq_ignore_ascii_case("Basic") {
            return Ok(());
        }
        match request.target() {
            // A browser that does not know of a proxy cannot log in to one.
            Target::Origin(_) => Err(ErrorPage::new(
                403,
                "This proxy needs a log-in (--user-file), and path style \
                 cannot have one. Name the proxy in the browser's settings.",
            )),
            _ => Err(ErrorPage::login()),
        }
    }
}
