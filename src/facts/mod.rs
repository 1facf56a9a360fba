//! What a caller tells the engine: the request.

mod builder;
mod check;
mod error;
mod path;
mod read;
mod request;
mod time;
mod value;
mod want;
mod write;

pub use error::{ProblemKind, RequestError, RequestProblem};
pub use request::*;
