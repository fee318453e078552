//! What the reader sees: medians, ratios, aims.

use super::rounds::{
    DOWNLOAD, KEEP_16, KEEP_64, Record, Scenario, Turn, VISITS,
};
use crate::stats::{median, median_ratio};

enum Aim {
    /// Ours at least so many times this server's rate.
    Rate(&'static str, f64),
    /// Ours at most so many times this server's CPU time.
    Cpu(&'static str, f64),
    /// CPU seconds for a GiB.
    Gib(f64),
}

const AIMS: [(&str, Aim); 6] = [
    (KEEP_16, Aim::Rate("nginx", 1.3)),
    (KEEP_16, Aim::Rate("h2o", 1.0)),
    (KEEP_64, Aim::Rate("nginx", 1.3)),
    (KEEP_64, Aim::Rate("h2o", 1.0)),
    (VISITS, Aim::Cpu("nginx", 1.6)),
    (DOWNLOAD, Aim::Gib(0.11)),
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
        rates = format!("{:.2} x", ratio(ours, record, |turn| turn.rate));
        cpus = format!("{:.2} x", ratio(ours, record, |turn| turn.cpu));
    }
    println!(
        "  {name:8}{:>11.0}{rates:>12}{:>16.2}{cpus:>12}{:>9.0} %",
        median(turns.iter().map(|turn| turn.rate)),
        median(turns.iter().map(|turn| turn.cpu)) * 1e6,
        median(turns.iter().map(|turn| turn.generator)) * 100.0,
    );
}

pub fn print_aims(results: &[(&Scenario, Vec<Record>)]) {
    println!();
    for (name, aim) in &AIMS {
        let result = results.iter().find(|(s, _)| s.name == *name);
        let Some((_, records)) = result else { continue };
        let Some(ours) = records.first() else { continue };
        if ours.failure.is_some() {
            continue;
        }
        let peer = |peer: &str| {
            let found = records.iter().find(|r| r.server == peer);
            found.filter(|record| record.failure.is_none())
        };
        let (text, value, met) = match *aim {
            Aim::Rate(name, least) => {
                let Some(peer) = peer(name) else { continue };
                let ratio = ratio(ours, peer, |turn| turn.rate);
                let text = format!("rate at least {least:.2} x {name}'s");
                (text, ratio, ratio >= least)
            }
            Aim::Cpu(name, most) => {
                let Some(peer) = peer(name) else { continue };
                let ratio = ratio(ours, peer, |turn| turn.cpu);
                let text = format!("CPU at most {most:.2} x {name}'s");
                (text, ratio, ratio <= most)
            }
            Aim::Gib(most) => {
                let cpu = median(ours.turns.iter().map(|turn| turn.cpu));
                let text = format!("CPU seconds a GiB at most {most:.2}");
                (text, cpu * 1024.0, cpu * 1024.0 <= most)
            }
        };
        let verdict = if met { "met" } else { "missed" };
        println!("{name}: {text}, is {value:.2}: {verdict}");
    }
}

/// Ours / theirs, each pair measured within seconds of each other.
fn ratio(ours: &Record, peer: &Record, value: fn(&Turn) -> f64) -> f64 {
    median_ratio(ours.turns.iter().map(value), peer.turns.iter().map(value))
}
