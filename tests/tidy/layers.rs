//! Which package may use which other one, and which file of a package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use harness::imports::Library;

use crate::tree::{labs, none, read, root};

/// The packages below src/. Each may use only those before it in this list.
const SHARED: [&str; 6] =
    ["explain", "socketlab", "http", "tls", "harness", "guide"];

#[test]
fn packages_use_only_what_is_below_them() {
    let mut problems = Vec::new();
    for (index, name) in SHARED.iter().enumerate() {
        let below = SHARED.get(..index).unwrap_or_default();
        let manifest = read(&format!("src/{name}/Cargo.toml"));
        problems.extend(upward(name, &manifest, below));
    }
    for lab in labs() {
        let manifest = read(&format!("labs/{lab}/Cargo.toml"));
        // message's intruder and wire's hosts start programs, as tests do, so
        // these two labs may use the harness.
        let below: &[&str] = match lab.as_str() {
            "message" | "wire" => &SHARED[1..5],
            _ => &SHARED[..4],
        };
        problems.extend(upward(&lab, &manifest, below));
    }
    none(problems);
}

/// The packages of ours that a manifest names as a dependency and should not.
fn upward(name: &str, manifest: &str, below: &[&str]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let used = manifest.get("dependencies").and_then(|table| table.as_table());
    let used = used.into_iter().flat_map(|table| table.keys());
    let ours = |name: &&String| {
        SHARED.contains(&name.as_str()) || labs().contains(name)
    };
    let up = used.filter(ours).filter(|used| !below.contains(&used.as_str()));
    up.map(|used| format!("{name} uses {used}")).collect()
}

#[test]
fn no_circle_inside_a_package() {
    let mut problems = Vec::new();
    let shared = SHARED.map(|name| format!("src/{name}"));
    let labs = labs().into_iter().map(|lab| format!("labs/{lab}"));
    for package in shared.into_iter().chain(labs) {
        let lib = root().join(&package).join("lib.rs");
        let library = Library::of(&lib).expect("a library");
        let arrows = library.modules().iter().map(|(module, file)| {
            (module.clone(), library.used_by(file).expect("a file"))
        });
        for circle in circles(&arrows.collect()) {
            problems.push(format!("{package}: {}", circle.join(" -> ")));
        }
    }
    none(problems);
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Paths along the arrows that end where they began: one for each module that
/// closes a circle.
fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for module in arrows.keys() {
        follow(module, arrows, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

fn follow(
    module: &str,
    arrows: &Arrows,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
    found: &mut Vec<Vec<String>>,
) {
    if let Some(at) = way.iter().position(|seen| seen == module) {
        let mut circle = way.get(at..).unwrap_or_default().to_vec();
        circle.push(module.to_string());
        found.push(circle);
        return;
    }
    if done.contains(module) {
        return;
    }
    way.push(module.to_string());
    for next in arrows.get(module).into_iter().flatten() {
        follow(next, arrows, way, done, found);
    }
    way.pop();
    done.insert(module.to_string());
}

#[test]
fn every_file_of_a_package_belongs_to_its_library_or_is_a_program() {
    let mut problems = Vec::new();
    for lab in labs() {
        let folder = root().join("labs").join(&lab);
        let library = Library::of(&folder.join("lib.rs")).expect("a library");
        let known: BTreeSet<&PathBuf> = library.modules().values().collect();
        let programs = crate::tree::programs();
        for (file, _) in crate::tree::code(&format!("labs/{lab}")) {
            let path = root().join(&file);
            let is_program = programs.iter().any(|(_, main)| *main == file);
            let is_library = path.ends_with(Path::new(&lab).join("lib.rs"));
            if !is_program && !is_library && !known.contains(&path) {
                problems.push(format!("{file}: no lib.rs declares it"));
            }
        }
    }
    none(problems);
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let manifest = "[dependencies]\nguide.workspace = true\n";
    assert_eq!(upward("http", manifest, &["explain"]), ["http uses guide"]);
    let arrows = |pairs: &[(&str, &str)]| {
        let mut arrows = Arrows::new();
        for (from, to) in pairs {
            arrows.entry(from.to_string()).or_default().insert(to.to_string());
        }
        arrows
    };
    let circle = circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "a")]));
    assert_eq!(circle, [["a", "b", "c", "a"]]);
    assert!(circles(&arrows(&[("a", "b"), ("a", "c"), ("b", "c")])).is_empty());
}
