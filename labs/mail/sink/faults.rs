//! Faults on request, so that a client can be tested: refusals, closed
//! connections and late replies. `--fail`, `--drop-after` and `--slow`.
//!
//! ```text
//! --fail rcpt=550                 every recipient is refused
//! --fail rcpt=550:bob@x.org       only this recipient is refused
//! --fail data=451*2               DATA is refused the first two times
//! --drop-after mail               the sink closes instead of a reply
//! --slow dot=5                    the reply comes 5 seconds late
//! ```
//!
//! With `--drop-after dot` only the 250 is missing: the message IS stored. The
//! client cannot know that and sends it again, so it arrives twice. (viva 4)

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::{VERBS, Verb};

/// All faults that the command line asks for.
pub struct Faults {
    fails: Vec<Fail>,
    drops: Vec<Verb>,
    slow: Vec<(Option<Verb>, Duration)>,
}

struct Fail {
    verb: Verb,
    code: u16,
    address: Option<String>, // only for this address
    left: AtomicU32,         // how many more times
}

impl Faults {
    /// Reads the three options. The error is the text of a usage error.
    pub fn parse(
        fails: &[String],
        drops: &[String],
        slow: &[String],
    ) -> Result<Faults, String> {
        let fails = fails.iter().map(|text| fail(text));
        let drops = drops.iter().map(|word| verb("--drop-after", word));
        let slow = slow.iter().map(|text| seconds(text));
        Ok(Faults {
            fails: fails.collect::<Result<_, _>>()?,
            drops: drops.collect::<Result<_, _>>()?,
            slow: slow.collect::<Result<_, _>>()?,
        })
    }

    /// The reply with which this verb is to be refused, if any. `address` is
    /// the one in MAIL or RCPT.
    pub fn reply(&self, verb: Verb, address: Option<&str>) -> Option<Reply> {
        let meant = |fail: &&Fail| {
            fail.verb == verb
                && fail.address.as_ref().is_none_or(|wanted| {
                    address.is_some_and(|a| a.eq_ignore_ascii_case(wanted))
                })
        };
        let fail = self.fails.iter().filter(meant).find(|fail| {
            // Counts down to 0 and stays there. Several clients may do so at
            // the same time, so the counter is atomic.
            let less = |left: u32| left.checked_sub(1);
            let order = Ordering::Relaxed;
            fail.left.fetch_update(order, order, less).is_ok()
        })?;
        let code = fail.code;
        // Replies to HELO and the greeting have no enhanced codes.
        let enhanced = match verb {
            Verb::Greeting | Verb::Helo => String::new(),
            _ => format!("{}.0.0 ", code / 100),
        };
        let why = format!("refused on request: --fail {verb}={code}");
        Some(reply!(code, "{enhanced}{why}"))
    }

    /// Must the sink close here instead of sending the reply?
    pub fn drops(&self, verb: Verb) -> bool {
        self.drops.contains(&verb)
    }

    /// How late the reply is sent.
    pub fn delay(&self, verb: Option<Verb>) -> Option<Duration> {
        let here = |(at, _): &&(Option<Verb>, Duration)| {
            at.is_none() || (*at == verb && verb.is_some())
        };
        self.slow.iter().find(here).map(|(_, delay)| *delay)
    }
}

/// `rcpt=550*2:bob@example.org`
fn fail(text: &str) -> Result<Fail, String> {
    let wrong = |why: &str| {
        let form = "VERB=CODE, VERB=CODE*TIMES or rcpt=CODE:ADDRESS";
        format!("--fail {text}: {why}. The form is {form}")
    };
    let parts = text.split_once('=');
    let (word, rest) = parts.ok_or_else(|| wrong("the = is missing"))?;
    let verb = verb("--fail", word)?;
    let (rest, address) = match rest.split_once(':') {
        Some((rest, address)) => (rest, Some(address.to_string())),
        None => (rest, None),
    };
    let named = match (verb, &address) {
        (_, None) => true,
        (Verb::Mail, Some(address)) if address.is_empty() => true, // a bounce
        (Verb::Mail | Verb::Rcpt, Some(address)) => {
            address.contains('@') && !address.contains(['<', '*'])
        }
        _ => false,
    };
    if !named {
        return Err(wrong("only mail and rcpt can have an address, no <>"));
    }
    let (code, times) = match rest.split_once('*') {
        Some((code, times)) => (code, times.parse().unwrap_or(0)),
        None => (rest, u32::MAX),
    };
    let code = code.parse().ok().filter(|code| (400..600).contains(code));
    match (code, times) {
        (Some(code), 1..) => {
            Ok(Fail { verb, code, address, left: AtomicU32::new(times) })
        }
        (Some(_), 0) => Err(wrong("TIMES must be 1 or more")),
        _ => Err(wrong("CODE must be 4xx (temporary) or 5xx (permanent)")),
    }
}

/// `5`, or `data=5`
fn seconds(text: &str) -> Result<(Option<Verb>, Duration), String> {
    let (at, number) = match text.split_once('=') {
        Some((word, number)) => (Some(verb("--slow", word)?), number),
        None => (None, text),
    };
    let number = number.parse().ok();
    let number = number.filter(|n| (0.0..=86_400.0).contains(n));
    let number = number.ok_or(format!(
        "--slow {text}: seconds must be from 0 to 86400, as in --slow 5, or \
         for one verb --slow data=5"
    ))?;
    Ok((at, Duration::from_secs_f64(number)))
}

fn verb(option: &str, word: &str) -> Result<Verb, String> {
    word.parse().map_err(|()| {
        let names = VERBS.map(|verb| verb.to_string());
        format!("{option}: {word:?} is not one of {}", names.join(" "))
    })
}
