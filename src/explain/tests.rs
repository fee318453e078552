//! Each name is found, each text fits, and the numbers are the system's.

use super::*;
use std::collections::HashSet;

/// The state names of the standard, and the errnos a socket program meets.
const PROMISED: &str = "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN \
    EWOULDBLOCK EALREADY EBADF ECONNABORTED ECONNREFUSED ECONNRESET \
    EDESTADDRREQ EHOSTUNREACH EINPROGRESS EINTR EINVAL EISCONN EMFILE \
    EMSGSIZE ENETDOWN ENETUNREACH ENFILE ENOBUFS ENOMEM ENOTCONN ENOTSOCK \
    EPERM EPIPE EPROTO ETIMEDOUT ECHILD EFBIG ENOENT ENOSPC EIO EOPNOTSUPP \
    EAI_NONAME EAI_AGAIN CLOSED LISTEN SYN-SENT SYN-RECEIVED ESTABLISHED \
    FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT CLOSING LAST-ACK TIME-WAIT";

fn names(word: &str) -> Vec<&'static str> {
    find(word).into_iter().map(|e| e.name).collect()
}

/// A mail server and a web server may use the same: 503.
fn is_code(name: &str) -> bool {
    name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn printed(entry: &Entry) -> String {
    let mut out = Vec::new();
    print(entry, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_name_is_found_in_either_case_and_with_dashes() {
    for entry in all() {
        for name in entry.aliases.iter().chain([&entry.name]) {
            for word in [
                name.to_string(),
                name.to_uppercase(),
                name.to_lowercase(),
                name.replace('_', "-"),
                format!(" {name} "),
            ] {
                let found = find(&word);
                assert!(found.contains(&entry), "{word:?}");
                assert!(found.len() == 1 || is_code(name), "{word:?}");
            }
        }
    }
    for word in PROMISED.split_whitespace() {
        assert_eq!(find(word).len(), 1, "{word}");
    }
}

#[test]
fn the_words_of_other_systems_and_languages_are_found() {
    for word in [
        "WSAECONNREFUSED",
        "ConnectionRefusedError",
        "Connection refused",
        "connection refused",
    ] {
        assert_eq!(names(word), ["ECONNREFUSED"], "{word}");
    }
    assert_eq!(names("ESTAB"), ["ESTABLISHED"]);
    assert_eq!(names("FIN_WAIT1"), ["FIN_WAIT_1"]);
    assert_eq!(names("BrokenPipeError"), ["EPIPE"]);
    assert_eq!(names("Name or service not known"), ["EAI_NONAME"]);
}

#[test]
fn numbers_make_the_round_trip() {
    for entry in all() {
        let Some(n) = entry.number else { continue };
        assert_eq!(find(&n.to_string()), [entry]);
        assert_eq!(errno(n), (n > 0).then_some(entry));
        assert_eq!(find(&format!("[Errno {n}] some words")), [entry]);
        assert_eq!(find(&format!("some words (os error {n})")), [entry]);
    }
    assert_eq!(errno(0), None);
    assert!(find("99999").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn numbers_and_titles_are_those_of_linux() {
    assert_eq!(names("111"), ["ECONNREFUSED"]);
    assert_eq!(names("-2"), ["EAI_NONAME"]);
    if cfg!(target_env = "gnu") {
        for entry in all() {
            let Some(n) = entry.number.filter(|n| *n > 0) else {
                continue;
            };
            let system = io::Error::from_raw_os_error(n).to_string();
            let ours = format!("{} (os error {n})", entry.title);
            assert_eq!(ours, system, "{}", entry.name);
        }
    }
}

#[test]
fn no_spelling_and_no_number_has_two_meanings() {
    let mut seen = HashSet::new();
    let mut numbers = HashSet::new();
    for entry in all() {
        let own: HashSet<String> = keys(entry).collect();
        for spelling in own {
            let new = seen.insert(spelling.clone());
            assert!(new || is_code(&spelling), "{spelling}");
        }
        if let Some(n) = entry.number {
            assert!(numbers.insert(n), "{n}");
        }
    }
}

#[test]
fn every_entry_is_complete_and_fits_the_screen() {
    for entry in all() {
        let name = entry.name;
        assert!(entry.meaning.ends_with('.'), "{name}");
        assert!(!entry.causes.is_empty(), "{name}");
        assert!(!entry.check.is_empty(), "{name}");
        for cause in entry.causes {
            assert!(!cause.ends_with('.'), "{name}: {cause}");
        }
        let text = printed(entry);
        assert!(text.starts_with(name) && text.ends_with('\n'));
        for line in text.lines() {
            assert!(line.is_ascii(), "{name}: {line}");
            assert!(line.len() <= WIDTH, "{name}: {line}");
            assert_eq!(line, line.trim_end(), "{name}");
        }
    }
}

#[test]
fn a_mail_servers_codes_are_found() {
    assert_eq!(names("550"), ["SMTP 550"]);
    assert_eq!(names("smtp 421"), ["SMTP 421"]);
    assert!(find("4.2.1").is_empty()); // and not 421
    assert!(smtp::enhanced("4.2.1").unwrap().contains("disabled"));
    assert!(smtp::enhanced("5.7.99").unwrap().contains("security"));
    for word in ["5.9.1", "1.1.1", "5.1", "5.1.1.1", "5.x.1", "", "5..1"] {
        assert_eq!(smtp::enhanced(word), None, "{word}");
    }
    assert!(smtp::enhanced("5.1.99999").is_none());
}

#[test]
fn a_web_servers_codes_are_found() {
    assert_eq!(names("404"), ["HTTP 404"]);
    assert_eq!(names("http 502"), ["HTTP 502"]);
    assert_eq!(names("503"), ["SMTP 503", "HTTP 503"]);
}

#[test]
fn a_long_text_wraps_under_its_own_beginning() {
    let mut out = Vec::new();
    wrap(&mut out, "  1. ", &"word ".repeat(30)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() > 1 && lines.iter().all(|l| l.len() <= WIDTH));
    assert!(lines[0].starts_with("  1. word"));
    assert!(lines[1].starts_with("     word"));
}

#[test]
fn every_hint_is_a_sentence_and_says_what_to_do() {
    let calls = "socket bind listen accept connect recv send recvfrom sendto \
        shutdown spawn getaddrinfo close whatever";
    for call in calls.split_whitespace() {
        for number in all().filter_map(|e| e.number).chain([0, -99, 9999]) {
            let text = hint(call, number);
            assert!(text.ends_with('.'), "{call} {number}: {text}");
            assert!(text.len() > 20, "{call} {number}: {text}");
            assert!(!text.contains("  "), "{call} {number}: {text}");
        }
    }
}

#[test]
fn a_hint_knows_its_call() {
    let refused = find("ECONNREFUSED")[0].number.unwrap();
    assert_eq!(
        hint("connect", refused),
        "Nothing listens there. Start the server first, or check HOST and \
         PORT."
    );
    assert_eq!(hint("connect(127.0.0.1:9)", refused), hint("connect", refused));
    assert!(hint("recvfrom", refused).contains("ICMP"));
    assert!(hint("listen", refused).starts_with("Most likely: "));
}

#[test]
fn an_unknown_word_gets_suggestions() {
    assert_eq!(nearest("ECONREFUSED")[0], "ECONNREFUSED");
    assert_eq!(nearest("EADRINUSE")[0], "EADDRINUSE");
    assert_eq!(nearest("TIMEWAIT2").first(), Some(&"TIME_WAIT"));
    assert!(nearest("refused").contains(&"ECONNREFUSED"));
    assert_eq!(nearest("wait").len(), SUGGESTIONS);
    for word in ["", "x", "-", "error", "qqqqqqqq", "été", &"E".repeat(9999)]
    {
        assert!(nearest(word).is_empty(), "{word}");
        assert!(find(word).is_empty(), "{word}");
    }
}
