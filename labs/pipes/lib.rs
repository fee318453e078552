//! Bytes from one process to another on the same machine: ordinary pipes,
//! named pipes (FIFOs), and the Unix-domain socket for comparison.
//!
//! The programs, in reading order:
//!
//! 1. `plain.rs`: one pipe from a parent to its child.
//! 2. `ordinary.rs`: the same, and the mistakes that programs make with it.
//! 3. `both_ways.rs`: two pipes, so that the child can reply.
//! 4. `fifo_writer.rs`, `fifo_reader.rs`: a pipe that is found by a path.
//! 5. `fifo_talk.rs`: a FIFO is not two-way.
//! 6. `capacity.rs`, `atomic.rs`: what a full pipe does, and when writers'
//!    bytes are mixed.
//! 7. `unix_server.rs`, `unix_client.rs`: the calls of TCP with a path for an
//!    address.
//!
//! What they share:
//!
//! | module   | what it is                                             |
//! | -------- | ------------------------------------------------------ |
//! | [`pipe`] | read() and write() on the end of a pipe                |
//! | [`child`]| fork() and exec(): a second copy of the program        |
//! | [`fifo`] | a path that must be a FIFO: mkfifo(), open()           |
//! | [`unix`] | a Unix-domain socket's path, its file, its peer        |
//! | [`name`] | a file that is removed only if it is still our own     |

pub mod child;
pub mod fifo;
pub mod name;
pub mod pipe;
pub mod unix;
