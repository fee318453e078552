//! HTTP dates: `Sun, 06 Nov 1994 08:49:37 GMT`. They have whole seconds, and
//! the zone is always GMT.

use std::cell::RefCell;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// A time in the form of HTTP.
pub fn text(time: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 GMT".into())
}

/// A file's time in whole seconds, as HTTP compares it. If a wrong clock gave
/// the file a time in the future, the result is the present time, because RFC
/// 9110 does not allow a Last-Modified in the future.
pub fn seconds(time: SystemTime) -> Option<Timestamp> {
    let time = Timestamp::try_from(time).ok()?.min(Timestamp::now());
    Timestamp::from_second(time.as_second()).ok()
}

/// The present time, for the Date field. Each thread composes the text once a
/// second only.
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

/// Parses a date in the present form, or in one of the two old forms that a
/// recipient must still accept (RFC 9110, section 5.6.7). The form must be
/// exact: a date with a one-digit hour or with two spaces is refused. Upper and
/// lower case do not matter. A wrong weekday does not matter either, because
/// the rest says which day it is.
pub fn parse(value: &[u8]) -> Option<Timestamp> {
    let value = std::str::from_utf8(value).ok()?.to_ascii_uppercase();
    let (weekday, rest) = value.split_once(' ')?;
    let (weekday, comma) = match weekday.strip_suffix(',') {
        Some(weekday) => (weekday, true),
        None => (weekday, false),
    };
    let full = WEEKDAYS.contains(&weekday);
    let short = WEEKDAYS.iter().any(|day| day.get(..3) == Some(weekday));
    let form = match shape(rest).as_str() {
        "99 AAA 9999 99:99:99 AAA" if short && comma => "%d %b %Y %H:%M:%S GMT",
        "99-AAA-99 99:99:99 AAA" if full && comma => "%d-%b-%y %H:%M:%S GMT",
        "AAA 99 99:99:99 9999" | "AAA  9 99:99:99 9999" if short && !comma => {
            "%b %e %H:%M:%S %Y"
        }
        _ => return None,
    };
    let read = BrokenDownTime::parse(form, rest).ok()?;
    let time: DateTime = read.to_datetime().ok()?;
    let time = match full {
        true => time.with().year(year_of_two_digits(time.year())).build(),
        false => Ok(time),
    };
    Some(time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

const WEEKDAYS: [&str; 7] = [
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
];

/// Every digit becomes 9 and every letter A.
fn shape(text: &str) -> String {
    let class = |character: char| match character {
        '0'..='9' => '9',
        'A'..='Z' => 'A',
        other => other,
    };
    text.chars().map(class).collect()
}

/// `94` is a year of this century, unless that is more than 50 years in the
/// future. Then it is a year of the last century.
fn year_of_two_digits(year: i16) -> i16 {
    let now = Timestamp::now().to_zoned(TimeZone::UTC).year();
    let year = now - now % 100 + year % 100;
    if year > now + 50 { year - 100 } else { year }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_name_the_same_second() {
        let second = Timestamp::from_second(784_111_777).expect("a time");
        assert_eq!(text(second), "Sun, 06 Nov 1994 08:49:37 GMT");
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
            "SUN, 06 nov 1994 08:49:37 gMT", // any case
            "Mon, 06 Nov 1994 08:49:37 GMT", // it was a Sunday
            "Friday, 06-Nov-94 08:49:37 GMT",
            "Tue Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(form.as_bytes()), Some(second), "{form}");
        }
        let now = Timestamp::now().to_zoned(TimeZone::UTC).year();
        for (ahead, expected) in
            [(0, now), (1, now + 1), (50, now + 50), (51, now - 49)]
        {
            let digits = format!("{:02}", (now + ahead) % 100);
            let date = format!("Monday, 01-Jan-{digits} 00:00:00 GMT");
            let time = parse(date.as_bytes()).expect("a time");
            assert_eq!(time.to_zoned(TimeZone::UTC).year(), expected, "{date}");
        }
    }

    #[test]
    fn a_date_that_is_not_exact_is_refused() {
        for wrong in [
            "",
            "0",
            "-1",
            "yesterday",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 8:49:37 GMT", // one digit
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:7 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT", // two spaces
            "Sun, 06  Nov  1994 08:49:37 GMT",
            "Sun, 06 Nov 1994  08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37  GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun,\t06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", // two digits of a year
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT", // the short name of its day
            "Sun 06 Nov 1994 08:49:37 GMT", // no comma
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT", // no such day
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Xyz, 06 Nov 1994 08:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 94",
            "Sunday Nov  6 08:49:37 1994",
            "Sun, 06 N\u{f6}v 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
