//! TODO

pub mod answer;
pub mod request;
pub mod tally;
