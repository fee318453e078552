//! A reply of a mail server: three digits and a text, on one line or several.
//!
//! ```text
//! 250-mail.example greets you      "-": more lines of this reply follow
//! 250-SIZE 10240000
//! 250 STARTTLS                     " ": this is the last line
//! 550 5.1.1 No such user here
//! |   |     for people
//! |   enhanced code: class.subject.detail (RFC 3463)
//! code: the program decides by it
//! ```
//!
//! The first digit decides. 2: done. 3: continue. 4: refused, but a later try
//! may succeed. 5: refused, and the same command will fail again.
//! (viva 8) [W-T4a]

use explain::smtp;
use socketlab::console;

/// Most lines of one reply. A reply to EHLO has about a dozen.
pub const MOST_LINES: usize = 128;

/// Most bytes of one line. RFC 5321 allows 512, but some servers send more.
pub const LONGEST_LINE: usize = 2048;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits: 200 to 599.
    pub code: u16,
    /// The text of each line, after the code.
    pub lines: Vec<String>,
}

/// A reply with a fixed or formatted text. `\n` in it begins another line.
macro_rules! reply {
    ($code:expr, $($text:tt)*) => {
        $crate::smtp::reply::Reply::new($code, &format!($($text)*))
    };
}
pub(crate) use reply;

/// One line of a reply.
#[derive(Debug, PartialEq, Eq)]
pub struct ReplyLine {
    /// Its three digits.
    pub code: u16,
    /// Will more lines of the same reply follow?
    pub has_more: bool,
    /// The text after the code.
    pub text: String,
}

/// Splits a line into code and text. `None` means that it is not SMTP.
pub fn parse_line(line: &[u8]) -> Option<ReplyLine> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    // The RFC wants a text after the code, but many servers send none.
    let (has_more, text) = match rest.split_first() {
        None => (false, rest),
        Some((b' ', text)) => (false, text),
        Some((b'-', text)) => (true, text),
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(text).trim_end().to_string();
    Some(ReplyLine { code, has_more, text })
}

impl Reply {
    /// A reply with this text.
    pub fn new(code: u16, text: &str) -> Reply {
        Reply { code, lines: text.split('\n').map(str::to_string).collect() }
    }

    /// The lines as a server sends them: all but the last begin with `250-`.
    pub fn sent_lines(&self) -> Vec<String> {
        let last = self.lines.len().saturating_sub(1);
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            let sign = if index < last { '-' } else { ' ' };
            format!("{}{sign}{line}", self.code)
        });
        lines.collect()
    }

    /// The enhanced code, such as `5.1.1`, if the text begins with one.
    fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        smtp::enhanced(word).map(|_| word)
    }

    /// Code and text on one line, with control characters escaped.
    pub fn text(&self) -> String {
        let words = self.lines.join(" / ");
        let shown = console::escape_short(words.as_bytes(), 300);
        format!("{} {shown}", self.code).trim_end().to_string()
    }

    /// Code, text and meaning, for the user.
    pub fn explained(&self) -> String {
        format!("{}\n   ({})", self.text(), self.meaning())
    }

    /// What a refusal means, and whether to try again.         (viva 8)
    fn meaning(&self) -> String {
        let class = match self.code / 100 {
            4 => "temporary, a later try may succeed",
            5 => "permanent, another try will fail, too",
            _ => "SMTP does not allow this reply here",
        };
        // x.0.0 says nothing that the code does not say.
        let code = self.enhanced().filter(|code| !code.ends_with(".0.0"));
        let enhanced = code.and_then(smtp::enhanced);
        let title = explain::find(&self.code.to_string());
        let title = title.first().map(|entry| entry.title.to_string());
        // The enhanced code is more exact than the three digits.
        let mut meaning = match enhanced.or(title) {
            Some(more) => format!("{more}; {class}"),
            None => class.to_string(),
        };
        if let Some(advice) = self.advice() {
            meaning.push_str(&format!(". {advice}"));
        }
        meaning
    }

    /// What the user can do about the most frequent refusals.
    fn advice(&self) -> Option<&'static str> {
        let words = self.lines.join(" ").to_ascii_lowercase();
        Some(match self.code {
            530 if words.contains("tls") => {
                "This server wants encryption first: --tls starttls"
            }
            530 => "Log in first: --user NAME, with encryption",
            534 | 535
                if ["application-specific", "app password", "gsmtp"]
                    .iter()
                    .any(|mark| words.contains(mark)) =>
            {
                "The server does not accept the account's own password. Make \
                 an app password, or use a token: --auth xoauth2"
            }
            534 | 535 => {
                "Check the user name, usually the complete address. An \
                 account with two-step log-in needs an app password. A token \
                 is valid for about an hour"
            }
            550 | 551 | 553 | 554 if words.contains("relay") => {
                "The server accepts mail for other domains only after a \
                 log-in: --user NAME, or use your own provider's server"
            }
            421 | 450 | 451 if words.contains("greylist") => {
                "The server refuses the first try of unknown senders; try \
                 again in some minutes"
            }
            _ => return None,
        })
    }
}
