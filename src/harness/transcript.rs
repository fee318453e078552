//! Plays the console transcripts of the labs' READMEs. So one text is the
//! documentation, the input of `make <lab>` and `make demo`, and a test.
//!
//! A transcript is a block fenced as `console`. Each line begins with the name
//! of its terminal:
//!
//! ```text
//! server$ echo-server 127.0.0.1 12001    start a program in that terminal
//! server| listening on 127.0.0.1:12001   it prints this line next
//! client< hello                          type this and Enter
//! client< ^D                             end its input; ^C interrupts it
//! client? 0                              it ends with this exit status
//! # a remark
//! ```
//!
//! A transcript may omit what a program prints after ^C.
//!
//! `…` in a printed line matches any text. A line before typed input may be a
//! prompt without a newline. Free ports replace the ports of the page: each
//! server is started on port 0, and its first line says which port it got. A
//! temporary folder replaces paths that begin with `/tmp/socketlab`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use crate::source_tree;
use crate::terminal::{self, Terminal};
use socketlab::{Error, Result};

/// How the path of a page's file begins.
const FILES: &str = "/tmp/socketlab";

/// One step of a transcript.
#[derive(Debug)]
struct Line<'a> {
    number: usize,
    terminal: &'a str,
    sign: char, // $ | < ?
    text: &'a str,
}

/// Returns the transcripts of a README: each `console` block with the number of
/// its first line.
pub fn blocks(readme: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        let line = line.trim_start(); // a block may stand inside a list
        if line.trim_end() == "```console" {
            inside = true;
            blocks.push((index + 2, String::new()));
        } else if line.starts_with("```") {
            inside = false;
        } else if inside && let Some((_, block)) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

/// Plays one transcript. `show` gets each line when it is printed or typed,
/// with its terminal's name in brackets. Fails at the first line that differs.
pub fn play(transcript: &str, show: &mut dyn FnMut(&str)) -> Result<()> {
    play_with(Stage::default(), transcript, show)
}

/// The words before a program's name in its command, by the name of its
/// terminal.
pub type HostOf = Box<dyn Fn(&str) -> Vec<String>>;

/// Like [`play`], on hosts of their own: `host` gives the words that go in
/// front of a program in the terminal of this name, so that it runs on its
/// host. Nobody else uses the ports there, so they stay those of the page.
pub fn play_on_hosts(
    host: HostOf,
    transcript: &str,
    show: &mut dyn FnMut(&str),
) -> Result<()> {
    let stage = Stage { host: Some(host), ..Stage::default() };
    play_with(stage, transcript, show)
}

fn play_with(
    mut stage: Stage,
    transcript: &str,
    show: &mut dyn FnMut(&str),
) -> Result<()> {
    let lines = parse(transcript)?;
    if lines.is_empty() {
        return Err(Error::other("an empty transcript shows nothing"));
    }
    for (index, line) in lines.iter().enumerate() {
        let next = lines.iter().skip(index + 1);
        let next = next.clone().find(|next| next.terminal == line.terminal);
        let answered = next.is_some_and(|next| next.sign == '<');
        stage.perform(line, answered, show).map_err(|error| {
            Error::other(format!(
                "line {} of the transcript, {}{} {}\n{error}",
                line.number, line.terminal, line.sign, line.text
            ))
        })?;
    }
    stage.close()
}

fn parse(transcript: &str) -> Result<Vec<Line<'_>>> {
    let mut lines = Vec::new();
    for (index, line) in transcript.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        let at = line.find(|c: char| !c.is_alphanumeric() && c != '-');
        let parts = at.and_then(|at| {
            let sign = line.get(at..)?.chars().next()?;
            Some((line.get(..at)?, sign, line.get(at + sign.len_utf8()..)?))
        });
        match parts {
            Some((terminal, sign @ ('$' | '|' | '<' | '?'), text)) => {
                let text = text.strip_prefix(' ').unwrap_or(text);
                lines.push(Line { number, terminal, sign, text });
            }
            _ => {
                return Err(Error::other(format!(
                    "line {number} of the transcript is none of the kinds \
                     name$ name| name< name?: {line}"
                )));
            }
        }
    }
    Ok(lines)
}

/// The terminals of a transcript and the real ports of the page's.
#[derive(Default)]
struct Stage {
    terminals: BTreeMap<String, Terminal>,
    interrupted: BTreeSet<String>, // those terminals that got a ^C
    ports: BTreeMap<String, Port>,
    folder: Option<Folder>,
    host: Option<HostOf>, // see play_on_hosts
}

