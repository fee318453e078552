//! Proves that other mail programs can deliver into the sink (Python's smtplib,
//! swaks, msmtp), check its TLS (openssl), and read its folder (Python's
//! mailbox).

use std::process::Command;

use harness::terminal::Terminal;

use super::{Sink, TO_DATA, below_trace, dialogue, leftovers, messages, reply};
use harness::{Server, installed, skipped};

/// The sink's certificate, as a client's option.
fn certificate(sink: &Sink) -> String {
    let path = sink.folder.path().join("cert.pem");
    path.to_str().expect("UTF-8").to_string()
}

/// Everything that a client prints, and that it ended well.
#[track_caller]
fn run(mut client: Terminal) -> String {
    let output = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("its status");
    let text = String::from_utf8_lossy(&output).into_owned();
    assert!(status.success(), "{status}: {text}");
    text
}

#[track_caller]
fn smtplib(sink: &Sink, arguments: &[&str]) -> Option<String> {
    sink.server.python("mail/smtplib_client.py", arguments).map(run)
}

#[test]
fn w_t4a_smtplib_delivers_to_those_who_are_taken() {
    let sink = Sink::start(&["--fail", "rcpt=550:bad@b.org"]);
    let all = "bob@b.org,bad@b.org,carol@b.org";
    let Some(said) = smtplib(&sink, &["alice@a.org", all]) else { return };
    assert_eq!(said, "550 bad@b.org\n221 delivered\n");
    let text = sink.message();
    assert!(text.contains("X-Envelope-To: <carol@b.org>\r\n"), "{text}");
    assert!(!text.contains("X-Envelope-To: <bad@b.org>"), "{text}");
    // The dots are unchanged. Python itself has added the > before From.
    let body = "A line.\r\n.a dot\r\n..two dots\r\n.\r\n";
    assert!(
        text.ends_with(&format!("{body}>From me\r\nthe end\r\n")),
        "{text}"
    );
}

#[test]
fn w_t4b_smtplib_by_starttls_and_auth() {
    let sink = Sink::start(&["--tls", "--user", "alice"]);
    let file = certificate(&sink);
    let arguments = ["alice@a.org", "bob@b.org", &file, "alice", "pw"];
    let Some(said) = smtplib(&sink, &arguments) else { return };
    assert_eq!(said, "250 logged in\n221 delivered\n");
    assert!(sink.message().contains("with ESMTPSA (TLS 1.3, "));
    assert!(sink.message().contains("X-Authenticated-User: alice\r\n"));
}

/// Runs swaks against the sink, and returns what it printed.
#[track_caller]
fn swaks(sink: &Sink, arguments: &[&str]) -> Option<String> {
    if !installed("swaks", "swaks") {
        return None;
    }
    let server = sink.server.address.to_string();
    let envelope = ["--from", "a@b.org", "--to", "c@d.org,e@f.org"];
    let mut command = Command::new("swaks");
    command.args(["--server", &server, "--helo", "me.example"]);
    command.args(envelope).args(arguments);
    Some(run(Terminal::run(&mut command).expect("swaks")))
}

#[test]
fn w_t4b_swaks_in_the_clear_pipelined_and_by_tls() {
    let sink = Sink::start(&["--quiet"]);
    let Some(_) = swaks(&sink, &["--pipeline"]) else { return };
    assert!(sink.message().contains("X-Envelope-To: <e@f.org>"));
    // swaks is a Perl program, and needs another package for TLS.
    let tls = Command::new("perl").args(["-MNet::SSLeay", "-e", "1"]).output();
    if !tls.expect("perl").status.success() {
        skipped("libnet-ssleay-perl");
        return;
    }
    for (options, how) in [
        (["--tls", "--user"], "--tls"),
        (["--implicit-tls", "--user"], "--tls-on-connect"),
    ] {
        let sink = Sink::start(&[options[0], options[1], "alice"]);
        for mechanism in ["PLAIN", "LOGIN"] {
            let file = certificate(&sink);
            let said = swaks(
                &sink,
                &[
                    how,
                    "--tls-verify",
                    "--tls-ca-path",
                    &file,
                    "--auth",
                    mechanism,
                    "--auth-user",
                    "alice",
                    "--auth-password",
                    "secret",
                ],
            );
            let said = said.expect("swaks is there");
            assert!(said.contains("<~  235 2.7.0"), "{said}");
        }
        assert_eq!(sink.messages().len(), 2);
    }
}

