//! The files of the site. The server opens the root folder once. The library
//! cap-std opens every file relative to this folder. It follows neither `..`
//! nor a symbolic link out of the root, even if somebody moves files at the
//! same moment.                                                    [W-T2d]
//!
//! To open, check and read a small file takes longer than to send it. So small
//! files are cached in memory and compared with the disk once a second. One
//! lock guards the table. A thread holds it for a look-up, but never while it
//! reads a file.

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

/// Bytes. Files up to this size are cached, and sent with one send().
const SMALL: u64 = 64 * 1024;

/// Bytes. If all cached files together exceed this, the table is emptied.
const MOST_CACHED: usize = 32 * 1024 * 1024;

/// A cached file is used for this long before we look at the disk again.
const TRUSTED: Duration = Duration::from_secs(1);

/// Bytes that an entry of the table needs in addition to the content.
const OVERHEAD: usize = 1024;

/// A file, ready to be sent.
pub struct Resource {
    /// Its size in bytes.
    pub size: u64,
    /// The time of its last change, in whole seconds, for Last-Modified.
    pub modified: Option<Timestamp>,
    /// Its ETag. If the content changes, the ETag changes too.
    pub etag: String,
    /// Its kind: `text/plain; charset=utf-8`.
    pub kind: String,
    /// The lines ETag, Accept-Ranges and Last-Modified of the head.
    pub fields: String,
    /// Where the bytes are.
    pub content: Content,
    stamp: Stamp,
    checked: AtomicU64, // when compared with the disk: ms after Files::began
}

/// Where a file's bytes are.
pub enum Content {
    /// A small file is in memory.
    Memory(Vec<u8>),
    /// A large file is open, for this one response.
    File(std::fs::File),
}

/// Size, and time of the last change in nanoseconds. If neither differs, the
/// file counts as unchanged.
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

/// Why the server cannot send a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Missing {
    /// 404: it does not exist.
    NotFound,
    /// 403: it exists, but may not be served. The text says why.
    Forbidden(&'static str),
    /// 503: the system failed, for example because no descriptors are left.
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
    /// Opens the root folder.
    pub fn open(root: &Path) -> Result<Files> {
        let root = Dir::open_ambient_dir(root, ambient_authority())
            .map_err(|error| Error::new("open", root.display(), error))?;
        Ok(Files { root, cached: RwLock::default(), began: Instant::now() })
    }

    /// Finds what is at this path. path.rs has made sure that it contains only
    /// plain names. Python: open(name, "rb")  C: open(name, O_RDONLY)
    pub fn find(&self, name: &OsStr) -> std::result::Result<Found, Missing> {
        if let Some(cached) = self.unchanged(name) {
            return Ok(Found::File(cached));
        }
        let name = if name.is_empty() { OsStr::new(".") } else { name };
        // Look before opening. open() of a FIFO waits until another program
        // writes to it, and open() of a device may start it.      (try 4)
        let metadata = self.root.metadata(name).map_err(missing)?;
        if metadata.is_dir() {
            return Ok(Found::Folder);
        }
        if !metadata.is_file() {
            return Err(Missing::Forbidden("It is not a regular file."));
        }
        // Somebody may have put a FIFO in the file's place since then. With
        // O_NONBLOCK open() does not wait for a writer.
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.read(true).custom_flags(flags.bits() as i32);
        let file = self.root.open_with(name, &options).map_err(missing)?;
        // So look once more, at the file that is really open.
        let metadata = file.metadata().map_err(missing)?;
        if !metadata.is_file() {
            return Err(Missing::Forbidden("It is not a regular file."));
        }
        let file = file.into_std();
        let content = match metadata.len() <= SMALL {
            true => read_small(&file, metadata.len()).map_err(missing)?,
            false => None,
        };
        // Only small files go into the table: a large one stays on the disk,
        // where the kernel has a cache of its own.
        let small = content.is_some();
        let content = content.map_or(Content::File(file), Content::Memory);
        let resource = self.describe(name, &metadata, content);
        let resource = Arc::new(resource.map_err(missing)?);
        if small {
            self.cache(name, resource.clone());
        }
        Ok(Found::File(resource))
    }

    /// The entries of a folder that a request can get, sorted by name. It
    /// looks at `most` entries only, and says whether there are more.
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
            // Leave out what a request would not get: links that lead out of
            // the root or to nothing, FIFOs and sockets, files without the
            // right to read.
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

    /// A cached file, if the file on the disk has not changed.
    fn unchanged(&self, name: &OsStr) -> Option<Arc<Resource>> {
        let cached = self.cached.read().table.get(name)?.clone();
        // The read lock is free again: the table's entry has been cloned.
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
        // The file has changed or is gone, so the entry must go too.
        let mut all = self.cached.write();
        if let Some(old) = all.table.remove(name) {
            all.bytes -= cost(name, &old);
        }
        None
    }

    /// Puts a small file into the table.
    fn cache(&self, name: &OsStr, resource: Arc<Resource>) {
        let cost_of_new = cost(name, &resource);
        let mut cached = self.cached.write();
        if cached.bytes + cost_of_new > MOST_CACHED {
            // Limit: it empties the complete table. A cache of a production
            // server would drop the least recently used files.
            *cached = Cache::default();
        }
        cached.bytes += cost_of_new;
        if let Some(old) = cached.table.insert(name.into(), resource) {
            cached.bytes -= cost(name, &old);
        }
    }

    /// Composes the fields of the head that describe this file.
    fn describe(
        &self,
        name: &OsStr,
        metadata: &Metadata,
        content: Content,
    ) -> io::Result<Resource> {
        // The name says the kind; the first bytes say whether it is UTF-8.
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
        // An ETag is any quoted text. Size and time are enough here.
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

    /// Milliseconds since the server's start.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Bytes that this entry of the table needs.
fn cost(name: &OsStr, resource: &Resource) -> usize {
    let content = match &resource.content {
        Content::Memory(bytes) => bytes.len(),
        Content::File(_) => 0,
    };
    OVERHEAD + name.len() + content
}

/// Reads all of a small file. Returns `None` if the file has not the expected
/// size any more, because another program is changing it.
fn read_small(file: &std::fs::File, size: u64) -> io::Result<Option<Vec<u8>>> {
    // Ask for one byte more than expected: if it arrives, the file has grown.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.take(size + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == size).then_some(bytes))
}

/// The time of the last change in whole seconds, as Last-Modified needs it.
fn modified(metadata: &Metadata) -> Option<Timestamp> {
    date::seconds(metadata.modified().ok()?.into_std())
}

/// What is compared to see whether a file has changed.
fn stamp(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok();
    let time = modified.and_then(|time| {
        Timestamp::try_from(time.into_std()).ok().map(Timestamp::as_nanosecond)
    });
    (metadata.len(), time)
}

/// Which status belongs to an error of the file system?
fn missing(error: io::Error) -> Missing {
    match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => {
            // ELOOP: too many links, one after the other.
            let why = "Its symbolic links form a loop.";
            return Missing::Forbidden(why);
        }
        // EILSEQ: on macOS a name must be UTF-8, so no file has this name.
        Some(Errno::ILSEQ) => return Missing::NotFound,
        _ => {}
    }
    match error.kind() {
        // Also if the path names a file where a folder must be (ENOTDIR), or
        // if a name is too long (ENAMETOOLONG).
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => Missing::NotFound,
        // EACCES from the kernel, or a refusal by cap-std.
        ErrorKind::PermissionDenied => Missing::Forbidden(
            "This server may not read it, because of its permissions or \
                 because a link leads out of the root.",
        ),
        _ => Missing::Trouble,
    }
}
