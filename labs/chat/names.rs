//! Which names the room admits. That a name is free is not decided here: only
//! the hub knows, see hub.rs.                                [G-8b] [G-8d]

use socketlab::console::is_deceptive;

/// Longest name, in characters.
const LONGEST: usize = 24;

/// The name that a line of the login asks for, or why it cannot be had.
pub fn check(line: &[u8]) -> Result<String, &'static str> {
    let Ok(name) = std::str::from_utf8(line) else {
        return Err("a name is UTF-8 text");
    };
    let name = name.trim();
    if name.is_empty() {
        return Err("a name has at least one character");
    }
    if name.chars().count() > LONGEST {
        return Err("a name has at most 24 characters");
    }
    // Everybody's line begins with `Name: `: a colon inside would let one
    // member write lines of another.
    if name.contains(':') {
        return Err("a name has no colon");
    }
    if name.chars().any(is_deceptive) || name.chars().any(is_odd_space) {
        return Err("a name has no control or invisible characters");
    }
    if key(name) == key("Server") {
        return Err("Server is the room itself");
    }
    if name.starts_with('/') {
        return Err("a name does not begin with a slash, as commands do");
    }
    Ok(name.to_string())
}

/// What two spellings of one name have in common. Upper case first: ß and SS
/// are told apart by lower case alone.
pub fn key(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// A space that is not the space: two names would look alike.
fn is_odd_space(character: char) -> bool {
    character.is_whitespace() && character != ' '
}
