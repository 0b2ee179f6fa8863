//! Writes the changes of each file into it.

use crate::sites::{Finder, Site};
use crate::{Mutant, Mutants, Place};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use syn::visit::Visit;

/// What the changed places ask: which change is made now? It is put at the end of the copy's lib.rs.
const ACTIVE: &str = r#"
mod mutant {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

    const UNKNOWN: usize = usize::MAX;
    static ACTIVE: AtomicUsize = AtomicUsize::new(UNKNOWN);
    static SEEN: [AtomicBool; 20_000] = [const { AtomicBool::new(false) }; 20_000];

    /// Which change is made. The place that asks has those from `first` to `last`.
    #[inline(always)]
    pub(crate) fn active(first: usize, last: usize) -> usize {
        match ACTIVE.load(Relaxed) {
            UNKNOWN => find_out(first, last),
            number => number,
        }
    }

    /// Reads the variable; or, if there is a file for it, writes down which places are reached.
    #[cold]
    fn find_out(first: usize, last: usize) -> usize {
        static FILE: LazyLock<Option<File>> = LazyLock::new(|| {
            let name = std::env::var_os("MUTANTS_SEEN")?;
            OpenOptions::new().append(true).create(true).open(name).ok()
        });
        if let Some(mut file) = FILE.as_ref() {
            if !SEEN[first].swap(true, Relaxed) {
                let numbers: String = (first..=last).map(|one| format!("{one}\n")).collect();
                let _ = file.write_all(numbers.as_bytes());
            }
            return 0;
        }
        let number = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok());
        ACTIVE.store(number.unwrap_or(0), Relaxed);
        number.unwrap_or(0)
    }
}
"#;

pub fn all(mutants: Mutants, tree: &str, dropped: &[usize]) -> Result<()> {
    for (file, mutants) in mutants {
        let path = format!("{tree}/{file}");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        fs::write(&path, one(&file, &text, mutants, dropped)?)?;
    }
    let library = format!("{tree}/src/lib.rs");
    let text = fs::read_to_string(&library)?;
    fs::write(&library, text + ACTIVE)?;
    Ok(())
}

/// The text of a file with its changes. Prints each change: its number, what became of it, its name.
fn one(file: &str, text: &str, mutants: Vec<Mutant>, dropped: &[usize]) -> Result<String> {
    let mut by_place: BTreeMap<Place, Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants {
        if dropped.contains(&mutant.number) {
            println!("{} unviable {}", mutant.number, mutant.name);
        } else {
            by_place.entry(mutant.place.clone()).or_default().push(mutant);
        }
    }
    let mut finder = Finder::new(text, by_place);
    finder.visit_file(&syn::parse_file(text).with_context(|| format!("parsing {file}"))?);
    for (number, name) in &finder.placed {
        let what = if finder.nonsense.contains(number) { "unviable" } else { "woven" };
        println!("{number} {what} {name}");
    }
    for mutant in finder.mutants.values().flatten() {
        println!("{} constant {}", mutant.number, mutant.name);
    }
    Ok(written(text, &finder.sites))
}

fn written(text: &str, sites: &[Site]) -> String {
    let mut pieces: Vec<(usize, isize, &str)> = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let order = index as isize + 1;
        pieces.push((site.range.start, order, &site.before));
        pieces.push((site.range.end, -order, &site.after));
    }
    pieces.retain(|(_, _, piece)| !piece.is_empty());
    pieces.sort();
    let (mut result, mut at) = (String::new(), 0);
    for (position, _, piece) in pieces {
        result += &text[at..position];
        result += piece;
        at = position;
    }
    result + &text[at..]
}
