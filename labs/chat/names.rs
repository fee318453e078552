//! Which names the room admits. Only the hub knows whether a name is free: see
//! hub.rs.                                           [G-8d] (viva 11) (try 4)

use socketlab::console::is_deceptive;
use unicode_width::UnicodeWidthChar;

/// Longest name, in characters.
pub const LONGEST: usize = 24;
/// What a client reads whose name has more.
pub const TOO_LONG: &str = "a name has at most 24 characters";

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
        return Err(TOO_LONG);
    }
    // Everybody's line begins with `Name: `: a colon inside would let one
    // member write lines of another.
    if name.contains(':') {
        return Err("a name has no colon");
    }
    // `Batman (to you): psst` is a whisper, `(Batman left: quit)` a note on
    // the console, and commas part the names that /who lists.
    if name.contains([',', '(', ')']) {
        return Err("a name has no comma and no parenthesis");
    }
    if name.chars().any(|c| is_deceptive(c) || is_unseen(c)) {
        return Err("a name has no control or invisible characters");
    }
    if name.chars().next().and_then(char::width) == Some(0) {
        return Err("a name does not begin with an accent");
    }
    if key(name) == key("Server") {
        return Err("Server is the room itself");
    }
    // `/` begins a command, and `* Batman waves` is what /me says.
    if name.starts_with(['/', '*']) {
        return Err("a name does not begin with / or *");
    }
    Ok(name.to_string())
}

/// What two spellings of one name have in common. Upper case tells that ß and
/// SS are one; lower case before it, that ẞ is ß.
pub fn key(name: &str) -> String {
    name.to_lowercase().to_uppercase().to_lowercase()
}

/// Spaces that are not the space, and characters that show nothing: with one
/// of them a second `Batman` would look like the first. The list is Unicode's
/// Default_Ignorable_Code_Point, less what `is_deceptive` has, and the
/// noncharacters, which every font shows alike.
fn is_unseen(character: char) -> bool {
    (character.is_whitespace() && character != ' ')
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(character, '\u{fdd0}'..='\u{fdef}')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
