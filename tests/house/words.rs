//! The words: those that were given up do not come back, and what is named like a question is one.

use crate::source::{each_token, sources, text_of, word};
use proc_macro2::TokenTree;
use std::collections::HashMap;

/// What a word is retired as.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Use {
    Anything,
    Type,
    Function,
}

/// Reads `words.txt`: `old -> new`, or `type old -> new`, or `fn old -> new`.
fn retired() -> HashMap<(Use, String), String> {
    let text = text_of("tests/house/words.txt");
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let (old, new) =
            line.split_once(" -> ").unwrap_or_else(|| panic!("not `old -> new`: {line}"));
        let (kind, old) = match old.split_once(' ') {
            None => (Use::Anything, old),
            Some(("type", old)) => (Use::Type, old),
            Some(("fn", old)) => (Use::Function, old),
            Some((other, _)) => panic!("neither type nor fn: {other}"),
        };
        ((kind, old.to_owned()), new.to_owned())
    };
    lines.map(read).collect()
}

#[test]
fn retired_identifiers_are_gone() {
    let retired = retired();
    assert!(retired.len() > 50);
    let mut offenders = Vec::new();
    for source in sources(&["src", "docs"]) {
        let mut before = String::new();
        each_token(&source.tokens, &mut |token| {
            let old = word(Some(token));
            let kind = match &*before {
                "struct" | "enum" | "trait" | "type" => Use::Type,
                "fn" => Use::Function,
                _ => Use::Anything,
            };
            let replaced = [Use::Anything, kind].map(|kind| retired.get(&(kind, old.clone())));
            if let Some(new) = replaced.into_iter().flatten().next() {
                let (file, line) = (&source.name, token.span().start().line);
                offenders.push(format!("    {file}:{line} says {old}; say {new}"));
            }
            before = old;
        });
    }
    assert!(offenders.is_empty(), "retired words are back:\n{}", offenders.join("\n"));
}

#[test]
fn what_is_named_like_a_question_is_one() {
    let mut offenders = Vec::new();
    for source in sources(&["src", "docs"]) {
        for function in source.functions() {
            let returned: String = function.returns.iter().map(TokenTree::to_string).collect();
            let is_bool = returned == "bool" || returned.starts_with("Result<bool");
            let is_right = match function.name.split_once('_') {
                Some(("is" | "has", _)) => is_bool,
                Some(("may", _)) => is_bool || returned.starts_with("Result<(),"),
                _ => true,
            };
            if !is_right {
                let (file, line, path) = (&source.name, function.line, function.path());
                offenders.push(format!("    {file}:{line} {path} returns {returned:?}"));
            }
        }
    }
    let rule = "is_… and has_… return bool, may_… also the refusal";
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}
