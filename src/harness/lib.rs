//! Starts programs and controls them as a user at a terminal does. `socketlab
//! demo` plays the transcripts of the READMEs with it, and the tests use it.
//!
//! | module          | what it is                                            |
//! | --------------- | ----------------------------------------------------- |
//! | [`terminal`]    | a program: type to it, read from it, interrupt it     |
//! | [`transcript`]  | plays the console transcripts of the READMEs          |
//! | [`programs`]    | the programs' files, built again if they are old      |
//! | [`source_tree`] | the labs, programs and files of this project          |
//! | [`ids`]         | the handouts' ids, and where each is answered         |
//! | [`steps`]       | the numbered steps of a program                       |
//! | [`imports`]     | which file uses which                                 |
//! | [`namespaces`]  | may this user create network namespaces?              |
//! | [`server`]      | a server for a test, on a free port                   |
//! | [`bytes`]       | bytes on a raw socket, with a deadline on every read  |
//! | [`peers`]       | other programs (curl, …), and the labs' Python peers  |
//! | [`world`]       | a program's limits, files and host names              |
//! | [`checks`]      | what the tests of every lab check                     |
//!
//! The last five are for tests. They panic if a check fails, because a panic
//! makes a test fail.

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
