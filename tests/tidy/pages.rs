//! Pages: every link, and every file that a page names, exists.

use std::path::Path;

use crate::tree::{code, files, none, read, root};

#[test]
fn every_page_links_to_what_exists() {
    let mut problems = Vec::new();
    let mut pages = [files("labs", ".md"), files("src", ".md")].concat();
    pages.push(("README.md".into(), read("README.md")));
    for (file, text) in pages {
        let folder = root().join(&file);
        let folder = folder.parent().unwrap_or(Path::new("")).to_path_buf();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty()
                && !link.starts_with("http")
                && !folder.join(link).exists()
            {
                problems.push(format!("{file}: broken link {link}"));
            }
        }
    }
    none(problems);
}

#[test]
fn every_file_that_a_lab_names_exists() {
    let mut problems = Vec::new();
    let texts = [code("labs"), files("labs", ".md")].concat();
    for (file, text) in texts.into_iter().chain(files("labs", ".toml")) {
        if ["labs/ids.toml", "labs/README.md"].contains(&file.as_str()) {
            continue; // names are relative to each row's lab: see tags.rs
        }
        let folder = file.rsplit_once('/').expect("a folder").0;
        let lab: Vec<&str> = file.splitn(3, '/').take(2).collect();
        let lab = lab.join("/");
        let python = format!("{lab}/python");
        let homes = [folder, &lab, "", "labs", "src", "src/socketlab", &python];
        for (number, line) in text.lines().enumerate() {
            let no_path = |c: char| !c.is_alphanumeric() && !"_/.*".contains(c);
            for word in line.split(no_path) {
                let named = word.ends_with(".rs") || word.ends_with(".py");
                let exists = |home| root().join(home).join(word).is_file();
                // `udp_*.rs` names several files.
                if named && !word.contains('*') && !homes.iter().any(exists) {
                    problems.push(format!("{file}:{}: {word}", number + 1));
                }
            }
        }
    }
    none(problems);
}
