//! Reads, checks and asks the viva questions of `labs/<lab>/viva.toml`.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;

use harness::source_tree;
use serde::Deserialize;
use socketlab::{Error, console};

use crate::labs::chosen;

/// Columns. Longer lines are split at a space, so that no word is cut.
const WIDTH: usize = 78;

/// One question that an examiner may ask, with the points of a good answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// `<lab>-<n>`, where n counts from 1 in the file.
    pub id: String,
    /// The task or question of a handout that it belongs to.
    pub handout: String,
    /// `basic`, `solid` or `deep`.
    pub level: String,
    /// The question in the examiner's words.
    pub question: String,
    /// What a good answer contains, three to six short points.
    pub key_points: Vec<String>,
    /// A frequent wrong answer.
    pub wrong_answer: String,
    /// What the examiner may ask next, each with its answer.
    pub follow_ups: Vec<FollowUp>,
    /// Where the code shows the answer (`where` in the file).
    #[serde(default, rename = "where")]
    pub places: Vec<Place>,
    /// A flawed answer of the handout; the next two fields go with it.
    pub handout_says: Option<String>,
    /// What an examiner who trusts the handout may want to hear.
    pub examiner_may_expect: Option<String>,
    /// The right answer.
    pub precise_answer: Option<String>,
}

/// A further question, and its answer in one line:
/// `["What if …?", "Then …"]` in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum FollowUp {
    /// Question and answer.
    Answered(String, String),
    /// A question whose answer is still to be written.
    Open(String),
}

/// A step of a lab's program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Path from the project's root, such as `labs/echo/tcp_server.rs`.
    pub file: String,
    /// The call in a step banner (`accept()`), or an item (`fn converse`).
    pub step: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bank {
    question: Vec<Question>,
}

/// Reads `viva.toml` in a lab's folder. An error names file, line, question.
pub fn load(lab_folder: &Path) -> Result<Vec<Question>, String> {
    let path = lab_folder.join("viva.toml");
    let file = path.display();
    let text = fs::read_to_string(&path).map_err(|e| format!("{file}: {e}"))?;
    let bank: Bank = toml::from_str(&text).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start);
        // Count up to the end of the line that toml points at, because this
        // line may be the question's own header.
        let rest = text.get(start..).unwrap_or("");
        let end = start + rest.find('\n').unwrap_or(rest.len());
        let before = text.get(..end).unwrap_or("");
        let is_header = |line: &&str| line.trim() == "[[question]]";
        let number = before.lines().filter(is_header).count();
        let line = before.lines().count();
        format!("{file}, line {line}, question {number}: {}", e.message())
    })?;
    Ok(bank.question)
}

/// Lists the problems of a lab's questions, one line each. The list is empty if
/// the questions are right.
pub fn check(lab: &str, questions: &[Question]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, q) in questions.iter().enumerate() {
        let id = format!("{lab}-{}", index + 1);
        let mut report = |what: String| problems.push(format!("{id}: {what}"));
        if q.id != id {
            report(format!("its id in the file is {}", q.id));
        }
        if !["basic", "solid", "deep"].contains(&q.level.as_str()) {
            report(format!("unknown level {}", q.level));
        }
        if !(3..=6).contains(&q.key_points.len()) {
            report(format!("{} key points, not 3 to 6", q.key_points.len()));
        }
        if q.places.is_empty() {
            report("no `where`".to_string());
        }
        for follow_up in &q.follow_ups {
            let FollowUp::Answered(question, answer) = follow_up else {
                continue;
            };
            let copied = q.key_points.iter().any(|point| point == answer);
            if answer.trim().is_empty() || copied {
                report(format!("no answer of its own for: {question}"));
            }
        }
        let flaw = [&q.handout_says, &q.examiner_may_expect, &q.precise_answer];
        if !matches!(flaw.into_iter().flatten().count(), 0 | 3) {
            report("only a part of the three flaw fields".to_string());
        }
    }
    problems
}

/// Asks the questions of the labs, one by one.
pub fn quiz(labs: &[&str]) -> socketlab::Result<()> {
    let mut questions = Vec::new();
    for lab in chosen(labs)? {
        let folder = source_tree::root()?.join("labs").join(lab);
        questions.extend(load(&folder).map_err(Error::other)?);
    }
    // If output or input is closed, the student has left: not an error.
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    console::unless_closed(ask(&questions, input, output))
}

/// Asks the questions one by one. Enter shows the answer, and the next Enter
/// asks the next question. `q` or the end of input ends the quiz.
pub fn ask(
    questions: &[Question],
    mut input: impl BufRead,
    mut out: impl Write,
) -> io::Result<()> {
    let total = questions.len();
    let mut seen = 0;
    for q in questions {
        if seen > 0 && !pause("for the next question", &mut input, &mut out)? {
            break;
        }
        seen += 1;
        let Question { id, handout, level, .. } = q;
        writeln!(
            out,
            "Question {seen} of {total}: {id}, handout {handout}, {level}."
        )?;
        wrap("", &q.question, &mut out)?;
        writeln!(out)?;
        if !pause("for the key points", &mut input, &mut out)? {
            break;
        }
        reveal(q, &mut out)?;
    }
    writeln!(out, "{seen} of {total} questions seen.")
}

