//! Puts all changes that cargo-mutants lists into one copy of the source, each behind a number, so that one build serves for all of
//! them: the program makes the change whose number is in the variable `MUTANT`.
//!
//! - `chatd-mutants weave LIST.json TREE DROPPED`: rewrites the files below TREE, a copy, and prints each change and its number. The
//!   changes whose numbers are in the file DROPPED are left out.
//! - `chatd-mutants blame TREE`: reads what `cargo check --message-format json` says of the copy, and prints the numbers of
//!   the changes that do not compile.
//!
//! A change in a constant cannot be made while a program runs. `weave` prints it with the word `constant`.

mod blame;
mod sites;
mod weave;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs;

/// What may be changed: a kind of place, and the line and column where it begins, as cargo-mutants has them.
type Place = (String, u64, u64);

/// One change of the list.
struct Mutant {
    /// Its place in the list, from 1.
    number: usize,
    name: String,
    place: Place,
    replacement: String,
}

/// The changes of each file, in the order of the list.
type Mutants = BTreeMap<String, Vec<Mutant>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["weave", list, tree, dropped] => weave::all(read(list)?, tree, &numbers(dropped)?),
        ["blame", tree] => blame::all(tree),
        _ => bail!("usage: chatd-mutants weave LIST.json TREE DROPPED | blame TREE"),
    }
}

fn numbers(file: &str) -> Result<Vec<usize>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    text.split_whitespace().map(|number| Ok(number.parse()?)).collect()
}

fn read(list: &str) -> Result<Mutants> {
    let text = fs::read_to_string(list).with_context(|| format!("reading {list}"))?;
    let values: Vec<HashMap<String, Value>> = serde_json::from_str(&text)?;
    let mut mutants = Mutants::new();
    for (index, value) in values.iter().enumerate() {
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let start = &value["span"]["start"];
        let number = |value: &Value| value.as_u64().context("a place without a number");
        mutants.entry(text("file")).or_default().push(Mutant {
            number: index + 1,
            name: text("name"),
            place: (text("genre"), number(&start["line"])?, number(&start["column"])?),
            replacement: text("replacement"),
        });
    }
    Ok(mutants)
}
