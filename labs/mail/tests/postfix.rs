//! Proves our client against Postfix, which asks Dovecot for the passwords,
//! our fetch against Dovecot, which opens the mailboxes, and our sink's
//! Maildir, which Dovecot reads: instances of their own,
//! on free ports, in a folder of their own. Postfix begins as root only, so
//! the test needs root or `sudo -n`. Nothing leaves the machine: mail for
//! other domains is discarded.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::terminal::{self, Terminal};

use crate::letters::{has_part, read_stored};
use crate::script::{Done, Identity, client, identity};
use crate::sink::{Sink, TO_DATA, dialogue};
use harness::installed;

/// Both servers, and where they listen.
struct Postfix {
    folder: tempfile::TempDir,
    identity: Identity,
    clear: u16,      // port 25's like: STARTTLS offered
    submission: u16, // port 587's like: nothing without log-in
    implicit: u16,   // port 465's like
    imap: u16,
    pop3: u16,
    servers: Vec<Terminal>,
}

/// The first of Postfix's processes. `postfix start-fg` is a script that starts
/// it and many other programs.
const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// The folder of Postfix's messages and of the sockets between its processes.
const SPOOL: &[&str] = &[
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
    "incoming", "maildrop", "private", "public", "saved", "trace",
];

/// A command that runs as root; `None` if this is not allowed.
fn as_root(program: &str) -> Option<Command> {
    if rustix::process::geteuid().is_root() {
        return Some(Command::new(program));
    }
    let asked = Command::new("sudo").args(["-n", "true"]).status();
    if !asked.is_ok_and(|status| status.success()) {
        eprintln!("skipped: Postfix begins as root only, and sudo asks");
        let required = std::env::var_os("REQUIRE_PEERS").is_some();
        assert!(!required, "REQUIRE_PEERS is set: run as root");
        return None;
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    Some(command)
}

fn root(program: &str, arguments: &[&str]) {
    let mut command = as_root(program).expect("checked before");
    let output = command.args(arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

fn postfix() -> Option<Postfix> {
    // The PATH of many users does not contain them.
    for (program, package) in
        [(MASTER, "postfix"), ("/usr/sbin/dovecot", "dovecot-imapd")]
    {
        if !Path::new(program).is_file() && !installed(program, package) {
            return None;
        }
    }
    as_root("true")?;
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir, open).expect("its mode");
    let identity = identity(&["127.0.0.1", "localhost"]);
    let (clear, submission, implicit) = (free_port(), free_port(), free_port());
    let (imap, pop3) = (free_port(), free_port());
    let write = |name: &str, text: String| {
        fs::write(dir.join(name), text).expect("written");
    };
    write("main.cf", main_cf(dir, &identity));
    write("master.cf", master_cf(clear, submission, implicit));
    write("dovecot.conf", dovecot_conf(dir, imap, pop3));
    write(
        "users",
        "tim:{PLAIN}tanstaaf\nbob:{PLAIN}tanstaaf\n\
                    sink:{PLAIN}tanstaaf\n"
            .into(),
    );
    let path = dir.to_str().expect("text");
    for (owner, folders) in [
        ("nobody", &["mail"][..]),
        ("root", &["spool", "spool/pid", "dovecot"]),
        ("postfix", &["data"]),
        ("postfix", SPOOL),
    ] {
        for folder in folders {
            let folder = match folders == SPOOL {
                true => format!("{path}/spool/{folder}"),
                false => format!("{path}/{folder}"),
            };
            fs::create_dir(&folder).expect("a folder");
            root("chown", &[owner, &folder]);
        }
    }
    let mut servers = Vec::new();
    let mut start = |program: &str, arguments: &[&str], ready: &str| {
        let mut command = as_root(program).expect("checked before");
        command.args(arguments);
        let mut server = Terminal::run(&mut command).expect("it starts");
        server.wait_for(ready).unwrap_or_else(|e| panic!("{e}"));
        servers.push(server);
    };
    let conf = format!("{path}/dovecot.conf");
    start("/usr/sbin/dovecot", &["-F", "-c", &conf], "…starting up…");
    start(MASTER, &["-c", path, "-s"], "…daemon started…");
    Some(Postfix {
        folder,
        identity,
        clear,
        submission,
        implicit,
        imap,
        pop3,
        servers,
    })
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Their children end with them.
        for server in &self.servers {
            if let Some(mut kill) = as_root("kill") {
                let _ = kill.arg(server.pid().to_string()).output();
            }
        }
        for server in &mut self.servers {
            let log = server.read_to_end().unwrap_or_default();
            if std::thread::panicking() {
                eprintln!("{}", String::from_utf8_lossy(&log));
            }
        }
        if !rustix::process::geteuid().is_root()
            && let Some(mut chown) = as_root("chown")
        {
            let user = rustix::process::getuid().as_raw().to_string();
            let _ = chown.args(["-R", &user]).arg(self.folder.path()).status();
        }
    }
}

fn main_cf(dir: &Path, identity: &Identity) -> String {
    let (dir, cert) = (dir.display(), identity.file.display());
    let key = dir.to_string() + "/key.pem";
    // Postfix reads it as root; others must not.
    fs::copy(&identity.key, &key).expect("a copy");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("mode");
    format!(
        "compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = mail.test
mydestination =
mynetworks = 192.0.2.0/24
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
default_transport = discard
message_size_limit = 5000000
virtual_mailbox_domains = example.org
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = inline:{{ {{bob@example.org=bob/}} {{cy@example.org=cy/}} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_error_sleep_time = 0
"
    )
}

fn master_cf(clear: u16, submission: u16, implicit: u16) -> String {
    let mut text = format!(
        "127.0.0.1:{clear} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{implicit} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
cleanup unix n - n - 0 cleanup
flush unix n - n 1000? 0 flush
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"
    );
    for service in ["proxymap", "error", "retry", "discard", "virtual"] {
        let program = if service == "retry" { "error" } else { service };
        text.push_str(&format!("{service} unix - n n - - {program}\n"));
    }
    text
}

fn dovecot_conf(dir: &Path, imap: u16, pop3: u16) -> String {
    let dir = dir.display();
    format!(
        "protocols = imap pop3
listen = 127.0.0.1
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%n
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service auth {{
  unix_listener {dir}/spool/private/auth {{
    mode = 0666
  }}
}}
"
    )
}

impl Postfix {
    /// Runs our client with one of its ports.
    #[track_caller]
    fn send(&self, port: u16, options: &[&str], body: &[u8]) -> Done {
        let mut command = terminal::command("mail-client");
        command.args(client("127.0.0.1", port, options));
        command.env("SSL_CERT_FILE", &self.identity.file).env_remove("TRACE");
        command.env("MAIL_PASSWORD", "tanstaaf");
        let mut client = Terminal::run(&mut command).expect("it starts");
        let mut input = client.take_input().expect("a pipe");
        input.write_all(body).expect("it reads");
        drop(input);
        let screen = client.read_to_end().expect("it ends");
        let status = client.wait_for_end().expect("it ends").code();
        let screen = String::from_utf8(screen).expect("text");
        Done { status, screen, server: Ok(String::new()) }
    }

    /// The output of our fetch for this mailbox.
    #[track_caller]
    fn fetch(&self, url: String) -> Vec<u8> {
        let mut command = terminal::command("fetch");
        command.arg(&url).env("FETCH_PASSWORD", "tanstaaf");
        command.env_remove("TRACE");
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{url}: {said}");
        output.stdout
    }

    /// Waits until its log contains this text.
    #[track_caller]
    fn logs(&mut self, pattern: &str) -> String {
        let postfix = self.servers.last_mut().expect("it runs");
        postfix.wait_for(pattern).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The messages in a user's mailbox: new ones, and those that Dovecot has
    /// read.
    fn mailbox(&self, name: &str) -> Vec<Vec<u8>> {
        let folder = self.folder.path().join("mail").join(name);
        if !rustix::process::geteuid().is_root() {
            let path = self.folder.path().to_str().expect("text");
            root("chmod", &["-R", "a+rX", &format!("{path}/mail")]);
        }
        let parts = ["new", "cur"].map(|part| folder.join(part));
        let files = parts.iter().flat_map(fs::read_dir).flatten().flatten();
        let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).expect("a message")).collect()
    }
}

const DELIVERED: &str = "…to=<bob@example.org>…status=sent…";

#[test]
fn w_t4b_postfix_delivers_what_we_send() {
    let Some(mut postfix) = postfix() else { return };
    many_kinds_of_text_arrive(&mut postfix);
    relaying_needs_a_log_in(&mut postfix);
    the_rest(&mut postfix);
    dovecot_reads_what_our_sink_stores(&postfix);
}

/// A message with everything, which bob reads by POP3 and by IMAP.
fn many_kinds_of_text_arrive(postfix: &mut Postfix) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("every byte.bin");
    let bytes: Vec<u8> =
        (0..300_000u32).map(|n| (n * 31 % 257) as u8).collect();
    fs::write(&file, &bytes).expect("written");
    let file = file.to_str().expect("text");

    // TLS by STARTTLS, all that Postfix offers, three recipients.
    let body = "Grüße!\n.\n..\n.hidden\nno end";
    let options = [
        "--from",
        "Ada Lövelace <ada@example.com>",
        "--to",
        "bob@example.org, nobody@example.org",
        "--bcc",
        "cy@example.org",
        "--subject",
        "Größe 世界",
        "--attach",
        file,
    ];
    let done = postfix.send(postfix.clear, &options, body.as_bytes());
    done.ended(
        1,
        &[
            "S: 250-PIPELINING",
            "TLS 1.3",
            "BODY=8BITMIME",
            "sent to 2 of 3: bob@example.org, cy@example.org",
            "NOT sent to nobody@example.org: 550 5.1.1",
            "2.0.0 Ok: queued as",
        ],
    );
    postfix.logs("…status=sent…");
    postfix.logs("…status=sent…");
    let stored = ["bob", "cy"].map(|name| {
        let mut found = postfix.mailbox(name);
        assert_eq!(found.len(), 1, "{name}");
        let message = found.pop().expect("counted");
        let text = String::from_utf8_lossy(&message).into_owned();
        let header = text.split("\n\n").next().expect("a header");
        let delivered_to = format!("Delivered-To: {name}@example.org");
        let others = header.lines().filter(|line| **line != delivered_to);
        let others: String = others.collect();
        assert!(!others.contains("<cy@example.org>"), "Bcc told: {others}");
        message
    });
    let Some(found) = read_stored(&stored) else { return };
    for lines in found {
        assert!(lines.contains(&"Subject: Größe 世界".to_string()));
        let sender = "From: Ada Lövelace <ada@example.com>".to_string();
        assert!(lines.contains(&sender));
        let kind = "application/octet-stream";
        has_part(&lines, kind, "every byte.bin", &bytes);
        // The mailbox decides which newline a text has; here it is \n.
        has_part(&lines, "text/plain", "None", body.as_bytes());
    }

    // Bob reads it by POP3 and by IMAP, byte for byte.
    let [message, _] = stored;
    let wire = String::from_utf8_lossy(&message).replace('\n', "\r\n");
    let pop3 = format!("pop3://bob@127.0.0.1:{}/1", postfix.pop3);
    let imap = format!("imap://bob@127.0.0.1:{}/INBOX;UID=1", postfix.imap);
    for url in [pop3, imap] {
        let read = postfix.fetch(url);
        assert!(String::from_utf8_lossy(&read) == wire, "read differently");
    }
}

/// Mail for others is discarded after the log-in.
fn relaying_needs_a_log_in(postfix: &mut Postfix) {
    let elsewhere = ["--to", "eve@elsewhere.test"];
    let done = postfix.send(postfix.clear, &elsewhere, b"x\n");
    done.not_sent(&["554 5.7.1", "other domains"]);
    for how in ["plain", "login"] {
        let login = [&elsewhere[..], &["--user", "tim", "--auth", how]];
        let done = postfix.send(postfix.submission, &login.concat(), b"x\n");
        done.ended(0, &["235 2.7.0", "sent to 1 of 1"]);
        postfix.logs("…to=<eve@elsewhere.test>…status=sent…");
    }
    let wrong = [&elsewhere[..], &["--user", "tom"]].concat();
    let done = postfix.send(postfix.submission, &wrong, b"x\n");
    done.not_sent(&["535 5.7.8", "user name or password is wrong"]);
    let done = postfix.send(postfix.submission, &["--tls", "off"], b"x\n");
    done.not_sent(&["530 5.7.0", "--tls starttls"]);
    let clear = ["--tls", "off", "--user", "tim"];
    let done = postfix.send(postfix.clear, &clear, b"x\n");
    done.not_sent(&["does not offer a log-in"]); // smtpd_tls_auth_only
}

/// Other ways to begin TLS, and commands that Postfix refuses.
fn the_rest(postfix: &mut Postfix) {
    // TLS before the greeting; an empty text; then one without TLS.
    let options = ["--tls", "implicit", "--user", "tim", "-q"];
    let done = postfix.send(postfix.implicit, &options, b"");
    done.ended(0, &["sent to 1 of 1"]);
    postfix.logs(DELIVERED);
    let done = postfix.send(postfix.clear, &["--tls", "off"], b"clear\n");
    done.ended(0, &["sent to 1 of 1"]);
    assert!(!done.screen.contains("STARTTLS:"), "{}", done.screen);
    postfix.logs(DELIVERED);
    assert_eq!(postfix.mailbox("bob").len(), 3);

    // An address beyond ASCII, and a message beyond the limit.
    let utf8 = ["--to", "ümit@example.org"];
    let done = postfix.send(postfix.clear, &utf8, b"x\n");
    done.not_sent(&["SMTPUTF8\n", "550 5.1.1"]);
    let big = [&[b'x'; 990][..], b"\n"].concat().repeat(5_500);
    let done = postfix.send(postfix.clear, &["-q"], &big);
    done.not_sent(&["this server accepts at most 5000000 (SIZE)"]);
}

/// The sink's folder becomes a user's mailbox, and fetch reads it by IMAP.
fn dovecot_reads_what_our_sink_stores(postfix: &Postfix) {
    let sink = Sink::start(&[]);
    for text in ["one", ".two"] {
        let client = sink.after(TO_DATA);
        dialogue(&client, &[(&format!("s: t\r\n\r\n.{text}\r\n."), "250")]);
    }
    let stored = sink.messages();
    let mailbox = postfix.folder.path().join("mail/sink");
    let mailbox = mailbox.to_str().expect("text");
    let folder = sink.folder.path().to_str().expect("text");
    root("cp", &["-r", folder, mailbox]);
    root("chown", &["-R", "nobody", mailbox]);
    for (index, message) in stored.iter().enumerate() {
        let (port, uid) = (postfix.imap, index + 1);
        let url = format!("imap://sink@127.0.0.1:{port}/INBOX;UID={uid}");
        let read = postfix.fetch(url);
        assert_eq!(&String::from_utf8_lossy(&read), message);
    }
}
