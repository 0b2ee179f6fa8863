//! Which changes do not compile.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::stdin;

/// Reads the compiler's messages, a JSON value each line, and prints the number of the change that each error is about. An error
/// outside of all changes is an error of ours.
pub fn all(tree: &str) -> Result<()> {
    let mut found = BTreeSet::new();
    for line in stdin().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        let message = &message["message"];
        if message["level"] != "error" {
            continue;
        }
        for span in message["spans"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|span| span["is_primary"] == true)
        {
            let span = of_ours(span);
            let file = format!("{tree}/{}", span["file_name"].as_str().unwrap_or_default());
            let at = span["byte_start"].as_u64().unwrap_or_default() as usize;
            let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
            match around(&text, at) {
                Some(number) => drop(found.insert(number)),
                None => eprintln!("{}", message["rendered"].as_str().unwrap_or_default()),
            }
        }
    }
    for number in found {
        println!("{number}");
    }
    Ok(())
}

/// Where a macro of std or of another crate is called, if the error is inside of one.
fn of_ours(mut span: &Value) -> &Value {
    while span["file_name"].as_str().is_some_and(|name| name.starts_with('/'))
        && span["expansion"]["span"].is_object()
    {
        span = &span["expansion"]["span"];
    }
    span
}

/// The number of the change whose text is around a byte.
fn around(text: &str, at: usize) -> Option<usize> {
    let opening = text[..at].rfind("/*<")?;
    let number = text[opening + 3..].split_once("*/")?.0;
    let closing = opening + text[opening..].find(&format!("/*{number}>*/"))?;
    (closing >= at).then(|| number.parse().ok())?
}
