//! Medians, and the variables that set how much is measured.

use std::env;

/// The value of an environment variable, or `default` where there is none.
pub fn setting(name: &str, default: f64) -> f64 {
    let Ok(text) = env::var(name) else { return default };
    match text.parse() {
        Ok(value) if value > 0.0 && value < 3600.0 => value,
        _ => panic!("{name}={text}: give a number above 0, as in {name}=2"),
    }
}

/// The median over the rounds of ours / theirs.
pub fn median_ratio(
    ours: impl Iterator<Item = f64>,
    theirs: impl Iterator<Item = f64>,
) -> f64 {
    median(ours.zip(theirs).map(|(our, their)| our / their))
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}