#[test]
fn w_t4b_msmtp_in_the_clear_and_by_tls() {
    if !installed("msmtp", "msmtp") {
        return;
    }
    let deliver = |sink: &Sink, arguments: &[&str]| {
        let (host, port) = sink.server.host_and_port();
        let mut command = Command::new("msmtp");
        command.arg(format!("--host={host}")).arg(format!("--port={port}"));
        command.arg("--from=alice@a.org").args(arguments);
        command.args(["--", "bob@b.org", "carol@b.org"]);
        let mut client = Terminal::run(&mut command).expect("msmtp");
        let message = b"Subject: hi\n\n.dot\nend\n";
        client.type_bytes(message).expect("it reads");
        client.end_input();
        run(client);
    };
    let sink = Sink::start(&[]);
    deliver(&sink, &[]);
    let text = sink.message();
    assert!(below_trace(&text).ends_with("\r\n\r\n.dot\r\nend\r\n"), "{text}");
    for (option, starttls) in [("--tls", "on"), ("--implicit-tls", "off")] {
        let sink = Sink::start(&[option, "--user", "alice"]);
        deliver(
            &sink,
            &[
                "--tls=on",
                &format!("--tls-starttls={starttls}"),
                &format!("--tls-trust-file={}", certificate(&sink)),
                "--auth=plain",
                "--user=alice",
                "--passwordeval=echo secret",
            ],
        );
        assert!(sink.message().contains("with ESMTPSA"));
    }
}

#[test]
fn w_t4b_openssl_reads_the_sinks_tls() {
    if !installed("openssl", "openssl") {
        return;
    }
    for (option, arguments) in [
        ("--tls", &["-starttls", "smtp"][..]),
        ("--implicit-tls", &["-quiet"][..]),
    ] {
        let sink = Sink::start(&[option]);
        let file = certificate(&sink);
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-connect", &sink.server.address.to_string()])
            .args(["-CAfile", &file, "-verify_return_error"])
            .args(["-verify_hostname", "localhost", "-crlf", "-ign_eof"])
            .args(arguments);
        let mut client = Terminal::run(&mut command).expect("openssl");
        if option == "--tls" {
            client.wait_for("…Verify return code: 0 (ok)…").expect("trust");
        } else {
            client.wait_for("220 localhost ESMTP…").expect("the greeting");
        }
        client.type_line("EHLO me").expect("typed");
        client.wait_for("250-localhost greets me…").expect("a reply");
        client.type_line("QUIT").expect("typed");
        client.wait_for("221 2.0.0 bye…").expect("a reply");
        client.wait_for_end().expect("it ends");
        // No file contains the key.
        let pem = std::fs::read_to_string(&file).expect("the certificate");
        assert!(!pem.contains("PRIVATE"));
        assert_eq!(leftovers(sink.folder.path()), [""; 0]);
    }
    // A client that does not trust the certificate ends with an error.
    let sink = Sink::start(&["--implicit-tls"]);
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-connect", &sink.server.address.to_string()])
        .arg("-verify_return_error");
    let mut client = Terminal::run(&mut command).expect("openssl");
    client.wait_for("…verify error…self…").expect("no trust");
}

#[test]
fn w_t4b_python_reads_the_maildir_that_the_sink_writes() {
    let sink = Sink::start(&["--tls"]); // its cert.pem is in the folder, too
    for to in ["bob@b.org", "carol@b.org"] {
        let Some(_) = smtplib(&sink, &["alice@a.org", to]) else { return };
    }
    let client = sink.after(TO_DATA);
    dialogue(&client, &[("x: y\r\n\r\nFrom me\r\n.", "250")]);
    let script = "import mailbox, sys
box = mailbox.Maildir(sys.argv[1], create=False)
print(len(box), box.list_folders(), *[box[k].get_subdir() for k in box.keys()])
print(*sorted(m['X-Envelope-To'] for m in box))
print(sum('\\nFrom me\\n' in m.as_string() for m in box))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(sink.folder.path());
    let said = run(Terminal::run(&mut command).expect("python3"));
    // Python's client has written `>From me` in its two messages.
    let wanted = "3 [] new new new\n\
                  <bob@b.org> <bob@example.org> <carol@b.org>\n1\n";
    assert_eq!(said, wanted);
}

#[test]
fn w_t4a_the_sink_listens_on_ipv6_too() {
    let folder = tempfile::tempdir().expect("a folder");
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    let path = folder.path().to_str().expect("UTF-8");
    let mut command = harness::terminal::command("mail-sink");
    command.args(["::1", "0", "--dir", path]);
    let server = Server::run(&mut command);
    let client = server.connect();
    assert!(reply(&client).starts_with("220"));
    dialogue(&client, &[("EHLO [IPv6:::1]", "250")]);
    dialogue(&client, TO_DATA);
    dialogue(&client, &[(".", "250")]);
    let text = messages(folder.path()).concat();
    assert!(text.contains("from [IPv6:::1] ([IPv6:::1])\r\n"), "{text}");
}