/// Waits for Enter. Returns false if the user typed `q` or the input has ended.
fn pause(
    what: &str,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> io::Result<bool> {
    writeln!(out, "Press Enter {what}, or q and Enter to leave.")?;
    out.flush()?;
    let mut line = Vec::new(); // bytes: what the user types may not be UTF-8
    let length = input.read_until(b'\n', &mut line)?;
    Ok(length > 0 && !line.trim_ascii().eq_ignore_ascii_case(b"q"))
}

/// Prints the answer.
fn reveal(q: &Question, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Key points:")?;
    for point in &q.key_points {
        wrap("- ", point, out)?;
    }
    wrap("A common wrong answer: ", &q.wrong_answer, out)?;
    for (label, text) in [
        ("The handout says: ", &q.handout_says),
        ("An examiner may expect: ", &q.examiner_may_expect),
        ("Precisely: ", &q.precise_answer),
    ] {
        if let Some(text) = text {
            wrap(label, text, out)?;
        }
    }
    writeln!(out, "Possible further questions:")?;
    for follow_up in &q.follow_ups {
        match follow_up {
            FollowUp::Open(question) => wrap("- ", question, out)?,
            FollowUp::Answered(question, answer) => {
                wrap("- ", question, out)?;
                wrap("  Answer: ", answer, out)?;
            }
        }
    }
    writeln!(out, "In the code:")?;
    for Place { file, step } in &q.places {
        writeln!(out, "- {file}, {step}")?;
    }
    writeln!(out)
}

/// Writes label and text, in lines of at most `WIDTH` columns.
fn wrap(label: &str, text: &str, out: &mut impl Write) -> io::Result<()> {
    let mut line = label.to_string();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > WIDTH {
            writeln!(out, "{}", line.trim_end())?;
            line = "  ".to_string();
        }
        line.push_str(word);
        line.push(' ');
    }
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[question]]
id = "greet-1"
handout = "T-Q1"
level = "basic"
question = "What is a client?"
key_points = ["It initiates", "It is a role", "A browser is one"]
wrong_answer = "A small machine."
follow_ups = [["Who speaks first?", "The side that the protocol names."]]
where = [{ file = "labs/greet/client.rs", step = "connect()" }]
"#;

    fn parse(text: &str) -> Result<Vec<Question>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("viva.toml"), text).expect("written");
        load(folder.path())
    }

    fn dialogue(questions: &[Question], typed: &str) -> String {
        let mut out = Vec::new();
        ask(questions, typed.as_bytes(), &mut out).expect("asked");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_good_file_has_no_problems() {
        let questions = parse(GOOD).expect("parsed");
        assert_eq!(check("greet", &questions), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_field_is_refused_with_file_line_and_question() {
        let second = GOOD.replace("level =", "levle =");
        let error = parse(&format!("{GOOD}{second}")).expect_err("refused");
        assert!(error.contains("viva.toml, line 15, question 2"), "{error}");
        assert!(error.contains("levle"), "{error}");
    }

    #[test]
    fn a_missing_field_is_refused_with_the_question() {
        let second = GOOD.replace("level = \"basic\"\n", "");
        let error = parse(&format!("{GOOD}{second}")).expect_err("refused");
        assert!(error.contains("question 2: missing field"), "{error}");
    }

    #[test]
    fn each_rule_reports_its_own_problem() {
        let mut questions = parse(GOOD).expect("parsed");
        questions[0].id = "greet-7".to_string();
        questions[0].level = "hard".to_string();
        questions[0].key_points.truncate(2);
        questions[0].places.clear();
        questions[0].handout_says = Some("half of it".to_string());
        let copy = questions[0].key_points[0].clone();
        let asked = "Who speaks first?".to_string();
        questions[0].follow_ups = vec![FollowUp::Answered(asked, copy)];
        let problems = check("greet", &questions);
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(problems.iter().all(|line| line.starts_with("greet-1: ")));
    }

    #[test]
    fn enter_shows_the_answer_and_then_the_next_question() {
        let mut questions = parse(&format!("{GOOD}{GOOD}")).expect("parsed");
        questions[1].precise_answer = Some("Long words ".repeat(30));
        let text = dialogue(&questions, "\n\n\n");
        let order = [
            "What is a client?",
            "- It initiates",
            "- Who speaks first?\n  Answer: The side that",
            "connect()",
        ];
        let found = order.map(|part| text.find(part).expect(part));
        assert!(found.is_sorted(), "{text}");
        assert!(
            text.contains("Question 2 of 2: greet-1, handout T-Q1, basic.")
        );
        assert!(text.contains("Precisely: Long words"));
        assert!(text.ends_with("2 of 2 questions seen.\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }

    #[test]
    fn q_and_end_of_input_end_the_quiz_with_a_count() {
        let questions = parse(&format!("{GOOD}{GOOD}")).expect("parsed");
        for typed in ["q\n", "\nQ\r\n", "", "\n"] {
            let text = dialogue(&questions, typed);
            assert!(text.ends_with("1 of 2 questions seen.\n"), "{text}");
        }
    }
}
