//! Proves the parts that need no socket: addresses, replies, dots, the
//! extensions of a server, when TLS begins, and which log-in is chosen.

use mail::client::auth::{Mechanism, choose};
use mail::client::extensions::Extensions;
use mail::client::mailbox::{Mailbox, typed_address};
use mail::client::tls_policy::{TlsPolicy, may_log_in};
use mail::smtp::address::Address;
use mail::smtp::dot_stuffing::{stuffed, unstuffed};
use mail::smtp::reply::{Reply, ReplyLine, parse_line};
use proptest::prelude::*;

#[test]
fn addresses_are_told_from_what_is_none() {
    for good in [
        "ada@example.com",
        "root@localhost",
        "a.b+c_d@mail.example.org",
        "o'hara@example.com",
        "\"john doe\"@example.com",
        "\"a@b\"@example.com",
        "x@[192.0.2.1]",
        "x@[IPv6:2001:db8::1]",
        "ümit@example.com",
    ] {
        let found = Address::parse(good).map(|address| address.text());
        assert_eq!(found.as_deref(), Ok(good));
    }
    for bad in [
        "",
        "ada",
        "@example.com",
        "ada@",
        ".ada@example.com",
        "a..b@example.com",
        "a b@example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@exam ple.com",
        "ada@[300.1.1.1]",
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com\nBcc: eve@example.com",
        "ada>@example.com",
        "<ada@example.com>",
        "a\0@example.com",
        "\"a\"b\"@example.com",
        "\"a\\\"@example.com",
    ] {
        assert!(Address::parse(bad).is_err(), "{bad:?}");
    }
    let long = format!("{}@example.com", "x".repeat(65));
    assert!(Address::parse(&long).is_err());
}

#[test]
fn a_domain_in_another_script_has_an_ascii_form() -> Result<(), String> {
    let address = typed_address("ada@bücher.example")?;
    assert_eq!(address.text(), "ada@xn--bcher-kva.example");
    assert!(!address.needs_utf8());
    assert!(typed_address("ümit@example.com")?.needs_utf8());
    assert!(typed_address("a\u{202e}b@example.com").is_err());
    assert!(typed_address("\"a>b\"@example.com").is_err());
    Ok(())
}

#[test]
fn names_may_have_commas() -> Result<(), String> {
    let list = "Ada <ada@x.org>, \"Doe, \\\"J\\\"\" <j@x.org>,k@x.org";
    let found = Mailbox::parse_list(list)?;
    let names: Vec<_> = found.iter().map(|one| one.name.as_deref()).collect();
    assert_eq!(names, [Some("Ada"), Some("Doe, \"J\""), None]);
    assert!(Mailbox::parse_list("a@x.org,,b@x.org").is_err());
    assert!(Mailbox::parse_list("a@x.org,").is_err());
    assert!(Mailbox::parse("Ada\r\nBcc: e@x.org <ada@x.org>").is_err());
    assert!(Mailbox::parse("Ada <ada@x.org").is_err());
    Ok(())
}

#[test]
fn a_line_is_three_digits_and_a_blank_or_a_dash() {
    let line = |code, has_more, text: &str| {
        Some(ReplyLine { code, has_more, text: text.into() })
    };
    assert_eq!(parse_line(b"250 ok"), line(250, false, "ok"));
    assert_eq!(parse_line(b"250-SIZE 1"), line(250, true, "SIZE 1"));
    assert_eq!(parse_line(b"354"), line(354, false, ""));
    assert_eq!(parse_line(b"220 "), line(220, false, ""));
    let bad: [&[u8]; 9] = [
        b"",
        b"25",
        b"2500 ok",
        b"250_ok",
        b"199 x",
        b"600 x",
        b"+OK POP3",
        b"HTTP/1.1 400 Bad Request",
        "٢٥٠ ok".as_bytes(),
    ];
    for bad in bad {
        assert_eq!(parse_line(bad), None, "{bad:?}");
    }
}

#[test]
fn the_enhanced_code_is_found_and_explained() {
    let gone = Reply::new(550, "5.1.1 <x@example.com>: unknown");
    assert!(gone.explained().contains("permanent"));
    assert!(gone.explained().contains("no such mailbox"));
    let none = Reply::new(554, "version 5.1.1").explained();
    assert!(!none.contains("no such mailbox"), "{none}");
    let later = Reply::new(451, "greylisted");
    assert!(later.explained().contains("temporary"));
    assert!(later.explained().contains("unknown senders"));
}

#[test]
fn the_refusals_that_everybody_meets_come_with_advice() {
    let tls = Reply::new(530, "5.7.0 Must issue a STARTTLS command first");
    assert!(tls.explained().contains("--tls starttls"));
    let login = Reply::new(530, "5.7.0 Authentication required");
    assert!(login.explained().contains("--user"));
    let google =
        Reply::new(534, "5.7.9 Application-specific password required");
    assert!(google.explained().contains("xoauth2"));
    let relay = Reply::new(554, "5.7.1 <a@b>: Relay access denied");
    assert!(relay.explained().contains("other domains"));
}

