//! Real servers, each an instance of its own: an ordinary user, a folder of
//! the test, free ports, ended by process id.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::parts::{PASSWORD, until_it_listens};
use harness::installed;

/// Whom servers run as, if the tests run as root: nobody.
const NOBODY: u32 = 65534;

/// A server that is ended when this goes, also when the test fails.
pub struct Daemon {
    child: Child,
    /// Its files.
    pub folder: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The program as an ordinary user; it also ends when this process does.
fn ordinary(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=TERM");
    if is_root() {
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    }
    command.arg(program);
    in_sbin(command)
}

/// Servers live in sbin, which is not on everybody's path.
fn in_sbin(mut command: Command) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Is this server there? Daemons live in sbin.
pub fn is_there(program: &str, package: &str) -> bool {
    let there = ["/usr/sbin", "/sbin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).is_file());
    there || installed(program, package)
}

/// A folder that belongs to whom the servers run as.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    give(folder.path());
    folder
}

/// Gives a file or folder to whom the servers run as.
fn give(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    let mode = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, mode).expect("permissions");
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
}

/// Writes a file that the servers can read, and the folders above it.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    let above: Vec<PathBuf> =
        path.ancestors().skip(1).map(Path::to_path_buf).collect();
    for above in above.iter().rev().filter(|a| a.starts_with(folder)) {
        if !above.is_dir() {
            fs::create_dir(above).expect("a folder");
            give(above);
        }
    }
    fs::write(&path, bytes).expect("a file");
    give(&path);
}

/// A port that is free, and is nobody's by chance: below those that the
/// kernel gives to clients and to servers on port 0.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    (0..12_000)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed))
        .map(|next| 20_000 + (std::process::id() % 4_000 * 101 + next) % 12_000)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a free port")
}

/// A certificate for localhost and 127.0.0.1, and its key, in the folder.
pub fn certificate(folder: &Path) {
    let names = vec!["localhost".to_string(), "127.0.0.1".to_string()];
    let made = rcgen::generate_simple_self_signed(names).expect("a key");
    write(folder, "cert.pem", made.cert.pem().as_bytes());
    write(folder, "key.pem", made.signing_key.serialize_pem().as_bytes());
}

/// Dovecot, with the mailbox of ann.
pub struct Dovecot {
    /// The running server.
    pub daemon: Daemon,
    /// Ports: POP3, POP3 over TLS, IMAP, IMAP over TLS.
    pub ports: [u16; 4],
}

impl Dovecot {
    /// Starts it with these messages in INBOX, and one in `Entwürfe`.
    pub fn start(messages: &[Vec<u8>]) -> Option<Dovecot> {
        if !is_there("dovecot", "dovecot-imapd dovecot-pop3d") {
            return None;
        }
        let folder = folder();
        let root = folder.path();
        certificate(root);
        for (index, message) in messages.iter().enumerate() {
            // Dovecot goes through them in the order of these names.
            let name =
                format!("ann/Maildir/cur/{}.M{index}.host:2,S", index + 1);
            write(root, &name, message);
        }
        let draft = "ann/Maildir/.Entw&APw-rfe/cur/1.M1.host:2,S";
        write(root, draft, b"Subject: a draft\r\n\r\n");
        for name in ["ann/Maildir/new/.keep", "ann/Maildir/tmp/.keep"] {
            write(root, name, b"");
        }
        let password = format!("ann:{{PLAIN}}{PASSWORD}::::::\n");
        write(root, "users", password.as_bytes());
        let ports = [(); 4].map(|()| free_port());
        let configuration = configuration(root, ports);
        write(root, "dovecot.conf", configuration.as_bytes());
        let log = fs::File::create(root.join("stderr")).expect("a file");
        let child = ordinary("dovecot")
            .args(["-F", "-c"])
            .arg(root.join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dovecot starts");
        let daemon = Daemon { child, folder };
        for port in ports {
            until_it_listens(SocketAddr::from(([127, 0, 0, 1], port)));
        }
        Some(Dovecot { daemon, ports })
    }

    /// A URL at one of its ports.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        let known = ["pop3", "pop3s", "imap", "imaps"];
        let index = known.iter().position(|known| *known == scheme);
        let port = self.ports[index.expect("a scheme of mail")];
        format!("{scheme}://ann@localhost:{port}/{path}")
    }

    /// The certificate, for SSL_CERT_FILE.
    pub fn certificate(&self) -> PathBuf {
        self.daemon.folder.path().join("cert.pem")
    }
}

