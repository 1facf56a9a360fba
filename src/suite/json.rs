//! Cases as JSON: a request, and the parts of the decision that are expected.
//!
//! A file is one object `{"policy": "x.gate", "cases": [...]}`, a list of cases, or a case a line (`.jsonl`). A case is
//! `{"name": "...", "request": {...}, "expect": {...}}`. Of an object in `expect`, each key must be in the decision with
//! that value; a list must have those elements in that order, but a list of rules or overrides is read by their names.

use serde_json::{Map, Value};

use super::case::{Ask, Case, Expect, What};
use crate::Limits;
use crate::diagnostic::Place;
use crate::facts::Request;

/// Reads a file of cases.
pub(crate) fn read(file: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Case>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("{file} is not UTF-8"))?;
    if file.ends_with(".jsonl") {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let cases = lines.map(|(index, line)| {
            let place = Place { file: file.to_string(), line: index as u32 + 1, column: 1 };
            match serde_json::from_str::<Value>(line) {
                Ok(value) => case(&value, index, place, limits),
                Err(error) => Err(format!("{file}:{}: {error}", index + 1)),
            }
        });
        return cases.collect();
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    let list = match &value {
        Value::Array(list) => list.as_slice(),
        Value::Object(object) => {
            if let Some(key) = object.keys().find(|key| !["policy", "cases", "$schema"].contains(&key.as_str())) {
                return Err(format!("{file}: there is no field `{key}`: a file has `policy` and `cases`"));
            }
            match object.get("cases") {
                Some(Value::Array(list)) => list.as_slice(),
                _ => return Err(format!("{file}: `cases` is a list of objects with `name`, `request` and `expect`")),
            }
        }
        _ => return Err(format!("{file}: it holds neither a list of cases nor an object with `cases`")),
    };
    let mut lines = case_lines(text, list.len()).into_iter();
    let cases = list.iter().enumerate().map(|(index, value)| {
        let line = lines.next().unwrap_or(1);
        case(value, index, Place { file: file.to_string(), line, column: 1 }, limits)
    });
    cases.collect()
}

/// The lines on which the objects of the outermost list begin.
fn case_lines(text: &str, count: usize) -> Vec<u32> {
    let (mut lines, mut line, mut stack, mut in_string, mut escaped) = (Vec::new(), 1, Vec::new(), false, false);
    for byte in text.bytes() {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                let in_list = matches!(stack.as_slice(), [b'['] | [b'{', b'[']);
                if byte == b'{' && in_list && lines.len() < count {
                    lines.push(line);
                }
                stack.push(byte);
            }
            b']' | b'}' => {
                stack.pop();
            }
            _ => {}
        }
    }
    lines
}

fn case(value: &Value, index: usize, place: Place, limits: &Limits) -> Result<Case, String> {
    let Value::Object(object) = value else {
        return Err(format!("{place}: a case is an object with `name`, `request` and `expect`"));
    };
    if let Some(key) = object.keys().find(|key| !["name", "request", "expect"].contains(&key.as_str())) {
        return Err(format!("{place}: there is no field `{key}`: a case has `name`, `request` and `expect`"));
    }
    let name = match object.get("name") {
        None => format!("case {}", index + 1),
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(format!("{place}: `name` is a text")),
    };
    Ok(Case { name, asks: asks(object, &place, limits), place })
}

fn asks(object: &Map<String, Value>, place: &Place, limits: &Limits) -> Result<Vec<Ask>, String> {
    let request = object.get("request").ok_or("the case has no `request`")?;
    let bytes = request.to_string();
    let request = Request::from_json_with(bytes.as_bytes(), limits).map_err(|error| error.to_string())?;
    if request.now.is_none() {
        return Err("a test says when it is: its request needs `now`".into());
    }
    let expect = match object.get("expect") {
        Some(Value::Object(expect)) if !expect.is_empty() => expect.clone(),
        _ => return Err("a test expects something: `expect` holds parts of the decision, such as its `verdict`".into()),
    };
    let expect = Value::Object(expect);
    let text = format!("\"expect\": {expect}");
    Ok(vec![Ask { request, expects: vec![Expect { place: place.clone(), text, what: What::Json(expect) }] }])
}

/// So many differences are told.
const MAX_DIFFERENCES: usize = 20;

/// What differs between the parts that are wanted and the whole, one sentence each.
pub(crate) fn differences(wanted: &Value, whole: &Value, out: &mut Vec<String>) {
    // serde_json reads 128 deep at most, but nothing here needs to trust that.
    let mut stack: Vec<(String, &Value, Option<&Value>)> = vec![(String::new(), wanted, Some(whole))];
    while let Some((path, wanted, got)) = stack.pop() {
        if out.len() >= MAX_DIFFERENCES {
            return;
        }
        let Some(got) = got else {
            if !wanted.is_null() {
                out.push(format!("{path} is missing, not {wanted}"));
            }
            continue;
        };
        match (wanted, got) {
            (Value::Object(wanted), Value::Object(got)) => {
                for (key, value) in wanted.iter().rev() {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    stack.push((path, value, got.get(key)));
                }
            }
            (Value::Array(wanted), Value::Array(got)) => match named(wanted) {
                Some(named) => {
                    for (key, name, value) in named.into_iter().rev() {
                        let found = got.iter().find(|other| other.get(key).and_then(Value::as_str) == Some(name));
                        stack.push((format!("{path}.{name}"), value, found));
                    }
                }
                None if wanted.len() == got.len() => {
                    for (index, (wanted, got)) in wanted.iter().zip(got).enumerate().rev() {
                        stack.push((format!("{path}[{index}]"), wanted, Some(got)));
                    }
                }
                None => {
                    out.push(format!("{path} is {}, not {}", Value::Array(got.clone()), Value::Array(wanted.clone())))
                }
            },
            (wanted, got) if same(wanted, got) => {}
            (wanted, got) => out.push(format!("{path} is {got}, not {wanted}")),
        }
    }
}

/// Instants are the same when they are the same instant, however they are written.
fn same(wanted: &Value, got: &Value) -> bool {
    if wanted == got {
        return true;
    }
    match (wanted, got) {
        (Value::String(a), Value::String(b)) => match (crate::facts::time::parse(a), crate::facts::time::parse(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => false,
    }
}

/// The elements by their names, if each of them has one.
fn named(list: &[Value]) -> Option<Vec<(&'static str, &str, &Value)>> {
    let name = |value: &'_ Value| -> Option<&'static str> {
        ["rule", "override"].into_iter().find(|key| value.get(key).is_some_and(Value::is_string))
    };
    if list.is_empty() {
        return None;
    }
    list.iter()
        .map(|value| {
            let key = name(value)?;
            Some((key, value.get(key)?.as_str()?, value))
        })
        .collect()
}

/// The parts of the whole that were asked for, one level deep.
pub(crate) fn same_parts(wanted: &Value, whole: &Value) -> Value {
    match wanted {
        Value::Object(wanted) => {
            wanted.keys().map(|key| (key.clone(), whole.get(key).cloned().unwrap_or(Value::Null))).collect()
        }
        _ => whole.clone(),
    }
}

/// The policy that a file of cases names.
pub(crate) fn policy_of(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        policy: Option<String>,
    }
    serde_json::from_slice::<Head>(bytes).ok()?.policy
}
