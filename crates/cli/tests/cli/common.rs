//! Runs the real binary over folders made for one test.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub use serde_json::Value;

/// A policy that has a bit of everything.
pub const SHIP: &str = include_str!("ship.gate");

/// A request that SHIP's Staging allows.
pub const REQUEST: &str = r#"{
  "stage": "Staging", "now": "2026-03-04T18:00:00Z", "trigger": { "kind": "manual", "by": "tim" },
  "build": { "id": "2026.3.1", "branch": "release", "author": "mara" },
  "history": [ { "stage": "Dev", "status": "succeeded", "at": "2026-03-03T17:00:00Z" },
               { "stage": "Security", "status": "skipped", "at": "2026-03-03T17:00:00Z" },
               { "stage": "Test", "status": "succeeded", "at": "2026-03-04T11:00:00Z" } ],
  "approvals": [ { "by": "amita", "decision": "approve", "at": "2026-03-04T17:30:00Z" },
                 { "by": "tim", "decision": "approve", "at": "2026-03-04T17:30:00Z" },
                 { "by": "andy", "decision": "approve", "at": "2026-03-04T17:30:00Z" } ],
  "facts": { "coverage": 91.5, "checks": { "unit": "passed", "lint": "passed" } } }"#;

/// A folder of one test, gone with it.
pub struct Folder {
    pub dir: tempfile::TempDir,
}

/// What a run of the binary said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Folder {
        Folder { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder with `ship.gate` and `request.json`.
    pub fn ship() -> Folder {
        Folder::new().with("ship.gate", SHIP).with("request.json", REQUEST)
    }

    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Folder {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stagegate"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        run(self.command(args), stdin)
    }

    /// The same with `--format json`, whose output must be exactly one value, and nothing on standard error.
    pub fn json(&self, args: &[&str]) -> (i32, Value) {
        let mut args = args.to_vec();
        args.extend(["--format", "json"]);
        let ran = self.run(&args);
        assert_eq!(ran.stderr, "", "{args:?}");
        let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {}", ran.stdout));
        (ran.code, value)
    }
}

pub fn run(mut command: Command, stdin: &str) -> Ran {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    // It may end without reading: then the pipe is closed.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let out = child.wait_with_output().unwrap();
    let ran = Ran {
        code: out.status.code().expect("no signal"),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    };
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

impl Ran {
    #[track_caller]
    pub fn code(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Compares standard output with a file in `tests/golden`; with STAGEGATE_BLESS set, writes the file.
    #[track_caller]
    pub fn golden(self, name: &str) -> Ran {
        golden(name, &self.stdout);
        self
    }

    /// The same for standard error.
    #[track_caller]
    pub fn golden_error(self, name: &str) -> Ran {
        golden(name, &self.stderr);
        self
    }
}

#[track_caller]
fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("STAGEGATE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{name} differs; expected:\n{expected}\ngot:\n{text}\n(STAGEGATE_BLESS=1 rewrites it)");
}
