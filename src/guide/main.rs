//! `socketlab`: plays the labs, finds what answers an id, explains a word. Each
//! command is a file of the library beside this one.

use argh::{ArgsInfo, FromArgs};
use guide::demo::demo;
use guide::doctor::doctor;
use guide::locate::locate;
use guide::lookup::tell;
use guide::ports::ports;
use guide::side_by_side::steps;
use guide::viva::quiz;
use socketlab::Result;
use socketlab::args::{self, Program, Role};

const PROGRAM: Program = Program {
    lab: "socketlab",
    role: Role::Other("guide"),
    port: 0,
    steps: "",
    example: "socketlab demo echo",
};

/// Plays the labs, finds the code that answers an id, explains errors.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// one of: demo [LAB…] (play the READMEs' transcripts) · where WHAT
    /// (an id such as D-T3.2, a call, a program, an error) · explain WORD
    /// (ECONNREFUSED, 111, TIME_WAIT; 550, 5.1.1 of a mail server, 404 of a web
    /// server) · viva [LAB…] (questions, one by one) · steps PROGRAM [PROGRAM]
    /// (the numbered steps, side by side) · ports (what listens) · doctor (what
    /// works on this machine)
    #[argh(positional)]
    command: String,
    /// words for this command
    #[argh(positional)]
    words: Vec<String>,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    match (args.command.as_str(), words.as_slice()) {
        ("demo", labs) => demo(labs),
        ("where", [id]) => locate(id),
        ("explain", [_, ..]) => tell(&words.join(" ")),
        ("viva", labs) => quiz(labs),
        ("steps", [program]) => steps(program, None),
        ("steps", [left, right]) => steps(left, Some(right)),
        ("ports", []) => ports(),
        ("doctor", []) => doctor(),
        ("where", []) => {
            args::usage("Usage: make where ARGS=ID, for example ARGS=E-T3")
        }
        ("explain", []) => args::usage(
            "Usage: make explain ARGS=WORD, for example ARGS=ECONNREFUSED",
        ),
        ("where", _) => {
            args::usage("'where' needs one word: an id, a call, a program")
        }
        ("steps", _) => args::usage("'steps' needs one program, or two"),
        ("ports" | "doctor", _) => {
            args::usage(&format!("no word may follow '{}'", args.command))
        }
        (command, _) => args::usage(&format!(
            "'{command}' is not a command. The commands are: demo [LAB…], \
             where WHAT, explain WORD, viva [LAB…], steps PROGRAM [PROGRAM], \
             ports, doctor"
        )),
    }
}
