//! `socketlab steps PROGRAM [PROGRAM]`: the numbered steps of a program, or of
//! two side by side.

use harness::steps::of_program;
use socketlab::{Result, say};

/// The steps of one program, or of two side by side. [G-4]
pub fn steps(left: &str, right: Option<&str>) -> Result<()> {
    let one = of_program(left)?;
    let two = match right {
        Some(right) => of_program(right)?,
        None => Vec::new(),
    };
    let width = one.iter().map(String::len).max().unwrap_or(0);
    let width = width.max(left.len()) + 4;
    say!("{left:width$}{}", right.unwrap_or_default());
    for row in 0..one.len().max(two.len()) {
        let cell = |steps: &[String]| steps.get(row).cloned();
        let (one, two) = (cell(&one), cell(&two));
        let (one, two) = (one.unwrap_or_default(), two.unwrap_or_default());
        say!("{}", format!("{one:width$}{two}").trim_end());
    }
    Ok(())
}
