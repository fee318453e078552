//! At a terminal: the prompt that shows nothing, the progress bar, and text
//! that would drive the terminal. Python's pty module is the terminal.

use crate::parts::said;
use harness::python;

#[test]
fn t_m_a_person_at_a_terminal() {
    let Some(mut python) = python("internet/fetch_person.py") else { return };
    let program = harness::terminal::program_folder().join("fetch");
    python.arg(program).env_remove("FETCH_PASSWORD");
    let output = python.output().expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(output.status.success(), "{text}{}", said(&output));
    let parts = ["prompt", "escapes", "ctrl-c", "kill", "ctrl-d", "progress"];
    assert_eq!(text, parts.map(|part| format!("{part} ok\n")).concat());
}
