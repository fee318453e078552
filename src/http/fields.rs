//! Header fields: `Name: value`, in the order of the message. Upper and lower
//! case do not matter in a name. Several fields may have the same name.

/// All fields, in one buffer. This needs two allocations for any number of
/// fields.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    text: Vec<u8>,
    places: Vec<Place>,
}

/// The position of a field in `text`: its name, followed by its value.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    name: usize,  // length
    value: usize, // length
}

impl Fields {
    /// No fields.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// No fields yet, but room for `count` of them, and for the `bytes` of
    /// their names and values.
    pub fn with_room(count: usize, bytes: usize) -> Fields {
        let text = Vec::with_capacity(bytes);
        Fields { text, places: Vec::with_capacity(count) }
    }

    /// The number of fields; a repeated name counts each time.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Are there no fields?
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(value);
        let place = Place { start, name: name.len(), value: value.len() };
        self.places.push(place);
    }

    /// Removes every field of that name, then adds this one.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every field of that name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.len();
        let (text, places) = (&self.text, &mut self.places);
        places.retain(|place| !is_named(text, *place, name));
        self.len() < before
    }

    /// All fields, with their names unchanged.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.places.iter().map(|&place| {
            (name_of(&self.text, place), value_of(&self.text, place))
        })
    }

    /// The values of all fields of that name.
    pub fn get_all<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a [u8]> {
        let of_name = move |place: &&Place| is_named(&self.text, **place, name);
        let places = self.places.iter().filter(of_name);
        places.map(|place| value_of(&self.text, *place))
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let mut places = self.places.iter();
        let place = places.find(|&&p| is_named(&self.text, p, name))?;
        Some(value_of(&self.text, *place))
    }

    /// The first value of that name as text, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// Is there a field of that name?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The elements of a comma-separated list, in all fields of that name:
    /// `Connection: a, b` means the same as the two fields `Connection: a` and
    /// `Connection: b`. Empty elements do not count. It works for lists of
    /// tokens, but not for quoted strings, which may contain commas.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name)
            .flat_map(|line| line.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Does the list of that name contain this token, in upper or lower case?
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name)
            .any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
    }
}

fn name_of(text: &[u8], place: Place) -> &str {
    let name = text.get(place.start..place.start + place.name);
    // push() got a &str, so this is text; the indices are valid too.
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

/// Does this field have that name? It compares bytes, which is faster than to
/// check for text first.
fn is_named(text: &[u8], place: Place, name: &str) -> bool {
    let found = text.get(place.start..place.start + place.name);
    found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

fn value_of(text: &[u8], place: Place) -> &[u8] {
    let start = place.start + place.name;
    text.get(start..start + place.value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case_and_may_be_repeated() {
        let mut fields = Fields::new();
        fields.push("Connection", "keep-alive, Foo");
        fields.push("X", "1");
        fields.push("connection", ", close ,");
        assert_eq!(fields.get("CONNECTION"), Some(&b"keep-alive, Foo"[..]));
        assert!(fields.lists("connection", "CLOSE"));
        assert!(fields.lists("connection", "foo"));
        assert_eq!(fields.list("connection").count(), 3);
        assert!(fields.remove("Connection"));
        assert_eq!(fields.len(), 1);
        fields.set("x", "2");
        assert_eq!(fields.text("X"), Some("2"));
    }
}
