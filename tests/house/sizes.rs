//! How large a file, a function and a type may become. Unit tests are counted apart.

use crate::source::{is_unit_tests, sources};
use std::collections::BTreeMap;

/// Lines of a file: a few projected pages.
const FILE_MAX: usize = 400;
/// Lines of a function: one projected page.
const FUNCTION_MAX: usize = 60;
/// Methods of a type, in all its own `impl` blocks. One with more has more than one idea.
const METHODS_MAX: usize = 40;

#[track_caller]
fn assert_none(offenders: &[String], what: &str) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

#[test]
fn no_file_above_400_lines() {
    let mut offenders = Vec::new();
    for source in sources(&["src", "docs", "tests"]) {
        let apart = if is_unit_tests(&source.name) { 0 } else { source.test_lines };
        let lines = source.text.lines().count();
        for (what, lines) in [("", lines - apart), (" of unit tests", apart)] {
            if lines > FILE_MAX {
                offenders.push(format!("    {} has {lines} lines{what}", source.name));
            }
        }
    }
    assert_none(&offenders, "look for the second idea in these files");
}

#[test]
fn no_function_above_60_lines() {
    let mut offenders = Vec::new();
    for source in sources(&["src"]) {
        for function in source.functions().iter().filter(|f| f.lines > FUNCTION_MAX) {
            let (file, line, path) = (&source.name, function.line, function.path());
            offenders.push(format!("    {file}:{line} {path} has {} lines", function.lines));
        }
    }
    assert_none(&offenders, "these functions are too long to be shown");
}

#[test]
fn no_type_with_more_than_40_methods() {
    // A type of that name in each folder, for names are used again in other programs.
    let mut methods = BTreeMap::<(String, String), usize>::new();
    for source in sources(&["src"]) {
        let folder = source.name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        for function in source.functions() {
            if !function.owner.is_trait && !function.owner.name.is_empty() {
                *methods.entry((folder.clone(), function.owner.name)).or_default() += 1;
            }
        }
    }
    let mut most: Vec<_> = methods.into_iter().map(|(name, count)| (count, name)).collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    println!("most methods: {:?}", &most[..5]);
    let offenders: Vec<String> = most
        .iter()
        .filter(|(count, _)| *count > METHODS_MAX)
        .map(|(count, (folder, name))| format!("    {name} in {folder}: {count}"))
        .collect();
    assert_none(&offenders, "these types have more than one idea");
}
