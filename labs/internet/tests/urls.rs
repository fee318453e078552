//! URLs: what they may hold, what they may not smuggle.

use std::net::UdpSocket;

use crate::parts::{
    Then, command, failure, fetch, peer_at, said, script, text,
};

#[test]
fn t_m_a_url_that_makes_no_sense_is_a_usage_error() {
    for (url, wanted) in [
        ("pop3", "is not a URL"),
        ("mailto://x/", "no scheme mailto: there are http"),
        ("pop3:///1", "is not a host"),
        ("pop3://ann@/1", "is not a host"),
        ("imap://ann;AUTH=GSSAPI@h/", "of ;AUTH= there is * only"),
        ("pop3://h:0/", "is not 1 to 65535"),
        ("pop3://h:65536/", "is not 1 to 65535"),
        ("pop3://h:x/", "is not 1 to 65535"),
        ("pop3://[::1/", "an IPv6 address ends with ]"),
        ("pop3://[::1]x/", "after the host"),
        ("pop3://h/one", "is not a number"),
        ("pop3://h/0", "is not a number"),
        ("pop3://h/1?x", "is not a number"),
        ("imap://h/INBOX;UID=x", "is not a UID"),
        ("imap://h/;UID=1", "a UID without a mailbox"),
        ("imap://h/?ALL", "a search without a mailbox"),
        ("imap://h/INBOX?", "a search has words of ASCII"),
        ("imap://h/INBOX?FROM%20%C3%A9", "a search has words of ASCII"),
        ("imap://h/INBOX?ALL%0d%0aa9%20DELETE%20x", "%0d in a URL is refused"),
        ("imap://h/INBOX;UID=1?ALL", "a UID and a search"),
        ("imap://h/INBOX;SECTION=1", "is not understood"),
        ("nntp://h/g/x", "it is nntp://HOST/GROUP/NUMBER"),
        ("ftp://h/f;type=e", "after ;type= use i (file) or d (folder)"),
        ("ftp://h/%zz", "% needs two hex digits after it"),
        ("ftp://h/%f", "% needs two hex digits after it"),
        ("ftp://h/%ff", "UTF-8 is needed"),
        ("ftp://h/a b", "no spaces and control characters"),
        ("ftp://h/a\r\nDELE b", "no spaces and control characters"),
        ("ftp://h/a%0d%0aDELE%20b", "%0d in a URL is refused"),
        ("ftp://h/a%0ADELE%20b", "%0a in a URL is refused"),
        ("ftp://h/a%00", "%00 in a URL is refused"),
        ("ftp://a%0d%0aDELE%20b@h/", "%0d in a URL is refused"),
        ("ftp://a:b%0d%0aDELE%20b@h/", "%0d in a URL is refused"),
        ("gopher://h/0x%0d%0ay", "%0d in a URL is refused"),
        ("http://h/%0d%0aX:%20y", "%0d in a URL is refused"),
        ("http://ann@h/", "a user in an http URL is not sent"),
        ("imap://h/a%0d%0ab", "%0d in a URL is refused"),
    ] {
        let output = fetch(&[url]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{url}: {text}");
        assert!(text.contains(wanted), "{url}: {text}");
    }
    for url in ["pop3s://h/", "http://h/", "gopher://h/", "telnet://h/"] {
        let output = fetch(&["--starttls", url]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
}

#[test]
fn t_m_names_are_decoded_once_and_addresses_may_be_ipv6() {
    let (address, heard) = script(
        vec![
            ("", b"220 hi\r\n"),
            ("USER a@b", b"331 ?\r\n"),
            ("PASS ", b"230 in\r\n"),
            ("TYPE I", b"200 I\r\n"),
            ("SIZE d/100%25.txt", b"213 9\r\n"),
        ],
        Then::Close,
    );
    let url = format!("FTP://a%40b;AUTH=*@{address}/d/100%2525.txt#part");
    failure(&fetch(&[&url]));
    assert_eq!(heard.all().len(), 4, "{:?}", heard.all());

    let address = peer_at("::1", |mut client| {
        let line = crate::parts::line(&mut client);
        let answer = format!("{}.\r\n.\r\n", line.replace('\t', "<TAB>"));
        let _ = std::io::Write::write_all(&mut client, answer.as_bytes());
    });
    let url = format!("gopher://{address}/0/find%09two%20words");
    assert_eq!(text(&fetch(&[&url])), "/find<TAB>two words.\n");
}

#[test]
fn t_m_a_password_in_a_url_is_warned_of_and_masked() {
    let steps = vec![
        ("", &b"+OK\r\n"[..]),
        ("USER ann", b"+OK\r\n"),
        ("PASS swordfish", b"-ERR wrong\r\n"),
    ];
    let (address, heard) = script(steps, Then::Close);
    let text = failure(&fetch(&[&format!("pop3://ann:swordfish@{address}/")]));
    assert!(text.contains("warning: a password in a URL can be read"));
    assert!(text.contains("C: PASS ****"), "{text}");
    assert!(!text.contains("swordfish"), "{text}");
    assert_eq!(heard.all().len(), 2);
    let (address, _) = script(vec![("", b"+OK\r\n")], Then::Hang);
    let mut none = command(&[&format!("pop3://ann@{address}/")]);
    none.env_remove("FETCH_PASSWORD");
    let text = failure(&none.output().expect("fetch runs"));
    assert!(text.contains("no password: set FETCH_PASSWORD"), "{text}");
    let (address, _) = script(vec![("", b"+OK\r\n")], Then::Hang);
    let text = failure(&fetch(&[&format!("pop3://{address}/")]));
    assert!(text.contains("who you are: pop3://USER@127.0.0.1/"), "{text}");
    let (address, heard) = script(vec![("", b"+OK\r\n")], Then::Hang);
    let mut two = command(&[&format!("pop3://ann@{address}/")]);
    two.env("FETCH_PASSWORD", "a\r\nDELE 1");
    let text = failure(&two.output().expect("fetch runs"));
    assert!(text.contains("no control characters"), "{text}");
    assert!(heard.all().is_empty());
}

#[test]
fn t_m_no_password_in_the_clear_to_another_machine() {
    // An address of this machine that is not loopback acts as another machine.
    let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if probe.connect("192.0.2.1:9").is_err() {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    }
    let own = probe.local_addr().expect("an address").ip().to_string();
    for (scheme, greeting) in [
        ("pop3", "+OK\r\n"),
        ("imap", "* OK [CAPABILITY IMAP4rev1]\r\n"),
        ("ftp", "220 hi\r\n"),
        ("nntp", "200 hi\r\n"),
    ] {
        let (sender, heard) = std::sync::mpsc::channel();
        let address = peer_at(&own, move |mut client| {
            let _ = std::io::Write::write_all(&mut client, greeting.as_bytes());
            let _ = sender.send(crate::parts::line(&mut client));
        });
        let url = format!("{scheme}://ann@{address}/");
        let text = failure(&fetch(&[&url]));
        let wanted = format!("Use {scheme}s:// or --starttls");
        assert!(text.contains(&wanted), "{text}");
        assert_eq!(heard.recv().as_deref(), Ok(""), "{scheme}: not the name");
        failure(&fetch(&["--allow-clear", &url]));
        let sent = heard.recv().expect("a line");
        assert!(sent.contains("ann"), "{scheme} {sent}");
    }
}
