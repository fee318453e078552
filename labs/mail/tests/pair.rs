//! Proves that the client and the sink work together: the sink has stored
//! exactly what the client reports as sent.

use std::fs;
use std::io::Write;
use std::path::Path;

use harness::terminal::{self, Terminal};

use crate::letters::{has_part, read_stored};
use crate::script::{Done, client};
use harness::Server;

/// A sink with these options, and its folder.
fn sink(options: &[&str]) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = terminal::command("mail-sink");
    command.args(["127.0.0.1", "0", "--dir"]).arg(folder.path());
    command.args(options).env("MAIL_SINK_PASSWORD", "tanstaaf");
    (Server::run(&mut command), folder)
}

#[track_caller]
fn send(sink: &Server, folder: &Path, options: &[&str], body: &[u8]) -> Done {
    let mut command = terminal::command("mail-client");
    command.args(client("127.0.0.1", sink.address.port(), options));
    command.env("SSL_CERT_FILE", folder.join("cert.pem"));
    command.env("MAIL_PASSWORD", "tanstaaf").env_remove("TRACE");
    let mut client = Terminal::run(&mut command).expect("it starts");
    let mut input = client.take_input().expect("a pipe");
    input.write_all(body).expect("it reads");
    drop(input);
    let screen = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends").code();
    let screen = String::from_utf8(screen).expect("text");
    Done { status, screen, server: Ok(String::new()) }
}

/// The messages in the folder.
fn stored(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder.join("new")).expect("a folder").flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a message")).collect()
}

#[test]
fn w_t4b_what_we_send_is_what_the_sink_stores() {
    let (server, folder) = sink(&["--tls", "--user", "tim"]);
    let bytes: Vec<u8> = (0..70_000u32).map(|n| (n * 7 % 256) as u8).collect();
    let file = folder.path().join("Größe.bin");
    fs::write(&file, &bytes).expect("written");
    let options = [
        "--user",
        "tim",
        "--to",
        "ümit@example.org",
        "--bcc",
        "hidden@example.org",
        "--subject",
        "世界",
        "--attach",
        file.to_str().expect("text"),
    ];
    let body = "Grüße\n.\n..\n\n.end\n";
    let done = send(&server, folder.path(), &options, body.as_bytes());
    done.ended(0, &["TLS 1.3", "SMTPUTF8\n", "sent to 2 of 2"]);
    let messages = stored(folder.path());
    assert_eq!(messages.len(), 1);
    let text = String::from_utf8_lossy(&messages[0]).into_owned();
    let told = text.lines().filter(|line| line.contains("hidden@"));
    let told: Vec<&str> = told.collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told.iter().all(|line| line.starts_with("X-Envelope-To: ")));
    let Some(found) = read_stored(&messages) else { return };
    has_part(
        &found[0],
        "text/plain",
        "None",
        body.replace('\n', "\r\n").as_bytes(),
    );
    has_part(&found[0], "application/octet-stream", "Größe.bin", &bytes);
    // All other log-ins are refused.
    let wrong = ["--user", "tom"];
    let done = send(&server, folder.path(), &wrong, b"x\n");
    done.not_sent(&["535"]);
    let done = send(&server, folder.path(), &["--tls", "off"], b"x\n");
    done.not_sent(&["530", "--tls starttls"]);
    assert_eq!(stored(folder.path()).len(), 1);
}

#[test]
fn w_t4a_tls_before_the_first_word_reaches_the_sink() {
    let (server, folder) = sink(&["--implicit-tls"]);
    let done = send(&server, folder.path(), &["--tls", "implicit"], b"x\n");
    done.ended(0, &["TLS 1.3", "sent to 1 of 1"]);
    assert_eq!(stored(folder.path()).len(), 1);
}

#[test]
fn w_t4a_whatever_fails_sent_means_stored() {
    for verb in ["greeting", "ehlo", "mail", "rcpt", "data", "dot", "quit"] {
        for fault in ["--drop-after", "451", "550"] {
            let refused = format!("{verb}={fault}");
            let options = match fault {
                "--drop-after" => [fault, verb],
                _ => ["--fail", &refused],
            };
            let (server, folder) = sink(&options);
            let done = send(&server, folder.path(), &[], b"x\n");
            let count = stored(folder.path()).len();
            match (verb, fault) {
                // After the 250 for the dot no fault changes the result. After
                // a permanent refusal of EHLO, HELO is enough.
                ("quit", _) | ("ehlo", "550") => {
                    done.ended(0, &["sent to 1 of 1"]);
                    assert_eq!(count, 1, "{options:?}");
                }
                // The message is stored, but the client cannot know it.
                ("dot", "--drop-after") => {
                    done.ended(1, &["unknown: "]);
                    assert_eq!(count, 1, "{options:?}");
                }
                _ => {
                    done.not_sent(&[]);
                    assert_eq!(count, 0, "{options:?}");
                }
            }
        }
    }
}
