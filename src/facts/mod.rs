//! What a caller tells the engine: the request.

mod builder;
mod check;
pub(crate) mod draft;
mod error;
mod path;
pub(crate) mod prepare;
pub(crate) mod quick;
mod read;
mod request;
pub(crate) mod slots;
pub(crate) mod time;
mod value;
mod want;
mod write;

pub use error::{ProblemKind, RequestError, RequestProblem};
pub use request::*;
