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
    assert_eq!(text, "prompt ok\nescapes ok\nctrl-c ok\nprogress ok\n");
}
