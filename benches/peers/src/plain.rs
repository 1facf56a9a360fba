//! The plain request as a struct, for engines that take one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize, Serialize, Hash)]
pub struct Plain {
    pub stage: String,
    pub trigger: String,
    pub by: String,
    pub branch: String,
    pub author: String,
    pub labels: Vec<String>,
    pub coverage: i32,
    pub checks: BTreeMap<String, String>,
    pub dev: String,
    pub test: String,
    pub test_age: i32,
    pub minute: i32,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, Deserialize, Serialize, Hash)]
pub struct Approval {
    pub by: String,
    pub age: i32,
}
