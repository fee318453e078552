//! The files of the site. The root folder is opened once, as a capability:
//! cap-std opens everything else relative to it and lets neither `..` nor a
//! symbolic link lead out, whoever moves things about meanwhile.   [W-T2d]
//!
//! To open, ask and read a small file costs more than to send it. So small
//! files are cached in memory, and compared with the disk once a second. One
//! lock guards the table: it is held for a look-up, never while a file is read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions, OpenOptionsExt};
use http::date;
use jiff::Timestamp;
use parking_lot::RwLock;
use rustix::fs::{Access, AtFlags, OFlags, accessat};
use rustix::io::Errno;
use socketlab::{Error, Result};

use crate::kind;

/// Files up to this size are cached in memory and sent in one piece.
const SMALL: u64 = 64 * 1024;

/// What all of them may take together; then the table is emptied.
const MOST_CACHED: usize = 32 * 1024 * 1024;

/// How long a cached file is trusted before the disk is asked again.
const TRUSTED: Duration = Duration::from_secs(1);

/// Bytes that an entry of the table costs beside its content.
const OVERHEAD: usize = 1024;

/// A file, ready to be sent.
pub struct Resource {
    /// Bytes.
    pub size: u64,
    /// When it was changed last, as Last-Modified.
    pub modified: Option<Timestamp>,
    /// Another content has another ETag.
    pub etag: String,
    /// Its kind: `text/plain; charset=utf-8`.
    pub kind: String,
    /// The other fields that say all this.
    pub fields: String,
    /// Where the bytes are.
    pub content: Content,
    stamp: Stamp,
    checked: AtomicU64, // ms after Files::began
}

/// Where a file's bytes are.
pub enum Content {
    /// Small: here.
    Memory(Vec<u8>),
    /// Large: opened for this response.
    File(std::fs::File),
}

/// What tells whether a file has changed: size and time to the nanosecond.
type Stamp = (u64, Option<i128>);

/// What a path leads to.
pub enum Found {
    /// A regular file.
    File(Arc<Resource>),
    /// A folder.
    Folder,
}

/// An entry of a folder's list.
pub struct Listed {
    /// Its name, which need not be UTF-8.
    pub name: OsString,
    /// A file's size in bytes; a folder has none.
    pub size: Option<u64>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
}

/// Why there is nothing to send.
#[derive(Debug, PartialEq, Eq)]
pub enum Missing {
    /// 404
    NotFound,
    /// 403, and why.
    Forbidden(&'static str),
    /// 503: no descriptors left, for example.
    Trouble,
}

/// The folder with the site.
pub struct Files {
    root: Dir,
    cached: RwLock<Cache>,
    began: Instant,
}

#[derive(Default)]
struct Cache {
    table: HashMap<OsString, Arc<Resource>>,
    bytes: usize,
}

impl Files {
    /// Opens the root.
    pub fn open(root: &Path) -> Result<Files> {
        let root = Dir::open_ambient_dir(root, ambient_authority())
            .map_err(|error| Error::new("open", root.display(), error))?;
        Ok(Files { root, cached: RwLock::default(), began: Instant::now() })
    }

    /// Finds what is at this path (plain names, see path.rs).
    pub fn find(&self, name: &OsStr) -> std::result::Result<Found, Missing> {
        if let Some(cached) = self.still_true(name) {
            return Ok(Found::File(cached));
        }
        let name = if name.is_empty() { OsStr::new(".") } else { name };
        // Ask before opening: to open a FIFO waits for somebody to write to
        // it, and to open a device may start it.                  (try 4)
        let metadata = self.root.metadata(name).map_err(missing)?;
        if metadata.is_dir() {
            return Ok(Found::Folder);
        }
        if !metadata.is_file() {
            return Err(Missing::Forbidden("It is not a regular file."));
        }
        // Nor may open() wait, should a FIFO have come in its place since.
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.read(true).custom_flags(flags.bits() as i32);
        let file = self.root.open_with(name, &options).map_err(missing)?;
        // What was opened counts, should it have been exchanged since.
        let metadata = file.metadata().map_err(missing)?;
        if !metadata.is_file() {
            return Err(Missing::Forbidden("It is not a regular file."));
        }
        let file = file.into_std();
        let content = match metadata.len() <= SMALL {
            true => read_small(&file, metadata.len()).map_err(missing)?,
            false => None,
        };
        let small = content.is_some();
        let content = content.map_or(Content::File(file), Content::Memory);
        let resource = self.describe(name, &metadata, content);
        let resource = Arc::new(resource.map_err(missing)?);
        if small {
            self.cache(name, resource.clone());
        }
        Ok(Found::File(resource))
    }

