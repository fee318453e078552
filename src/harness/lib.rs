//! Programs under control, as a person at a terminal controls them: for the
//! transcripts of the READMEs, which `socketlab demo` plays, and for the tests.
//!
//! | module          | what it is                                            |
//! | --------------- | ----------------------------------------------------- |
//! | [`terminal`]    | a program: type to it, read from it, interrupt it     |
//! | [`transcript`]  | plays the console transcripts of the READMEs          |
//! | [`programs`]    | the programs' files, built anew where they are old    |
//! | [`source_tree`] | the labs, programs and files of this project          |
//! | [`ids`]         | the handouts' ids, and where each is answered         |
//! | [`steps`]       | the numbered steps of a program                       |
//! | [`imports`]     | which file uses which                                 |
//! | [`namespaces`]  | may this user have networks of her own?               |
//! | [`server`]      | a server for a test, on a free port                   |
//! | [`bytes`]       | bytes on a raw socket, with a deadline on every read  |
//! | [`peers`]       | other people's programs, and the labs' Python peers   |
//! | [`world`]       | limits, files and names around a program              |
//! | [`checks`]      | what the tests of every lab check                     |
//!
//! The last five are for tests: they panic when something is not as it should
//! be, because that is how a test fails.

pub mod bytes;
mod calls;
pub mod checks;
pub mod ids;
pub mod imports;
pub mod namespaces;
pub mod peers;
pub mod programs;
pub mod server;
pub mod source_tree;
pub mod steps;
pub mod terminal;
pub mod transcript;
pub mod world;

pub use bytes::*;
pub use calls::{client_calls_are_traced, server_calls_are_traced};
pub use checks::*;
pub use peers::*;
pub use server::*;
pub use world::*;
