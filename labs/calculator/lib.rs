//! TODO

pub mod arithmetic;
pub mod expr;
pub mod number;
pub mod protocol;
pub mod session;
