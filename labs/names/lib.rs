//! TODO

pub mod constants;
pub mod diagram;
pub mod fail;
pub mod files;
pub mod hostname;
pub mod kinds;
pub mod lookup;
pub mod order;
pub mod page;
pub mod port;
pub mod ranges;
pub mod resolver;
pub mod reverse;
pub mod show;
pub mod sockaddr;
pub mod source;
pub mod tuple;
