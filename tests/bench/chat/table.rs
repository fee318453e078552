//! What the reader sees: medians, ratios, aims.

use super::rounds::{Record, Silences, Turn};
use crate::stats::{median, median_ratio};

/// Members, peer, ours / it at least.
const AIMS: [(usize, &str, f64); 5] = [
    (10, "ncat", 0.9),
    (10, "inspircd", 1.4),
    (100, "ncat", 0.9),
    (100, "inspircd", 1.4),
    (1000, "ncat", 0.7),
];

/// Seconds that the room may be silent because one member does not read.
const SILENCE: f64 = 0.005;

pub fn print_size(size: usize, pace: usize, records: &[Record]) {
    println!("{size} members, one speaks (times at {pace} lines a second)");
    println!(
        "  {:9}{:>12}{:>9}{:>6}{:>12}{:>9}{:>9}{:>9}{:>12}{:>9}{:>10}",
        "server",
        "delivered/s",
        "ours/it",
        "busy",
        "CPU s/mill.",
        "ours/it",
        "p50 ms",
        "p99 ms",
        "CPU, paced",
        "ours/it",
        "peak KiB"
    );
    for record in records {
        print_record(record, &records[0]);
    }
    println!();
}

fn print_record(record: &Record, ours: &Record) {
    let name = record.server;
    if let Some(e) = &record.failure {
        println!("  {name:9} failed: {e}");
        return;
    }
    let ratio = |value: fn(&Turn) -> f64| {
        if name == ours.server || ours.failure.is_some() {
            return String::new();
        }
        format!("{:.2} x", ratio(ours, record, value))
    };
    println!(
        "  {name:9}{:>12.0}{:>9}{:>4.0} %{:>12.2}{:>9}{:>9.3}{:>9.3}{:>12.2}\
         {:>9}{:>10}",
        record.median(|turn| turn.rate),
        ratio(|turn| turn.rate),
        record.median(|turn| turn.busy) * 100.0,
        record.median(|turn| turn.cpu) * 1e6,
        ratio(|turn| turn.cpu),
        record.median(|turn| turn.p50) * 1e3,
        record.median(|turn| turn.p99) * 1e3,
        record.median(|turn| turn.paced_cpu) * 1e6,
        ratio(|turn| turn.paced_cpu),
        record.peak,
    );
}

pub fn print_silences(listeners: usize, silences: &[Silences]) {
    println!(
        "longest silence of {listeners} members to whom lines come each \
         millisecond"
    );
    println!(
        "  {:9}{:>14}{:>20}{:>12}{:>10}",
        "server", "all read, ms", "one never reads, ms", "at worst", "peak KiB"
    );
    for silences in silences {
        let stuck = &silences.one_stuck;
        println!(
            "  {:9}{:>14.1}{:>20.1}{:>12.1}{:>10}",
            silences.server,
            median(silences.all_read.iter().copied()) * 1e3,
            median(stuck.iter().copied()) * 1e3,
            stuck.iter().copied().fold(f64::NAN, f64::max) * 1e3,
            silences.peak,
        );
    }
    println!();
}

pub fn print_aims(results: &[(usize, Vec<Record>)], silences: &[Silences]) {
    for (size, peer, aim) in AIMS {
        let result = results.iter().find(|(of, _)| *of == size);
        let Some((_, records)) = result else { continue };
        let what = format!("{size} members: at least {aim} x {peer}'s rate");
        match (sound(records, "ours"), sound(records, peer)) {
            (Some(ours), Some(peer)) => {
                let is = ratio(ours, peer, |turn| turn.rate);
                println!("{what}, is {is:.2} x: {}", verdict(is >= aim));
            }
            _ => println!("{what}: not measured"),
        }
    }
    if let Some(ours) = silences.first() {
        let is = median(ours.one_stuck.iter().copied());
        println!(
            "silence while one member never reads: at most {} ms, is {:.1} \
             ms: {}",
            SILENCE * 1e3,
            is * 1e3,
            verdict(is <= SILENCE)
        );
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// The record of one server, where none of its turns failed.
fn sound<'a>(records: &'a [Record], name: &str) -> Option<&'a Record> {
    records.iter().find(|r| r.server == name && r.failure.is_none())
}

/// Ours / theirs, each pair measured within seconds of each other.
fn ratio(ours: &Record, peer: &Record, value: fn(&Turn) -> f64) -> f64 {
    median_ratio(ours.turns.iter().map(value), peer.turns.iter().map(value))
}