/// A folder for the files of a play, deleted with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder> {
        static PLAYS: AtomicUsize = AtomicUsize::new(0);
        let play = PLAYS.fetch_add(1, Ordering::Relaxed);
        let name = format!("socketlab-{}-{play}", process::id());
        let path = env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&path)
            .map_err(|error| Error::new("mkdir", path.display(), error))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

enum Port {
    /// A server was started on port 0 and has not printed its port yet.
    Asked,
    /// No program listens there: a socket is bound to the port, without
    /// listen().
    Reserved(u16, Socket),
    Known(u16),
}

impl Stage {
    fn perform(
        &mut self,
        line: &Line<'_>,
        answered: bool,
        show: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let name = line.terminal;
        match line.sign {
            '$' => {
                show(&format!("[{name}] $ {}", line.text));
                let started = self.start(name, line.text)?;
                let interrupted = self.interrupted.remove(name);
                if let Some(old) = self.terminals.insert(name.into(), started) {
                    end(old, interrupted)?;
                }
                return Ok(());
            }
            '|' => {
                let shown = self.compare(name, line.text, answered)?;
                show(&format!("[{name}] {shown}"));
                return Ok(());
            }
            _ => {}
        }
        let terminal = find(&mut self.terminals, name)?;
        match (line.sign, line.text) {
            ('<', "^D") => terminal.end_input(),
            ('<', "^C") => {
                terminal.signal(Signal::INT)?;
                self.interrupted.insert(name.into());
            }
            ('<', text) => terminal.type_line(text)?,
            (_, wanted) => {
                if let Some(line) = terminal.read_line()? {
                    return Err(Error::other(format!("it printed: {line}")));
                }
                let status = terminal.wait_for_end()?;
                let code = status.code().map(|code| code.to_string());
                let code = code.unwrap_or_else(|| status.to_string());
                if code != wanted {
                    return Err(Error::other(format!("it ended with {code}")));
                }
                self.terminals.remove(name);
                return Ok(());
            }
        }
        show(&format!("[{name}] < {}", line.text));
        Ok(())
    }

    /// Starts the program of a `$` line: `VARIABLE=value program arguments`.
    fn start(&mut self, name: &str, text: &str) -> Result<Terminal> {
        let unbalanced = || Error::other("unbalanced quotes");
        let words = shlex::split(text).ok_or_else(unbalanced)?;
        let mut program = words.iter().skip_while(|word| word.contains('='));
        // Also `python3 labs/echo/python/tcp_server.py`.
        let server = program.next().is_some_and(|program| {
            ["server", "sink", "relay"]
                .iter()
                .any(|role| program.contains(role))
        }) || program
            .next()
            .is_some_and(|script| script.ends_with("server.py"));
        let mapped = match self.host {
            Some(_) => Vec::new(),
            None => ports_in(text),
        };
        for port in mapped {
            match self.ports.remove(&port) {
                Some(Port::Reserved(number, socket)) if server => {
                    drop(socket);
                    self.ports.insert(port, Port::Known(number));
                }
                Some(known) => drop(self.ports.insert(port, known)),
                None if server => drop(self.ports.insert(port, Port::Asked)),
                None => drop(self.ports.insert(port, reserve()?)),
            }
        }
        if text.contains(FILES) && self.folder.is_none() {
            self.folder = Some(Folder::new()?);
        }
        let words = shlex::split(&self.real(text, "0"));
        let words = words.ok_or_else(unbalanced)?;
        let variables = words.iter().take_while(|word| word.contains('='));
        let variables = variables.count();
        let mut words = words.into_iter();
        let environment: Vec<String> = words.by_ref().take(variables).collect();
        let program = words.next().unwrap_or_default();
        let mut command: Command = terminal::command(&program);
        if let Some(host) = &self.host {
            let mut before = host(name).into_iter();
            let first = before.next().unwrap_or_default();
            let program = command.get_program().to_owned();
            command = Command::new(first);
            command.args(before).arg(program);
        }
        command.args(words).current_dir(source_tree::root()?);
        command.env_remove("TRACE");
        for variable in environment {
            if let Some((name, value)) = variable.split_once('=') {
                command.env(name, value);
            }
        }
        Terminal::run(&mut command)
    }

