//! Header fields: `Name: value`, in the order in which they came. Names have
//! no case; one name may stand on several lines.

/// Fields in one buffer: two allocations however many there are.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    text: Vec<u8>,
    places: Vec<Place>,
}

/// Where a field stands in `text`: its name, then at once its value.
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

    /// No fields yet, but room for so many, and for the bytes of their names
    /// and values.
    pub fn with_room(count: usize, bytes: usize) -> Fields {
        let text = Vec::with_capacity(bytes);
        Fields { text, places: Vec::with_capacity(count) }
    }

    /// How many there are; a name that stands twice counts twice.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Are there none?
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

    /// All fields, names as they were written.
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

    /// The elements of a comma-separated list, over all lines of that name:
    /// `Connection: a, b` and two lines `Connection: a`, `Connection: b` mean
    /// the same. Empty elements do not count. For lists of tokens; quoted
    /// strings may hold commas and need a parser of their own.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name)
            .flat_map(|line| line.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Does the list of that name hold this token, in whatever case?
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name)
            .any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
    }
}

fn name_of(text: &[u8], place: Place) -> &str {
    let name = text.get(place.start..place.start + place.name);
    // It was a &str in push(); indices cannot fail either.
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

/// The name as bytes: a look-up does not ask whether they are text.
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
    fn a_name_has_no_case_and_may_stand_twice() {
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
