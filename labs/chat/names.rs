//! Which names the room accepts. hub.rs checks whether a name is free. [G-8d]
//! (viva 11) (try 4)

use socketlab::console::is_deceptive;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection;
use unicode_width::UnicodeWidthChar;

/// Longest name, in characters.
pub const LONGEST: usize = 24;
/// The reply to a longer name.
pub const TOO_LONG: &str = "a name has at most 24 characters";

/// The name in a login line, or the reason for refusing it.
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
    // Every line begins with `Name: `. With a colon in a name, one member could
    // imitate another's lines.
    if name.contains(':') {
        return Err("a name has no colon");
    }
    // The same holds for `：`, a colon of full width, and `꞉`, a letter.
    if skeleton(name).contains(':') {
        return Err("a name has nothing that looks like a colon");
    }
    // `Batman (to you): psst` is a private line, `(Batman left: quit)` a note
    // on the console, and commas separate the names that /who lists.
    if name.nfkc().any(|c| matches!(c, ',' | '(' | ')')) {
        return Err("a name has no comma and no parenthesis");
    }
    if name.chars().any(|c| is_deceptive(c) || is_unseen(c)) {
        return Err("a name has no control or invisible characters");
    }
    if name.chars().next().and_then(char::width) == Some(0) {
        return Err("a name does not begin with an accent");
    }
    let (look, room) = (Look::of(name), Look::of("Server"));
    if look.is_same(&room) {
        return Err("Server is the room itself");
    }
    if look.is_like(&room) {
        return Err("that name looks like Server, which is the room itself");
    }
    // `/` begins a command, and `* Batman waves` is what /me says.
    if skeleton(name).starts_with(['/', '*']) {
        return Err("a name does not begin with / or *");
    }
    Ok(name.to_string())
}

/// The look of a name, for comparison with other names. [G-8d] (try 3)
pub struct Look {
    key: String,
    skeletons: [String; 2],
}

impl Look {
    /// Two skeletons (UTS 39), because `I` looks like `l`, and is also `i` in
    /// upper case.
    pub fn of(name: &str) -> Look {
        let one = skeleton(&key(name));
        let two = skeleton(&key(&skeleton(name)));
        Look { key: key(name), skeletons: [key(&one), key(&two)] }
    }

    /// Is it the same name, perhaps in another case?
    pub fn is_same(&self, other: &Look) -> bool {
        self.key == other.key
    }

    /// Could a reader confuse the two? For example Bob1 and Bobl, or a Cyrillic
    /// `а` in Batman.
    pub fn is_like(&self, other: &Look) -> bool {
        self.skeletons.iter().any(|one| other.skeletons.contains(one))
    }
}

/// A form that is the same for all spellings of one name. Upper case maps ß to
/// SS; lower case before it maps ẞ to ß.
pub fn key(name: &str) -> String {
    name.to_lowercase().to_uppercase().to_lowercase()
}

/// Maps characters that look alike to one, by the table of Unicode's technical
/// standard 39, after NFKC has replaced wide and joined forms. The table lacks
/// most small capitals. Several spaces become one.
fn skeleton(name: &str) -> String {
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
    let large = |c| ('a'..='z').zip(SMALL.chars()).find(|(_, s)| *s == c);
    let plain = name.nfkc().map(|c| large(c).map_or(c, |(letter, _)| letter));
    let plain: String = plain.collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let plain = words.join(" ");
    confusable_detection::skeleton(&plain).collect()
}

/// Other spaces, and invisible characters: with one of them a second `Batman`
/// would look like the first. The list is Unicode's
/// Default_Ignorable_Code_Point without those of `is_deceptive`, and the
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