    /// Reads the next line (or prompt) of a terminal and compares.
    fn compare(
        &mut self,
        name: &str,
        wanted: &str,
        answered: bool,
    ) -> Result<String> {
        let pattern = self.real(wanted, "…");
        let terminal = find(&mut self.terminals, name)?;
        if answered && !pattern.contains('…') {
            // A prompt, or a line of which this is the beginning.
            terminal.read_prompt(&pattern)?;
            terminal.skip_line_end();
            return Ok(pattern);
        }
        let line = terminal.read_line()?;
        let line = line.ok_or_else(|| Error::other("its output has ended"))?;
        if !terminal::matches(&pattern, &line) {
            return Err(Error::other(format!("it printed: {line}")));
        }
        for (port, state) in &mut self.ports {
            if let (Port::Asked, Some(at)) =
                (&state, wanted.find(port.as_str()))
            {
                let digits: String = line
                    .chars()
                    .skip(wanted.get(..at).unwrap_or_default().chars().count())
                    .take_while(char::is_ascii_digit)
                    .collect();
                if let Ok(number) = digits.parse() {
                    *state = Port::Known(number);
                }
            }
        }
        Ok(line)
    }

    /// The text with each port of the page replaced by the real one, and
    /// each file.
    fn real(&self, text: &str, asked: &str) -> String {
        let mut text = text.to_string();
        if let Some(Folder(folder)) = &self.folder {
            let files = folder.join("socketlab");
            text = text.replace(FILES, &files.to_string_lossy());
        }
        for (port, state) in &self.ports {
            let real = match state {
                Port::Asked => asked.to_string(),
                Port::Reserved(number, _) | Port::Known(number) => {
                    number.to_string()
                }
            };
            text = text.replace(port.as_str(), &real);
        }
        text
    }

    fn close(self) -> Result<()> {
        self.terminals.into_iter().try_for_each(|(name, terminal)| {
            let interrupted = self.interrupted.contains(&name);
            end(terminal, interrupted).map_err(|error| {
                Error::other(format!("at the end, in terminal {name}: {error}"))
            })
        })
    }
}

/// Ends the programs that still run after a transcript. A program that has
/// ended by itself must have printed exactly what the page says. After a ^C it
/// may have printed less, but its exit status must be right.
fn end(mut terminal: Terminal, interrupted: bool) -> Result<()> {
    if interrupted {
        let status = terminal.wait_for_end()?;
        // SIGINT itself ended it, or (130) it says that it did.
        let by_signal = status.signal() == Some(Signal::INT.as_raw());
        return match by_signal || matches!(status.code(), Some(0 | 130)) {
            true => Ok(()),
            false => Err(Error::other(format!(
                "it ended with {status} after the ^C"
            ))),
        };
    }
    if terminal.is_running() {
        terminal.signal(Signal::TERM)?;
        terminal.wait_for_end()?;
        return Ok(());
    }
    if let Some(line) = terminal.read_line()? {
        return Err(Error::other(format!("it also printed: {line}")));
    }
    let status = terminal.wait_for_end()?;
    if !status.success() {
        return Err(Error::other(format!("it ended with {status}, unsaid")));
    }
    Ok(())
}

fn find<'a>(
    terminals: &'a mut BTreeMap<String, Terminal>,
    name: &str,
) -> Result<&'a mut Terminal> {
    let found = terminals.get_mut(name);
    found.ok_or_else(|| Error::other(format!("nothing runs in {name}")))
}

/// The ports in a command: a number of four or five digits after a host, as
/// a word of its own, in a URL such as `pop3://ann@127.0.0.1:11000/1`, or in
/// an address such as `127.0.0.1:9000`.
fn ports_in(text: &str) -> Vec<String> {
    let apart = text.replace("://", " ").replace(['@', ':', '/'], " ");
    let joined = ["://", "127.0.0.1:"].iter().any(|sign| text.contains(sign));
    let text = if joined { &apart } else { text };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut ports = Vec::new();
    for pair in words.windows(2) {
        let &[host, port] = pair else { continue };
        let is_host =
            host == "localhost" || host.contains("::") || is_dotted(host);
        let port = port.trim_matches(['"', '\'']);
        let is_port = (4..=5).contains(&port.len())
            && port.bytes().all(|byte| byte.is_ascii_digit());
        if is_host && is_port {
            ports.push(port.to_string());
        }
    }
    ports
}

