//! A table of keys and values that all clients share. One lock protects it.
//! No thread waits for a peer while it holds the lock, so each operation is
//! short. A hub thread, as in labs/chat, is not needed.
//!
//! ```text
//! client A -> put("colour", "red") --\
//!                                     [lock] BTreeMap: key -> JSON
//! client B -> get("colour") ---------/
//! ```
//!
//! Like calculator.rs, this file contains no requests and responses.

use std::collections::BTreeMap;
use std::ops::Bound;

use parking_lot::Mutex;
use serde_json::value::RawValue;

/// Most entries, and most bytes of all keys and values together.
const MOST_ENTRIES: usize = 10_000;
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Longest key in bytes. The longest line limits the length of a value.
const LONGEST_KEY: usize = 256;

/// Most keys that one call of [`Table::keys`] returns; the caller asks again
/// for more.
const KEYS_AT_ONCE: usize = 100;

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// The table has no such key.
    NoSuchKey,
    /// The key has more than 256 bytes.
    LongKey,
    /// The table already has the most entries or bytes.
    Full,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TableError::NoSuchKey => "no such key",
            TableError::LongKey => "the key is longer than 256 bytes",
            TableError::Full => "the table is full",
        })
    }
}

/// The table.
#[derive(Default)]
pub struct Table {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    map: BTreeMap<String, Box<RawValue>>,
    bytes: usize, // of all keys and values
}

impl Table {
    /// Stores a value. Returns whether the key is new.
    pub fn put(
        &self,
        key: String,
        value: Box<RawValue>,
    ) -> Result<bool, TableError> {
        if key.len() > LONGEST_KEY {
            return Err(TableError::LongKey);
        }
        let mut entries = self.entries.lock();
        let old = entries.map.get(&key).map(|old| key.len() + old.get().len());
        let bytes =
            entries.bytes - old.unwrap_or(0) + key.len() + value.get().len();
        let count = entries.map.len() + usize::from(old.is_none());
        if count > MOST_ENTRIES || bytes > MOST_BYTES {
            return Err(TableError::Full);
        }
        entries.bytes = bytes;
        Ok(entries.map.insert(key, value).is_none())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Box<RawValue>, TableError> {
        let entries = self.entries.lock();
        entries.map.get(key).cloned().ok_or(TableError::NoSuchKey)
    }

    /// Removes a key. Returns whether the table had it.
    pub fn delete(&self, key: &str) -> bool {
        let mut entries = self.entries.lock();
        let Some(old) = entries.map.remove(key) else { return false };
        entries.bytes -= key.len() + old.get().len();
        true
    }

    /// The first hundred keys after `after`, in order.
    pub fn keys(&self, after: &str) -> Vec<String> {
        let entries = self.entries.lock();
        let from = (Bound::Excluded(after), Bound::Unbounded);
        let from = match after {
            "" => (Bound::Unbounded, Bound::Unbounded),
            _ => from,
        };
        let keys = entries.map.range::<str, _>(from).map(|(key, _)| key);
        keys.take(KEYS_AT_ONCE).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::to_raw_value;

    #[test]
    fn the_table_counts_its_bytes() -> serde_json::Result<()> {
        let table = Table::default();
        let large = to_raw_value(&"v".repeat(60_000))?;
        // Put and replaced and deleted again leaves nothing behind.
        for _ in 0..1000 {
            assert_eq!(table.put("k".into(), large.clone()), Ok(true));
            assert_eq!(table.put("k".into(), large.clone()), Ok(false));
            assert!(table.delete("k"));
        }
        // 16 MiB hold 279 of them.
        for n in 0..279 {
            assert_eq!(table.put(n.to_string(), large.clone()), Ok(true));
        }
        let full = Err(TableError::Full);
        assert_eq!(table.put("one more".into(), large.clone()), full);
        assert_eq!(table.put("0".into(), large), Ok(false), "in its place");
        assert!(table.delete("0") && !table.delete("0"));
        Ok(())
    }
}
