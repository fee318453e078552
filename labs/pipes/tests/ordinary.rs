//! Proves how ordinary pipes end, fill up, and keep or mix their bytes.

use harness::terminal::{self, Terminal};
use rustix::process::Signal;

use super::{end, numbers, place, rest, start, wait};
use harness::python;

fn run(program: &str, words: &[&str]) -> Terminal {
    Terminal::start(program, words).expect("it starts")
}

#[test]
fn t_x3_plain_pipe_carries_lines_and_then_the_end() {
    let mut pipe = run("pipes-plain", &[]);
    wait(&mut pipe, "parent …: type lines; Ctrl-D is the end");
    for line in ["hello", "and again", ""] {
        pipe.type_line(line).expect("it reads");
        wait(&mut pipe, &format!("child …: {line}\\n"));
    }
    pipe.type_bytes(b"half a line").expect("it reads");
    pipe.end_input();
    wait(&mut pipe, "child …: half a line\\n");
    wait(&mut pipe, "child …: end of file");
    wait(&mut pipe, "parent …: my child has ended");
    assert_eq!(end(&mut pipe), Some(0));
}

#[test]
fn t_x3_plain_parent_or_child_that_is_killed_ends_the_other_too() {
    let mut pipe = run("pipes-plain", &[]);
    pipe.type_line("hello").expect("it reads");
    wait(&mut pipe, "child …: hello\\n");
    pipe.signal(Signal::KILL).expect("a signal");
    wait(&mut pipe, "child …: end of file");
    let mut pipe = run("pipes-plain", &[]);
    pipe.type_line("hello").expect("it reads");
    let line = wait(&mut pipe, "child …: hello\\n");
    let child = i32::try_from(numbers(&line)[0]).expect("a pid");
    let child = rustix::process::Pid::from_raw(child).expect("a pid");
    rustix::process::kill_process(child, Signal::KILL).expect("it lives");
    // Until then it notices nothing. The kernel may still be ending it.
    let mut typed = pipe.take_input().expect("its input");
    std::thread::spawn(move || {
        while std::io::Write::write_all(&mut typed, b"more\n").is_ok() {}
    });
    wait(&mut pipe, "Error: write(…): … (EPIPE). …");
    assert_eq!(end(&mut pipe), Some(1));
}

#[test]
fn t_x3_plain_pipes_steps_are_those_of_the_banners() {
    let mut command = terminal::command("pipes-plain");
    let mut pipe = Terminal::run(command.env("TRACE", "1")).expect("it runs");
    for step in ["1 pipe() = 0, […]", "2 fork() = …"] {
        wait(&mut pipe, &format!("trace pipe {step}…"));
    }
    pipe.end_input();
    wait(&mut pipe, "trace pipe 6 wait(…) = 0…");
}

#[test]
fn t_x3_consoles_print_what_is_read_complete() {
    let line = "abcdefgh".repeat(500);
    let mut pipe = run("pipes-ordinary", &[]);
    pipe.type_line(&line).expect("it reads");
    wait(&mut pipe, &format!("child …: read() = 4001: {line}\\n"));
    let mut pipe = run("pipes-plain", &[]);
    pipe.type_line(&line).expect("it reads");
    wait(&mut pipe, &format!("child …: {line}\\n"));
    let (_folder, path) = place("fifo");
    let mut talker = start("pipes-fifo-talk", &path, &["--name", "anna"]);
    talker.type_line(&line).expect("it reads");
    wait(&mut talker, &format!("I read my own words: anna: {line}"));
}

