//! TODO

pub mod command;
pub mod converse;
pub mod pause;
pub mod screen;
