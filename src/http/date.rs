//! HTTP dates: `Sun, 06 Nov 1994 08:49:37 GMT`, whole seconds, always GMT.

use std::cell::RefCell;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// A time as HTTP writes it.
pub fn text(time: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 GMT".into())
}

/// A file's time, whole seconds, as HTTP compares it. A clock that was wrong
/// may have put it into the future, where nothing can have changed yet.
pub fn seconds(time: SystemTime) -> Option<Timestamp> {
    let time = Timestamp::try_from(time).ok()?.min(Timestamp::now());
    Timestamp::from_second(time.as_second()).ok()
}

/// Now, for the Date field. Made anew only when the second has changed.
pub fn now() -> String {
    thread_local! {
        static LAST: RefCell<(i64, String)> = const {
            RefCell::new((0, String::new()))
        };
    }
    let now = Timestamp::now();
    LAST.with_borrow_mut(|(second, made)| {
        if *second != now.as_second() || made.is_empty() {
            *second = now.as_second();
            *made = text(now);
        }
        made.clone()
    })
}

/// Reads a date in the form of today, or in one of the two old forms that a
/// recipient must still accept (RFC 9110, section 5.6.7).
pub fn parse(value: &[u8]) -> Option<Timestamp> {
    let value = std::str::from_utf8(value).ok()?;
    let now = Timestamp::now().to_zoned(TimeZone::UTC).year();
    let read = |form: &str| -> Option<DateTime> {
        BrokenDownTime::parse(form, value).ok()?.to_datetime().ok()
    };
    let time = read("%a, %d %b %Y %H:%M:%S GMT")
        .or_else(|| read("%a %b %e %H:%M:%S %Y"))
        .or_else(|| {
            let old = read("%A, %d-%b-%y %H:%M:%S GMT")?;
            // Two digits of a year: never more than 50 years ahead.
            let year = old.year() - if old.year() > now + 50 { 100 } else { 0 };
            old.with().year(year).build().ok()
        })?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_of_one_second() {
        let second = Timestamp::from_second(784_111_777).expect("a time");
        assert_eq!(text(second), "Sun, 06 Nov 1994 08:49:37 GMT");
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(form.as_bytes()), Some(second), "{form}");
        }
        for wrong in ["", "0", "yesterday", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