fn configuration(root: &Path, ports: [u16; 4]) -> String {
    let root = root.display();
    let id = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let (id, gid) = if is_root() { (NOBODY, NOBODY) } else { (id, gid) };
    let [pop3, pop3s, imap, imaps] = ports;
    let listener = |name: &str, port: u16, tls: &str| {
        format!(
            "inet_listener {name} {{\n address = 127.0.0.1 127.0.0.2\n \
             port = {port}\n ssl = {tls}\n}}\n"
        )
    };
    let service = |name: &str, plain: u16, secure: u16| {
        let plain = listener(name, plain, "no");
        let secure = listener(&format!("{name}s"), secure, "yes");
        format!("service {name}-login {{\nchroot =\n{plain}{secure}}}\n")
    };
    let user = name_of(id);
    let group = group_of(gid);
    let mut text = format!(
        "protocols = imap pop3\nlisten = 127.0.0.1\nbase_dir = {root}/run\n\
         state_dir = {root}/state\nlog_path = {root}/log\n\
         default_internal_user = {user}\ndefault_login_user = {user}\n\
         default_internal_group = {group}\nfirst_valid_uid = {id}\n\
         ssl = yes\nssl_cert = <{root}/cert.pem\nssl_key = <{root}/key.pem\n\
         disable_plaintext_auth = no\n\
         mail_location = maildir:{root}/ann/Maildir\n\
         passdb {{\ndriver = passwd-file\nargs = {root}/users\n}}\n\
         userdb {{\ndriver = static\n\
         args = uid={id} gid={gid} home={root}/ann\n}}\n\
         auth_failure_delay = 0\nservice anvil {{\nchroot =\n\
         unix_listener anvil-auth-penalty {{\nmode = 0\n}}\n}}\n"
    );
    text += &service("pop3", pop3, pop3s);
    text += &service("imap", imap, imaps);
    text
}

fn name_of(id: u32) -> String {
    named("/etc/passwd", id)
}

fn group_of(id: u32) -> String {
    named("/etc/group", id)
}

fn named(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).expect("the users");
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id.to_string()).then(|| name.to_string())
    });
    found.expect("a name for this id")
}

/// vsftpd with a folder for anonymous users.
pub struct Vsftpd {
    /// The running server; its files are in `files`.
    pub daemon: Daemon,
    /// Its port.
    pub port: u16,
}

impl Vsftpd {
    /// Starts it; `more` goes into its configuration.
    pub fn start(more: &str) -> Option<Vsftpd> {
        if !is_there("vsftpd", "vsftpd") {
            return None;
        }
        let folder = folder();
        let root = folder.path();
        certificate(root);
        write(root, "empty/.keep", b"");
        let port = free_port();
        let shown = root.display();
        let configuration = format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\n\
             background=NO\nanonymous_enable=YES\nlocal_enable=NO\n\
             run_as_launching_user=YES\nanon_root={shown}/files\n\
             seccomp_sandbox=NO\nsecure_chroot_dir={shown}/empty\n\
             xferlog_enable=NO\nrsa_cert_file={shown}/cert.pem\n\
             rsa_private_key_file={shown}/key.pem\n{more}"
        );
        write(root, "files/readme.txt", b"Two connections, one file.\n");
        write(root, "files/pub/bytes.bin", &every_byte());
        write(root, "files/pub/two words.txt", b"two words\r\n");
        write(root, "files/pub/empty", b"");
        write(root, "vsftpd.conf", configuration.as_bytes());
        let child = ordinary("vsftpd")
            .arg(root.join("vsftpd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("vsftpd starts");
        let daemon = Daemon { child, folder };
        until_it_listens(SocketAddr::from(([127, 0, 0, 1], port)));
        Some(Vsftpd { daemon, port })
    }

    /// A URL of it.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://localhost:{}/{path}", self.port)
    }
}

/// A million bytes of all values.
pub fn every_byte() -> Vec<u8> {
    (0..=255).cycle().take(1_000_003).collect()
}

/// What inetd is to servers that speak on stdin and stdout: a listener, and
/// a process for each connection.
pub struct Inetd {
    /// Where it listens.
    pub address: SocketAddr,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Inetd {
    /// `prepare` gives the program its arguments, for the listener's port.
    pub fn start(
        program: &'static str,
        prepare: impl Fn(&mut Command, u16) + Send + 'static,
    ) -> Inetd {
        Inetd::run(move || ordinary(program), prepare)
    }

    /// The same as the user of the tests.
    pub fn start_as_we_are(
        program: &'static str,
        prepare: impl Fn(&mut Command, u16) + Send + 'static,
    ) -> Inetd {
        Inetd::run(move || in_sbin(Command::new(program)), prepare)
    }

    fn run(
        new: impl Fn() -> Command + Send + 'static,
        prepare: impl Fn(&mut Command, u16) + Send + 'static,
    ) -> Inetd {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let children = Arc::new(Mutex::new(Vec::new()));
        let ours = children.clone();
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let client = OwnedFd::from(client);
                let other = client.try_clone().expect("a descriptor");
                let mut command = new();
                prepare(&mut command, address.port());
                command.stdin(client).stdout(other).stderr(Stdio::null());
                if let Ok(child) = command.spawn() {
                    ours.lock().expect("no panic").push(child);
                }
            }
        });
        Inetd { address, children }
    }
}

impl Drop for Inetd {
    fn drop(&mut self) {
        for child in self.children.lock().expect("no panic").iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
