//! A complete response, as the cache holds it.

use std::sync::Arc;

use http::Fields;

/// An estimate of the memory of an entry besides its bytes: maps, allocations.
const OVERHEAD: usize = 512;

/// The fields that describe the bytes of the body. A 304 does not change them,
/// because the stored body does not change (RFC 9111, 3.2).
const OF_BYTES: [&str; 4] =
    ["Content-Encoding", "Content-Length", "Content-MD5", "Content-Range"];

/// A complete response. It never changes, so that a thread can still send it
/// after the cache has dropped it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The status code.
    pub status: u16,
    /// The reason phrase that the origin wrote.
    pub reason: String,
    /// The end-to-end fields, with this proxy's entry of Via.
    pub fields: Fields,
    /// The body, without any transfer coding.
    pub body: Arc<[u8]>,
    /// The request fields that Vary names, with their values at that time.
    pub vary: Vec<(String, Vec<u8>)>,
    /// When it was requested, in seconds since 1970.
    pub requested: i64,
    /// When its head arrived, in seconds since 1970.
    pub received: i64,
}

impl Stored {
    /// The fields by which the origin chose this response, and their values
    /// in the request.
    pub fn chosen_by(
        response: &Fields,
        request: &Fields,
    ) -> Vec<(String, Vec<u8>)> {
        let names = response.list("Vary");
        let names = names.map(|name| String::from_utf8_lossy(name).into());
        names
            .map(|name: String| (name.clone(), joined(request, &name)))
            .collect()
    }

    /// This response with the fields of a 304. `times`: requested and received.
    /// The fields that describe the body stay. A 304 may have a Content-Length
    /// of 0, but the stored body is not empty.
    pub fn updated(&self, news: &Fields, times: (i64, i64)) -> Stored {
        let mut fields = self.fields.clone();
        fields.remove("Age");
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in news.iter() {
            let same = |old: &&str| old.eq_ignore_ascii_case(name);
            if OF_BYTES.iter().any(same) {
                continue;
            }
            match seen.iter().any(same) {
                true => fields.push(name, value),
                false => fields.set(name, value),
            }
            seen.push(name);
        }
        let (requested, received) = times;
        Stored { fields, requested, received, ..self.clone() }
    }

    /// Would the origin choose this response for a request with these fields?
    pub fn suits(&self, request: &Fields) -> bool {
        self.vary.iter().all(|(name, value)| joined(request, name) == *value)
    }

    /// About how many bytes of memory it needs.
    pub fn size(&self) -> usize {
        let fields: usize =
            self.fields.iter().map(|(n, v)| n.len() + v.len() + 24).sum();
        let vary: usize =
            self.vary.iter().map(|(n, v)| n.len() + v.len() + 48).sum();
        self.body.len() + fields + vary + OVERHEAD
    }
}

/// All values of a field as one list, without blanks, so that the same list in
/// two header lines is equal to that list in one line.
fn joined(fields: &Fields, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = fields.list(name).collect();
    values.join(&b","[..])
}
