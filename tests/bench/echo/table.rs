//! What the reader sees: medians, ratios, aims.

use std::io;

use super::rounds::{MANY, Record, Scenario, Turn, UDP_MANY, VISITS};
use crate::stats::{median, median_ratio};

/// The peer that the aims are measured against.
const PEER: &str = "python";

enum Aim {
    RateAtLeast(f64),
    CpuAtMost(f64),
}

const AIMS: [(&str, Aim); 4] = [
    (MANY, Aim::RateAtLeast(1.15)),
    (MANY, Aim::CpuAtMost(0.8)),
    (VISITS, Aim::RateAtLeast(2.0)),
    (UDP_MANY, Aim::RateAtLeast(2.0)),
];

pub fn print_scenario(scenario: &Scenario, records: &[Record]) {
    println!("{} ({} a second)", scenario.name, scenario.unit);
    println!(
        "  {:8}{:>11}{:>12}{:>16}{:>12}{:>11}",
        "server", "rate", "ours/it", "CPU ms/1,000", "ours/it", "generator"
    );
    for record in records {
        print_record(record, &records[0]);
    }
    println!();
}

fn print_record(record: &Record, ours: &Record) {
    let name = record.server;
    if let Some(e) = &record.failure {
        println!("  {name:8} failed: {e}");
        return;
    }
    let turns = &record.turns;
    let (mut rates, mut cpus) = (String::new(), String::new());
    if name != ours.server && ours.failure.is_none() {
        rates = format!("{:.2} x", rate_ratio(ours, record));
        cpus = format!("{:.2} x", cpu_ratio(ours, record));
    }
    println!(
        "  {name:8}{:>11.0}{rates:>12}{:>16.2}{cpus:>12}{:>9.0} %{}",
        median(turns.iter().map(|turn| turn.rate)),
        median(turns.iter().map(|turn| turn.cpu)) * 1e6,
        median(turns.iter().map(|turn| turn.generator)) * 100.0,
        losses(turns),
    );
}

fn losses(turns: &[Turn]) -> String {
    match turns.iter().map(|turn| turn.lost).sum() {
        0_u64 => String::new(),
        lost => format!("  {lost} lost"),
    }
}

pub fn print_memory(name: &str, crowd: usize, memory: io::Result<u64>) {
    match memory {
        Ok(kib) => {
            println!("{name:8} {kib:>7} KiB with {crowd} connections (Pss)");
        }
        Err(e) => println!("{name:8} failed: {e}"),
    }
}

pub fn print_aims(results: &[(&Scenario, Vec<Record>)]) {
    println!();
    for (name, aim) in &AIMS {
        let result = results.iter().find(|(s, _)| s.name == *name);
        let Some((_, records)) = result else { continue };
        match (sound(records, records[0].server), sound(records, PEER)) {
            (Some(ours), Some(peer)) => print_aim(name, aim, ours, peer),
            _ => println!("{name}: not measured against {PEER}"),
        }
    }
}

/// The record of one server, where none of its turns failed.
fn sound<'a>(records: &'a [Record], name: &str) -> Option<&'a Record> {
    records.iter().find(|r| r.server == name && r.failure.is_none())
}

fn print_aim(name: &str, aim: &Aim, ours: &Record, peer: &Record) {
    let (text, ratio, met) = match *aim {
        Aim::RateAtLeast(aim) => {
            let ratio = rate_ratio(ours, peer);
            (format!("rate at least {aim:.2} x"), ratio, ratio >= aim)
        }
        Aim::CpuAtMost(aim) => {
            let ratio = cpu_ratio(ours, peer);
            (format!("CPU at most {aim:.2} x"), ratio, ratio <= aim)
        }
    };
    let verdict = if met { "met" } else { "missed" };
    println!("{name}: {text} {PEER}'s, is {ratio:.2} x: {verdict}");
}

fn rate_ratio(ours: &Record, peer: &Record) -> f64 {
    ratio(ours, peer, |turn| turn.rate)
}

fn cpu_ratio(ours: &Record, peer: &Record) -> f64 {
    ratio(ours, peer, |turn| turn.cpu)
}

/// Ours / theirs, each pair measured within seconds of each other.
fn ratio(ours: &Record, peer: &Record, value: fn(&Turn) -> f64) -> f64 {
    median_ratio(ours.turns.iter().map(value), peer.turns.iter().map(value))
}
