//! `socketlab where ID`: the code, tests and pages that answer an id.

use harness::ids::Sources;
use socketlab::{Error, Result, say};

/// Prints file:line of code, test and page for an id.
pub fn locate(id: &str) -> Result<()> {
    let id = id.trim_matches(['[', ']']);
    let handouts = ["d-", "e-", "g-", "w-", "t-", "x-"];
    let low = id.to_lowercase();
    let is_id = handouts.iter().any(|handout| low.starts_with(handout));
    let places = match is_id {
        true => Sources::read()?.places(id),
        false => Vec::new(),
    };
    if places.is_empty() {
        return Err(Error::other(format!(
            "nothing here answers '{id}'. Ids look like D-T3.2, E-T4, G-6b, \
             W-T1.1a, T-S: the table in README.md lists them"
        )));
    }
    for place in places {
        let file = place.file.display();
        say!("{}  {file}:{}  {}", place.kind, place.line, place.text);
    }
    Ok(())
}
