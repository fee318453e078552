//! Proves that a folder's list shows what can be opened, with size and date,
//! and that a site can have its own page for missing files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::files::{serve, site};
use crate::talk::{ask, get, request};
use harness::make_fifo;

/// The links on the page with a list.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"./")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default().into())
        .collect()
}

#[test]
fn w_t2d_every_name_in_a_list_can_be_opened() {
    let folder = site();
    let bare = folder.path().join("www/bare");
    let mut names: Vec<&[u8]> = vec![
        b"a\\b.txt",
        b"\\..\\x",
        b"%41.txt",
        b"a?b#c",
        b"a b&amp;<i>\"'",
        b"javascript:x",
        b"-",
        b"tab\tnewline\n",
        "gr\u{fc}n".as_bytes(),
    ];
    if cfg!(target_os = "linux") {
        names.extend([&b"latin-1 \xfc.txt"[..], b"\xff", b"\xc0\xae"]);
    }
    for (number, name) in names.iter().enumerate() {
        let file = bare.join(OsStr::from_bytes(name));
        fs::write(file, format!("file {number}")).expect("written");
    }
    fs::create_dir(bare.join("sub\\folder")).expect("a folder");
    symlink("-", bare.join("inside")).expect("a link");
    symlink("..", bare.join("parent")).expect("a link");
    // The list does not show these, because a request could not open them.
    symlink("../../secret", bare.join("outside")).expect("a link");
    symlink("nowhere", bare.join("dangling")).expect("a link");
    make_fifo(&bare.join("fifo"));
    let server = serve(&folder, &["--list"]);
    let page = get(&server, "/bare/", "").text();
    let links = links(&page);
    // The names, the unusual one of site(), a folder, two links.
    assert_eq!(links.len(), names.len() + 4, "{page}");
    let mut contents = Vec::new();
    for link in &links {
        let reply = get(&server, &format!("/bare/{link}"), "");
        assert_eq!(reply.status, 200, "{link}");
        contents.push(reply.text());
    }
    for number in 0..names.len() {
        assert!(contents.contains(&format!("file {number}")), "{number}");
    }
}

#[test]
fn w_t2d_a_list_shows_sizes_and_dates() {
    let folder = site();
    let bare = folder.path().join("www/bare");
    let file = fs::File::create(bare.join("old.bin")).expect("a file");
    file.set_len(123_456).expect("a size");
    let second = std::time::Duration::from_secs(784_111_777);
    let time = std::time::SystemTime::UNIX_EPOCH + second;
    file.set_modified(time).expect("a date");
    let server = serve(&folder, &["--list"]);
    let page = get(&server, "/bare/", "").text();
    let row = "old.bin</a><td>123456<td>1994-11-06 08:49\n";
    assert!(page.contains(row), "{page}");
    assert!(!page.contains(".hidden"), "{page}");
    fs::remove_file(folder.path().join("www/index.html")).expect("removed");
    let root = get(&server, "/", "").text();
    assert!(root.contains("href=\"./bare/\">bare/</a><td><td>20"), "{root}");
    assert!(!root.contains("../"), "nothing is above the root: {root}");
}

#[test]
fn w_t2g_a_site_can_have_its_own_page_for_missing_files() {
    let folder = site();
    let file = folder.path().join("www/404.html");
    let own = "<meta charset=utf-8><p>Not here; try <a href=/>home</a>.";
    fs::write(&file, own).expect("written");
    let server = serve(&folder, &[]);
    for target in ["/nix", "/sub/nix?a", "/.git/config", "/index.html/", "//"] {
        let reply = get(&server, target, "");
        assert_eq!((reply.status, reply.text().as_str()), (404, own));
        assert_eq!(reply.field("Content-Type"), Some("text/html"));
        assert_eq!(reply.field("ETag"), None, "it is not what was asked for");
    }
    let part = get(&server, "/nix", "Range: bytes=0-3\r\n");
    assert_eq!((part.status, part.text().as_str()), (404, own));
    let head = ask(&server, &request("HEAD", "/nix", ""));
    assert_eq!(head.status, 404);
    let length = own.len().to_string();
    assert_eq!(head.field("Content-Length"), Some(length.as_str()));
    assert_eq!(get(&server, "/404.html", "").status, 200);
    // Other errors have their own pages.
    assert!(get(&server, "/%00", "").text().contains("NUL"));
    // A folder of that name is not a page.
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("a folder");
    let server = serve(&folder, &[]);
    let page = get(&server, "/nix", "").text();
    assert!(page.contains("This server has no file /nix."), "{page}");
}