#[test]
fn t_x3_ordinary_pipe_carries_all_bytes_and_then_the_end() {
    let mut pipe = run("pipes-ordinary", &[]);
    let mut typed = pipe.take_input().expect("its input");
    let lines = "x".repeat(999) + "\n";
    let writer = std::thread::spawn(move || {
        std::io::Write::write_all(&mut typed, lines.repeat(500).as_bytes())
    });
    let mut bytes = 0;
    loop {
        let line = wait(&mut pipe, "child …: read() = …");
        let (_, line) = line.split_once("read() = ").expect("a count");
        match numbers(line)[0] {
            0 => break,
            count => bytes += count,
        }
    }
    assert_eq!(bytes, 500_000, "whatever the pieces");
    wait(&mut pipe, "parent …: my child has ended, exit status: 0");
    assert_eq!(end(&mut pipe), Some(0));
    writer.join().expect("the writer").expect("it takes all");
}

#[test]
fn t_x3_ordinary_pipes_steps_are_those_of_the_banners() {
    let mut command = terminal::command("pipes-ordinary");
    let mut pipe = Terminal::run(command.env("TRACE", "1")).expect("it runs");
    for step in ["1 pipe() = 0, […]", "2 fork() = …", "3 close(…) = 0"] {
        wait(&mut pipe, &format!("trace pipe {step}…"));
    }
    pipe.type_line("hello").expect("it reads");
    wait(&mut pipe, "child …: read() = 6: hello\\n");
    pipe.end_input();
    wait(&mut pipe, "parent …: my child has ended, …");
}

#[test]
fn t_x3_ordinary_parent_that_is_killed_ends_its_child_too() {
    let mut pipe = run("pipes-ordinary", &[]);
    pipe.type_line("hello").expect("it reads");
    wait(&mut pipe, "child …: read() = 6: hello\\n");
    pipe.signal(Signal::KILL).expect("a signal");
    // The kernel closes its writing end; no other was forgotten.
    wait(&mut pipe, "child …: read() = 0, end of file: …");
    pipe.read_to_end().expect("nobody holds its output any more");
}

#[test]
fn t_x3_ordinary_child_that_leaks_ends_with_a_killed_parent() {
    let mut pipe = run("pipes-ordinary", &["--leak"]);
    pipe.type_line("hello").expect("it reads");
    wait(&mut pipe, "child …: read() = 6: hello\\n");
    pipe.signal(Signal::KILL).expect("a signal");
    // It holds a writing end of its own input: no end of file comes.
    pipe.read_to_end().expect("nobody holds its output any more");
}

#[test]
fn t_x3_ordinary_pipe_ends_when_nobody_reads_what_it_prints() {
    let mut shell = std::process::Command::new("sh");
    let program = terminal::command("pipes-ordinary");
    let line = "yes | \"$0\" | head -n 2";
    shell.args(["-c", line]).arg(program.get_program());
    let mut pipe = Terminal::run(&mut shell).expect("it starts");
    wait(&mut pipe, "child …: read() = …");
    pipe.read_to_end().expect("it ends");
    assert_eq!(end(&mut pipe), Some(0));
}

#[test]
fn t_x3_ordinary_pipes_of_python_fork_and_close() {
    let Some(mut command) = python("pipes/fork.py") else { return };
    let mut pipe = Terminal::run(command.args(["one", "two"])).expect("it");
    wait(&mut pipe, "child: end of file");
    wait(&mut pipe, "parent: the child has ended");
    assert_eq!(end(&mut pipe), Some(0));
}

#[test]
fn t_x3_both_ways_answers_lines_longer_than_both_pipes() {
    let mut pipe = run("pipes-both-ways", &[]);
    pipe.type_line("short").expect("it reads");
    wait(&mut pipe, "answer: SHORT");
    let mut typed = pipe.take_input().expect("its input");
    let writer = std::thread::spawn(move || {
        let line = "abc".repeat(100_000) + "\n";
        std::io::Write::write_all(&mut typed, line.as_bytes())
    });
    let answer = wait(&mut pipe, "answer: ABC…");
    assert_eq!(answer.len(), "answer: ".len() + 300_000);
    writer.join().expect("the writer").expect("it takes all");
    wait(&mut pipe, "my child has ended, exit status: 0");
}