fn is_dotted(word: &str) -> bool {
    word.contains('.') && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// A port on which nobody listens, and the socket that keeps it so.
fn reserve() -> Result<Port> {
    let reserved = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        Ok((address.map_or(0, |address| address.port()), socket))
    };
    let (port, socket) =
        reserved().map_err(|error| Error::new("bind", "127.0.0.1:0", error))?;
    Ok(Port::Reserved(port, socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_blocks() {
        let page = "text\n```console\na$ b\n```\n```text\nc\n```\n\
                    1. list\n   ```console\n   a| d\n   ```\n";
        let found = blocks(page);
        assert_eq!(found, [(3, "a$ b\n".into()), (10, "a| d\n".into())]);
    }

    #[test]
    fn ports_stand_behind_hosts() {
        let ports = ports_in("x 127.0.0.1 12001 --burst 2000 ::1 4711 80");
        assert_eq!(ports, ["12001", "4711"]);
        let ports = ports_in("x pop3://ann:1234@127.0.0.1:11000/2000");
        assert_eq!(ports, ["11000"]);
        let ports = ports_in("x 127.0.0.1:9000 127.0.0.1:12001 --split 1");
        assert_eq!(ports, ["9000", "12001"]);
    }

    #[test]
    fn on_hosts_a_program_has_its_hosts_words_in_front() {
        let host = |name: &str| vec!["env".into(), format!("HOST={name}")];
        let page = "a$ sh -c 'echo $HOST 127.0.0.1 4711'\n\
                    a| a 127.0.0.1 4711\na? 0\n";
        play_on_hosts(Box::new(host), page, &mut |_| {}).expect("it holds");
    }

    #[test]
    fn a_plays_files_are_its_own_and_go_with_it() {
        let mut shown = String::new();
        let mut show = |text: &str| shown.push_str(text);
        let page = "a$ touch /tmp/socketlab.x\na? 0\n\
                    b$ ls /tmp/socketlab.x\nb| /tmp/socketlab.x\nb? 0\n";
        play(page, &mut show).expect("it holds");
        let at = shown.find(&format!("socketlab-{}-", process::id()));
        let (_, path) = shown.split_at(at.expect("a folder of its own"));
        let folder = path.split('/').next().unwrap_or_default();
        assert!(!env::temp_dir().join(folder).exists(), "{folder} is left");
    }

    #[test]
    fn a_play_compares_what_is_printed() {
        let show = &mut |_: &str| {};
        play("a$ echo hi\na| hi\na? 0\n", show).expect("it holds");
        let error = play("a$ echo hi\na| ho\n", show).expect_err("a lie");
        assert!(error.to_string().contains("it printed: hi"), "{error}");
        let error = play("a$ echo hi\na? 0\n", show).expect_err("a lie");
        assert!(error.to_string().contains("it printed: hi"), "{error}");
        let error = play("a$ false\na? 0\n", show).expect_err("a lie");
        assert!(error.to_string().contains("ended with 1"), "{error}");
        play("a$ false\na? 1\n", show).expect("it holds");
        play("", show).expect_err("nothing");
        // What is left unsaid is found when the next program takes its place.
        let unsaid = "a$ echo hi\na< ^D\na| hi\na$ true\na? 0\n";
        play(unsaid, show).expect("it holds");
    }

    #[test]
    fn what_is_said_after_an_interrupt_may_be_left_out() {
        // However far it has come when the play ends: here, to its end.
        let page = "a$ sh -c 'trap \"echo bye; HOW\" INT; echo up; \
                    while :; do sleep 0.05; done'\na| up\na< ^C\n\
                    b$ sleep 1\nb? 0\n";
        let play_with = |how| {
            play(&page.replace("HOW", how), &mut |_: &str| {})
                .map_err(|error| error.to_string())
        };
        assert_eq!(play_with("exit 0"), Ok(()));
        assert_eq!(play_with("exit 130"), Ok(()));
        for (how, told) in
            [("exit 3", "exit status: 3"), ("kill -ABRT $$", "ABRT")]
        {
            let error = play_with(how).expect_err("it failed after the ^C");
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn ctrl_c_works_in_the_background_of_a_shell_too() {
        let test = "transcript::tests::\
                    what_is_said_after_an_interrupt_may_be_left_out";
        let again = "trap '' INT; exec \"$0\" --exact \"$1\"";
        let ourselves = std::env::current_exe().expect("the tests");
        let mut command = Command::new("sh");
        command.args(["-c", again]).arg(ourselves).arg(test);
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}");
    }
}
