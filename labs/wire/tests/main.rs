//! The wire lab, black box: two hosts and the cable between them, as an
//! ordinary user, judged by tshark; the relay; what is said where user
//! namespaces are forbidden.

mod captures;
mod forbidden;
mod losses;
mod poor_network;
mod shells;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use harness::terminal::{command, program_folder};
use harness::{installed, namespaces, play_readme, skipped, source_tree};
use rustix::process::getuid;
use tempfile::TempDir;

/// How long a run may take on a busy machine, in seconds.
const LIMIT: &str = "60";

/// A run of wire-hosts, and what it leaves.
struct Run {
    folder: TempDir,
    printed: String,
    status: Option<i32>,
}

/// Can hosts be made here, and looked at? If not, the test prints what is
/// missing, and passes.
fn can_run() -> bool {
    if let Some(reason) = namespaces::why_not() {
        return skipped(&format!("nothing, but allow it: {reason}"));
    }
    installed("ip", "iproute2")
        && installed("nsenter", "util-linux")
        && installed("setpriv", "util-linux")
        && installed("tshark", "tshark")
}

/// A folder in which also nobody may write.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    allow_everybody(folder.path(), 0o777);
    folder
}

fn allow_everybody(path: &Path, mode: u32) {
    let everybody = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, everybody).expect("chmod");
}

/// A program, of ours or of PATH, as an ordinary user starts it: as root we
/// become nobody.
fn as_ordinary_user(program: &str) -> Command {
    let ours = program_folder().join(program);
    let program = match ours.is_file() {
        true => ours,
        false => program.into(),
    };
    let root = source_tree::root().expect("the sources");
    let mut command = Command::new("timeout");
    command.arg(LIMIT);
    if getuid().is_root() {
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let can_read = nobody.arg("test").arg("-x");
        let can_read = can_read.arg(program_folder()).status();
        let page = root.join("README.md");
        let can_read = can_read.is_ok_and(|status| status.success())
            && fs::metadata(page).is_ok_and(|page| page.mode() & 4 != 0);
        assert!(can_read, "nobody cannot read {}", root.display());
        command.args(["setpriv", "--reuid=65534", "--regid=65534"]);
        command.arg("--clear-groups");
    }
    command.arg(program).current_dir(root).stdin(Stdio::null());
    command
}

/// Builds the programs that a text names, if they are old.
fn build(text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '-') {
        if word.contains('-') || word == "fetch" {
            drop(command(word));
        }
    }
}

/// Runs wire-hosts with a capture, until it ends.
fn hosts(words: &[&str]) -> Run {
    let folder = folder();
    build(&words.join(" "));
    let output: Output = as_ordinary_user("wire-hosts")
        .arg("--save")
        .arg(folder.path().join("capture.pcapng"))
        .args(words)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout) + errors;
    Run { folder, printed: printed.into(), status: output.status.code() }
}

impl Run {
    fn capture(&self) -> PathBuf {
        self.folder.path().join("capture.pcapng")
    }

    /// `14 frames, 0 lost`: what the cable says at its end.
    fn counted(&self) -> (usize, usize) {
        let line = self.printed.lines().find(|line| line.contains(" frames, "));
        let line =
            line.unwrap_or_else(|| panic!("no count:\n{}", self.printed));
        let numbers = line.split(|c: char| !c.is_ascii_digit());
        let mut numbers = numbers.filter_map(|word| word.parse().ok());
        (numbers.next().expect("frames"), numbers.next().expect("lost"))
    }

    /// What tshark reads in the capture.
    #[track_caller]
    fn packets(&self) -> Vec<Packet> {
        packets(&self.capture())
    }
}

/// A packet as tshark reads it.
#[derive(Debug)]
struct Packet {
    interface: String,
    comment: String,
    length: usize,
    /// The sender's address, or nothing if it is not IP.
    from: String,
    /// Number of IP, sequence number, flags and clock of TCP: two packets that
    /// have all of them in common are the same packet.
    identity: String,
    is_tcp: bool,
    ports: Vec<String>,
    flags: u16,
    /// The sender's clock, in milliseconds: TCP's time stamp option.
    clock: u64,
    payload: String,
    /// What is wrong with it.
    wrong: String,
}

const SYN: u16 = 2;
const FIN: u16 = 1;
const RST: u16 = 4;
const ACK: u16 = 16;

impl Packet {
    fn has(&self, port: u16, text: &str) -> bool {
        self.ports.contains(&port.to_string()) && self.payload.contains(text)
    }

    /// Are these flags set, and of SYN, FIN, RST and ACK no others?
    fn is(&self, flags: u16) -> bool {
        self.flags & (SYN | FIN | RST | ACK) == flags
    }
}

const FIELDS: [&str; 21] = [
    "frame.interface_name",
    "frame.comment",
    "frame.len",
    "ip.src",
    "ip.id",
    "tcp.seq_raw",
    "tcp.len",
    "tcp.options.timestamp.tsval",
    "tcp.flags",
    "tcp.payload",
    "udp.payload",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "_ws.malformed",
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "ip.proto",
    "frame.number",
];

#[track_caller]
fn packets(file: &Path) -> Vec<Packet> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file);
    for checked in ["ip", "tcp", "udp"] {
        command.args(["-o", &format!("{checked}.check_checksum:TRUE")]);
    }
    command.args(["-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark: {errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(packet).collect()
}

fn packet(line: &str) -> Packet {
    let fields: Vec<&str> = line.split('|').collect();
    let field = |name: &str| {
        let at = FIELDS.iter().position(|field| *field == name);
        fields[at.unwrap_or_else(|| panic!("no field {name}"))]
    };
    let flags = field("tcp.flags").trim_start_matches("0x");
    let payload = [field("tcp.payload"), field("udp.payload")].concat();
    let bytes: Vec<u8> = payload
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .map(|pair| u8::from_str_radix(&pair, 16).expect("hexadecimal"))
        .collect();
    // A status of 0 is a wrong checksum.
    let wrong = ["ip", "tcp", "udp"].map(|protocol| {
        let status = format!("{protocol}.checksum.status");
        let wrong = field(&status) == "0";
        if wrong { format!("checksum of {protocol}") } else { String::new() }
    });
    let identity = ["ip.src", "ip.id", "tcp.seq_raw", "tcp.len", "tcp.flags"];
    let clock = field("tcp.options.timestamp.tsval");
    Packet {
        interface: field("frame.interface_name").into(),
        comment: field("frame.comment").into(),
        length: field("frame.len").parse().expect("a length"),
        from: field("ip.src").into(),
        identity: identity.map(field).join(" ") + " " + clock + &payload,
        is_tcp: field("ip.proto") == "6",
        ports: ["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"]
            .map(|name| field(name).to_string())
            .into(),
        flags: u16::from_str_radix(flags, 16).unwrap_or(0),
        clock: clock.parse().unwrap_or(0),
        payload: String::from_utf8_lossy(&bytes).into(),
        wrong: wrong.concat() + field("_ws.malformed"),
    }
}

#[test]
fn x_chaos_the_readmes_transcripts_hold() {
    play_readme("wire");
}