#[test]
fn t_x3_both_ways_by_one_pipe_give_each_word_to_one_reader() {
    let mut pipe = run("pipes-both-ways", &["--one-pipe"]);
    let line = wait(&mut pipe, "1000 questions: …");
    let [all, own, answered] = numbers(&line)[..] else { panic!("{line}") };
    assert_eq!(all, own + answered, "nothing lost, nothing twice: {line}");
    assert_eq!(end(&mut pipe), Some(0));
}

#[test]
fn t_x3_both_ways_deadlock_when_all_is_written_first() {
    let mut pipe = run("pipes-both-ways", &["--deadlock"]);
    let line = wait(&mut pipe, "Error: deadlock, as promised: …");
    let written = numbers(&line)[0];
    assert!((4096..1024 * 1024).contains(&written), "{line}");
    assert_eq!(end(&mut pipe), Some(1));
}

/// What the program says: size of the pages, and bytes that they held. A page
/// of `page` bytes must be read before a writer can continue.
fn capacity(words: &[&str], page: usize) -> (usize, usize) {
    let mut pipe = run("pipes-capacity", words);
    let size = numbers(&wait(&mut pipe, "the pipe has …"))[0];
    let held = numbers(&wait(&mut pipe, "full: it took …"))[0];
    wait(&mut pipe, "… more: write() waits");
    wait(&mut pipe, "1 byte read: write() still waits");
    wait(&mut pipe, &format!("{page} bytes read: write() has returned"));
    assert_eq!(end(&mut pipe), Some(0));
    (size, held)
}

#[test]
fn t_x3_capacity_is_counted_in_pages() {
    let (size, held) = capacity(&[], 4096);
    assert_eq!(held, size, "whole pages fill it");
    let (size, held) = capacity(&["--chunk", "1"], 4096);
    assert_eq!(held, size, "single bytes share a page");
    let (size, held) = capacity(&["--chunk", "2049"], 2049);
    assert!(held < size, "two of these do not fit into 4096 bytes");
    let (size, held) = capacity(&["--size", "4096"], 4096);
    assert_eq!(held, size);
}

#[test]
fn t_x3_capacity_of_a_named_pipe_is_that_of_an_ordinary_one() {
    let (_folder, path) = place("fifo");
    let named = capacity(&[&path.to_string_lossy()], 4096);
    assert_eq!(named, capacity(&[], 4096));
}

#[test]
fn t_x3_atomic_writes_are_never_torn_up_to_pipe_buf() {
    for size in ["1", "512", "4096"] {
        let words = ["--size", size, "--count", "500"];
        let mut pipe = run("pipes-atomic", &words);
        wait(&mut pipe, "2 writers, …, 0 times inside a write()");
        assert_eq!(end(&mut pipe), Some(0));
    }
}

#[test]
fn t_x3_atomic_promise_ends_above_pipe_buf() {
    // Torn or not: both may happen, and the program must report which.
    let words = ["--size", "65536", "--count", "100"];
    let mut pipe = run("pipes-atomic", &words);
    let line = wait(&mut pipe, "2 writers, …");
    let torn = *numbers(&line).last().expect("a number");
    let said = rest(&mut pipe);
    let expected = if torn > 0 { "as it may" } else { "not this time" };
    assert!(said.contains(expected), "{line}\n{said}");
}

#[test]
fn t_x3_pipes_usage_errors_end_with_2() {
    for (program, words) in [
        ("pipes-capacity", ["--chunk", "0"]),
        ("pipes-atomic", ["--size", "x"]),
        ("pipes-unix-server", ["--mode", "999"]),
        ("pipes-fifo-reader", ["--wait", "0"]),
    ] {
        assert_eq!(end(&mut run(program, &words)), Some(2), "{program}");
    }
    let (_folder, path) = place("x");
    let mut many = start("pipes-fifo-talk", &path, &["b", "c"]);
    assert_eq!(end(&mut many), Some(2));
    assert!(!path.exists(), "and nothing is made");
}
