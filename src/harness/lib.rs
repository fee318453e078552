//! Programs under control, as a person at a terminal controls them: for the
//! transcripts of the READMEs, which `socketlab demo` plays, and for the tests.

pub mod house;
mod peers;
pub mod programs;
pub mod terminal;
pub mod transcript;

pub use peers::*;
