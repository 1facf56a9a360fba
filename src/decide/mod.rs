//! From a program and slots to a verdict, a decision with its reasons, a timeline.

mod decision;
mod display;

pub use decision::{
    ApprovalNeed, Decision, InvokedBy, Kind, Needs, NotCounted, OverrideReport, PolicyRef, PrintZone, RuleReport,
    Status, Step, Stretch, Verdict,
};
pub use display::Style;
