//! Sets of instants: cron, zones, windows, calendars.
//!
//! Instants here are whole seconds since the epoch, 1970 to 2200. Local times are read as the language says under
//! *Daylight saving*: [`Cron`] as cron(8) does, windows by their edges.

pub(crate) mod civil;
mod cron;
mod days;
mod firing;
mod lasting;
mod leaf;
mod pieces;
mod refusal;
mod set;
mod weekly;
mod zone;

pub use cron::{Cron, CronError};
pub(crate) use pieces::{Edge, Piece, local};
pub(crate) use set::{NextEdge, TimeSet};
pub use zone::Zone;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
