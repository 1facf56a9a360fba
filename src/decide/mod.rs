//! From a program and slots to a verdict, a decision with its reasons, a timeline.

mod decision;

pub use decision::{
    ApprovalNeed, Decision, InvokedBy, Kind, Needs, NotCounted, OverrideReport, PolicyRef, PrintZone, RuleReport,
    Status, Step, Stretch, Verdict,
};