/// The text that a server stores from the bytes after DATA, up to the dot.
fn stored(wire: &str) -> Option<String> {
    let mut stored = String::new();
    for line in wire.split_terminator("\r\n") {
        if line == "." {
            return Some(stored);
        }
        stored += &String::from_utf8_lossy(unstuffed(line.as_bytes()));
        stored += "\r\n";
    }
    None
}

fn sent(message: &str) -> Result<String, String> {
    let wire = stuffed(message.as_bytes())?;
    String::from_utf8(wire).map_err(|error| error.to_string())
}

#[test]
fn dots_are_doubled_at_the_start_of_lines_only() -> Result<(), String> {
    assert_eq!(sent("a.b\n.\n..\n.c\n")?, "a.b\r\n..\r\n...\r\n..c\r\n.\r\n");
    Ok(())
}

#[test]
fn line_ends_are_made_crlf_once() -> Result<(), String> {
    assert_eq!(sent("a\r\nb\nc")?, "a\r\nb\r\nc\r\n.\r\n");
    assert_eq!(sent("")?, ".\r\n");
    assert_eq!(sent("\n\n")?, "\r\n\r\n.\r\n");
    Ok(())
}

#[test]
fn what_servers_read_differently_is_refused() {
    assert!(stuffed(b"a\rb").is_err());
    assert!(stuffed(b"a\n.\r.\n").is_err());
    assert!(stuffed(b"a\0b").is_err());
    assert!(stuffed(&[b'x'; 998]).is_ok());
    assert!(stuffed(&[b'x'; 999]).is_err());
}

proptest! {
    #[test]
    fn a_server_finds_every_text_again(
        lines in prop::collection::vec("[.a-zé ]{0,9}", 0..20)
    ) {
        let text: String =
            lines.iter().map(|line| format!("{line}\n")).collect();
        let found = sent(&text).map(|wire| stored(&wire));
        prop_assert_eq!(found, Ok(Some(text.replace('\n', "\r\n"))));
    }
}

fn extensions(lines: &[&str]) -> Extensions {
    Extensions::of(&Reply::new(250, &lines.join("\n")))
}

#[test]
fn keywords_are_read_in_either_case() {
    let found = extensions(&[
        "STARTTLS.example greets you", // no offer: the first line
        "size 1000",
        "Auth plain LOGIN",
        "AUTH=CRAM-MD5 X", // how servers of the nineties wrote it
        "8bitmime",
        "X-UNKNOWN",
        "",
    ]);
    assert!(!found.starttls && found.eight_bit && !found.utf8);
    assert_eq!(found.auth, ["plain", "LOGIN"]);
    assert_eq!(found.refuses_size(1001), Some(1000));
    assert_eq!(found.refuses_size(1000), None);
    assert_eq!(extensions(&["x", "SIZE 0"]).refuses_size(9999), None);
    assert_eq!(extensions(&["x", "SIZE"]).refuses_size(9999), None);
    assert_eq!(extensions(&["x", "SIZE -1"]).size, None);
}

#[test]
fn nothing_falls_back_to_the_clear() {
    for loopback in [true, false] {
        let stripped = TlsPolicy::Upgrade.wants_starttls(false, loopback);
        assert!(stripped.is_err());
        assert_eq!(TlsPolicy::Auto.wants_starttls(true, loopback), Ok(true));
        assert_eq!(TlsPolicy::Off.wants_starttls(true, loopback), Ok(false));
    }
    assert_eq!(TlsPolicy::Auto.wants_starttls(false, true), Ok(false));
    assert!(TlsPolicy::Auto.wants_starttls(false, false).is_err());
    assert!(
        TlsPolicy::Auto.comes_first(465) && TlsPolicy::Implicit.comes_first(25)
    );
    assert!(
        !TlsPolicy::Auto.comes_first(587) && !TlsPolicy::Off.comes_first(465)
    );
    assert!(may_log_in(false, false).is_err());
    assert!(may_log_in(true, false).is_ok());
    assert!(may_log_in(false, true).is_ok());
}

fn offered(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_string).collect()
}

#[test]
fn plain_comes_before_login_and_a_token_is_never_guessed() {
    let both = offered("LOGIN plain CRAM-MD5");
    assert_eq!(choose(None, &both), Ok(Mechanism::Plain));
    assert_eq!(choose(None, &offered("LOGIN")), Ok(Mechanism::Login));
    let wanted = Some(Mechanism::Login);
    assert_eq!(choose(wanted, &both), Ok(Mechanism::Login));
    assert!(choose(None, &offered("XOAUTH2")).is_err());
    let nothing = choose(None, &[]);
    assert!(nothing.is_err_and(|advice| advice.contains("587")));
}
