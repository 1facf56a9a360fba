//! What a caller tells the engine: the request.

mod request;

pub use request::*;
