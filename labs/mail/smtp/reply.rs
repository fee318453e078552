//! What a mail server replies: three digits and words, in one line or many.
//!
//! ```text
//! 250-mail.example greets you      "-": more lines of this reply follow
//! 250-SIZE 10240000
//! 250 STARTTLS                     " ": the last one
//! 550 5.1.1 No such user here
//! |   |     for people
//! |   enhanced code: class.subject.detail (RFC 3463)
//! what a program goes by
//! ```
//!
//! The first digit decides: 2 done, 3 go on, 4 no, but a later try may do,
//! 5 no, and the same again will not do.                 (viva 8) [W-T4a]

use explain::smtp;
use socketlab::console;

/// Lines of one reply. A reply to EHLO has about a dozen.
pub const MOST_LINES: usize = 128;

/// Bytes of one line. RFC 5321 allows 512, but some servers send more.
pub const LONGEST_LINE: usize = 2048;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The words of each line, after the code.
    pub lines: Vec<String>,
}

/// A reply with a fixed or formatted text; `\n` in it begins another line.
macro_rules! reply {
    ($code:expr, $($text:tt)*) => {
        $crate::smtp::reply::Reply::new($code, &format!($($text)*))
    };
}
pub(crate) use reply;

/// One line of a reply, as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct ReplyLine {
    /// Its three digits.
    pub code: u16,
    /// Will more lines of the same reply follow?
    pub goes_on: bool,
    /// The words after the code.
    pub text: String,
}

/// Takes a line apart. `None`: it is not SMTP.
pub fn parse_line(line: &[u8]) -> Option<ReplyLine> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    // A code without words breaks the RFC, but is common.
    let (goes_on, text) = match rest.split_first() {
        None => (false, rest),
        Some((b' ', text)) => (false, text),
        Some((b'-', text)) => (true, text),
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(text).trim_end().to_string();
    Some(ReplyLine { code, goes_on, text })
}

impl Reply {
    /// A reply with this text.
    pub fn new(code: u16, text: &str) -> Reply {
        Reply { code, lines: text.split('\n').map(str::to_string).collect() }
    }

    /// The lines as a server sends them: `250-` before all but the last.
    pub fn sent_lines(&self) -> Vec<String> {
        let last = self.lines.len().saturating_sub(1);
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            let sign = if index < last { '-' } else { ' ' };
            format!("{}{sign}{line}", self.code)
        });
        lines.collect()
    }

    /// `5.1.1`, if the words begin with such a code.
    fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        smtp::enhanced(word).map(|_| word)
    }

    /// Code and words as one line, safe to print.
    pub fn text(&self) -> String {
        let words = self.lines.join(" / ");
        let shown = console::escape_short(words.as_bytes(), 300);
        format!("{} {shown}", self.code).trim_end().to_string()
    }

    /// Code, words and meaning, for the user.
    pub fn explained(&self) -> String {
        format!("{}\n   ({})", self.text(), self.meaning())
    }

    /// What a refusal means, and whether to try again.         (viva 8)
    fn meaning(&self) -> String {
        let class = match self.code / 100 {
            4 => "temporary, the same may do later",
            5 => "permanent, the same again will not do",
            _ => "not what SMTP has at this point",
        };
        // x.0.0 is what a server says that has nothing to add.
        let code = self.enhanced().filter(|code| !code.ends_with(".0.0"));
        let enhanced = code.and_then(smtp::enhanced);
        let title = explain::find(&self.code.to_string());
        let title = title.first().map(|entry| entry.title.to_string());
        // The enhanced code is the more exact of the two.
        let mut meaning = match enhanced.or(title) {
            Some(more) => format!("{more}; {class}"),
            None => class.to_string(),
        };
        if let Some(advice) = self.advice() {
            meaning.push_str(&format!(". {advice}"));
        }
        meaning
    }

    /// What a sender can do about the refusals that everybody meets.
    fn advice(&self) -> Option<&'static str> {
        let words = self.lines.join(" ").to_ascii_lowercase();
        Some(match self.code {
            530 if words.contains("tls") => {
                "Commands come after encryption here: --tls starttls"
            }
            530 => "Log in first: --user NAME. It takes encryption, too",
            534 | 535
                if ["application-specific", "app password", "gsmtp"]
                    .iter()
                    .any(|mark| words.contains(mark)) =>
            {
                "The account's own password does not do here. Make an app \
                 password, or use a token: --auth xoauth2"
            }
            534 | 535 => {
                "Is it the right user name (mostly the whole address), and \
                 an app password if the account has two-step log-in? A token \
                 lives about an hour"
            }
            550 | 551 | 553 | 554 if words.contains("relay") => {
                "The server takes mail for other domains only from those who \
                 log in: --user NAME, or use your own provider's server"
            }
            421 | 450 | 451 if words.contains("greylist") => {
                "It refuses every stranger's first try; repeat it in some \
                 minutes"
            }
            _ => return None,
        })
    }
}
