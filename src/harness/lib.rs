//! Programs under control, as a person at a terminal controls them: for the
//! transcripts of the READMEs, which `socketlab demo` plays, and for the tests.

mod calls;
pub mod house;
mod peers;
pub mod programs;
pub mod terminal;
pub mod transcript;

pub use calls::{client_calls_are_traced, server_calls_are_traced};
pub use peers::*;
