//! TODO

pub mod arguments;
pub mod calculator;
pub mod connection;
pub mod fault;
pub mod identity;
pub mod once;
pub mod procedures;
pub mod replies;
pub mod skeleton;
pub mod skeleton_wire;
pub mod stub;
pub mod stub_wire;
pub mod table;
pub mod wire;
pub mod words;
