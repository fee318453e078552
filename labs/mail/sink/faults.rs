//! Faults on request: refusals, lost connections and late replies, as a mail
//! server has them on a bad day. `--fail`, `--drop-after` and `--slow`.
//!
//! ```text
//! --fail rcpt=550                 every recipient is refused
//! --fail rcpt=550:bob@x.org       this one, the others are not
//! --fail data=451*2               twice, then all is well
//! --drop-after mail               no reply, the connection ends
//! --slow dot=5                    the reply after 5 seconds
//! ```
//!
//! What `--drop-after dot` cuts off is the 250 alone: the message IS stored.
//! The client cannot know, sends it again, and there are two. (viva 4)

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::{VERBS, Verb};

/// All that is to go wrong.
pub struct Faults {
    fails: Vec<Fail>,
    drops: Vec<Verb>,
    slow: Vec<(Option<Verb>, Duration)>,
}

struct Fail {
    verb: Verb,
    code: u16,
    address: Option<String>, // only for this one
    left: AtomicU32,         // how often it still happens
}

impl Faults {
    /// Reads the three options. An error is a usage error, in words.
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

    /// The reply that was asked for at this verb, if any; `address` is whom
    /// MAIL or RCPT named.
    pub fn reply(&self, verb: Verb, address: Option<&str>) -> Option<Reply> {
        let meant = |fail: &&Fail| {
            fail.verb == verb
                && fail.address.as_ref().is_none_or(|wanted| {
                    address.is_some_and(|a| a.eq_ignore_ascii_case(wanted))
                })
        };
        let fail = self.fails.iter().filter(meant).find(|fail| {
            // Counts down, and stays at 0.
            let less = |left: u32| left.checked_sub(1);
            let order = Ordering::Relaxed;
            fail.left.fetch_update(order, order, less).is_ok()
        })?;
        let code = fail.code;
        // HELO's time had no enhanced codes, nor has the greeting.
        let enhanced = match verb {
            Verb::Greeting | Verb::Helo => String::new(),
            _ => format!("{}.0.0 ", code / 100),
        };
        let why = format!("refused on request: --fail {verb}={code}");
        Some(reply!(code, "{enhanced}{why}"))
    }

    /// Is the connection to be cut here, instead of a reply?
    pub fn drops(&self, verb: Verb) -> bool {
        self.drops.contains(&verb)
    }

    /// How long the reply is to be kept back.
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
        format!("--fail {text}: {form}; {why}")
    };
    let parts = text.split_once('=');
    let (word, rest) = parts.ok_or_else(|| wrong("such as rcpt=550"))?;
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
        return Err(wrong("only mail and rcpt have an address, without <>"));
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
        (Some(_), 0) => Err(wrong("TIMES is 1 or more")),
        _ => Err(wrong("CODE is 400 to 599: 4xx is for now, 5xx for good")),
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
        "--slow {text}: seconds from 0 to 86400, such as --slow 5, or \
         of one verb: --slow data=5"
    ))?;
    Ok((at, Duration::from_secs_f64(number)))
}

fn verb(option: &str, word: &str) -> Result<Verb, String> {
    word.parse().map_err(|()| {
        let names = VERBS.map(|verb| verb.to_string());
        format!("{option}: {word:?} is none of {}", names.join(" "))
    })
}