    /// What is in a folder and can be asked for, sorted by name; of its first
    /// `most` entries, and are there more?
    pub fn list(
        &self,
        folder: &OsStr,
        most: usize,
    ) -> io::Result<(Vec<Listed>, bool)> {
        let folder =
            Path::new(if folder.is_empty() { OsStr::new(".") } else { folder });
        let mut listed = Vec::new();
        let mut entries = self.root.read_dir(folder)?;
        for entry in entries.by_ref().take(most) {
            let name = entry?.file_name();
            let path = folder.join(&name);
            // Not what a request would not get: links that lead out or
            // nowhere, FIFOs and sockets, files that we may not read.
            let Ok(metadata) = self.root.metadata(&path) else { continue };
            let access = match (metadata.is_file(), metadata.is_dir()) {
                (true, _) => Access::READ_OK,
                (_, true) => Access::EXEC_OK,
                _ => continue,
            };
            if accessat(&self.root, &path, access, AtFlags::empty()).is_err() {
                continue;
            }
            listed.push(Listed {
                name,
                size: metadata.is_file().then(|| metadata.len()),
                modified: modified(&metadata),
            });
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((listed, entries.next().is_some()))
    }

    /// A cached file, if the disk still has the same.
    fn still_true(&self, name: &OsStr) -> Option<Arc<Resource>> {
        let cached = self.cached.read().table.get(name)?.clone();
        let now = self.now();
        let trusted = u64::try_from(TRUSTED.as_millis()).unwrap_or(1000);
        if now < cached.checked.load(Relaxed) + trusted {
            return Some(cached);
        }
        let metadata = self.root.metadata(name).ok();
        let same = metadata.is_some_and(|metadata| {
            metadata.is_file() && stamp(&metadata) == cached.stamp
        });
        if same {
            cached.checked.store(now, Relaxed);
            return Some(cached);
        }
        let mut all = self.cached.write();
        if let Some(old) = all.table.remove(name) {
            all.bytes -= cost(name, &old);
        }
        None
    }

    fn cache(&self, name: &OsStr, resource: Arc<Resource>) {
        let cost_of_new = cost(name, &resource);
        let mut cached = self.cached.write();
        if cached.bytes + cost_of_new > MOST_CACHED {
            // Limit: a serious cache would drop what was not asked for.
            *cached = Cache::default();
        }
        cached.bytes += cost_of_new;
        if let Some(old) = cached.table.insert(name.into(), resource) {
            cached.bytes -= cost(name, &old);
        }
    }

    fn describe(
        &self,
        name: &OsStr,
        metadata: &Metadata,
        content: Content,
    ) -> io::Result<Resource> {
        let (size, mut kind) = (metadata.len(), kind::of_name(name));
        let text = match &content {
            Content::Memory(bytes) => Some(Cow::Borrowed(bytes)),
            Content::File(file)
                if kind::is_text(&kind) && size <= kind::MOST_READ =>
            {
                read_small(file, size)?.map(Cow::Owned)
            }
            Content::File(_) => None,
        };
        if let Some(text) = text {
            kind = kind::with_charset(&kind, &text);
        }
        let stamp = stamp(metadata);
        let (size, time) = stamp;
        let etag = format!("\"{size:x}-{:x}\"", time.unwrap_or_default());
        let modified = modified(metadata);
        let mut fields = format!("ETag: {etag}\r\nAccept-Ranges: bytes\r\n");
        if let Some(modified) = modified {
            let modified = date::text(modified);
            fields.push_str(&format!("Last-Modified: {modified}\r\n"));
        }
        let checked = AtomicU64::new(self.now());
        Ok(Resource {
            size,
            modified,
            etag,
            kind,
            fields,
            content,
            stamp,
            checked,
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn cost(name: &OsStr, resource: &Resource) -> usize {
    let content = match &resource.content {
        Content::Memory(bytes) => bytes.len(),
        Content::File(_) => 0,
    };
    OVERHEAD + name.len() + content
}

/// All of a small file; `None` if it is being changed under our hands.
fn read_small(file: &std::fs::File, size: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.take(size + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == size).then_some(bytes))
}

/// The time of the last change, as Last-Modified has it.
fn modified(metadata: &Metadata) -> Option<Timestamp> {
    date::seconds(metadata.modified().ok()?.into_std())
}

fn stamp(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok();
    let time = modified.and_then(|time| {
        Timestamp::try_from(time.into_std()).ok().map(Timestamp::as_nanosecond)
    });
    (metadata.len(), time)
}

fn missing(error: io::Error) -> Missing {
    match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => {
            let why = "Symbolic links go round in a circle.";
            return Missing::Forbidden(why);
        }
        // This file system has no such names: macOS wants UTF-8.
        Some(Errno::ILSEQ) => return Missing::NotFound,
        _ => {}
    }
    match error.kind() {
        // A file where the path has a folder; a name that is too long.
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => Missing::NotFound,
        // No right to read, or a symbolic link that leads out of the root.
        ErrorKind::PermissionDenied => Missing::Forbidden(
            "This server may not read it: its permissions, or a link \
                 that leads out of the folder.",
        ),
        _ => Missing::Trouble,
    }
}
