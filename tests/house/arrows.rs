//! Which file imports from which: no circle, and always downwards.
//!
//! An arrow runs from the file that names an item to the file that defines it, whichever way it is named: by a `use`, or
//! by a path in the code. Declaring a module is no arrow, nor is a `pub use` of something that the file itself does not
//! need: that is a door, and whoever comes through it depends on what is behind.

use crate::source::{Source, inside, is_braces, is_mark, sources, word};
use proc_macro2::{Delimiter, TokenTree};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A file needs an item that another file defines.
struct Arrow {
    from: String,
    line: usize,
    to: String,
    item: String,
}

/// A path that a file names: `crate::core::Chat`.
struct Mention {
    line: usize,
    segments: Vec<String>,
    is_public_use: bool,
}

/// The items that a file exports from elsewhere: by the file and the item's name, the path to it.
type Exports = HashMap<(String, String), Vec<String>>;

/// Every module, by its path: `src core rooms` → `src/core/rooms/mod.rs`.
type Modules = HashMap<Vec<String>, String>;

/// The module that a file is: its crate's root, and then the names.
fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut names: Vec<&str> = path.split('/').collect();
    if matches!(names.last(), Some(&("mod" | "lib" | "main"))) {
        names.pop();
    }
    let root = match &names[..] {
        ["src", "bin", ..] => 3,
        _ => 1,
    };
    let root_name = names[..root].join("/");
    std::iter::once(root_name).chain(names[root..].iter().map(|&name| name.to_owned())).collect()
}

/// Every path in these tokens that has more than one segment, or stands in a `use`. In a module that stands inside the
/// file, `super` is the file.
fn mentions(tokens: &[TokenTree], found: &mut Vec<Mention>) {
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        match (token, &*word(Some(token))) {
            (_, "pub") if matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) => {
                let is_public_use = word(tokens.get(at + 2)) == "use";
                at += if is_public_use { 3 + mention(&tokens[at + 3..], true, found) } else { 2 };
            }
            (_, "pub") if word(tokens.get(at + 1)) == "use" => {
                at += 2 + mention(&tokens[at + 2..], true, found);
            }
            (_, "mod") if tokens.get(at + 2).is_some_and(is_braces) => {
                if let TokenTree::Group(group) = &tokens[at + 2] {
                    let mut inner = Vec::new();
                    mentions(&inside(group), &mut inner);
                    inner.retain(|mention| mention.segments[0] != "super");
                    found.extend(inner);
                }
                at += 3;
            }
            (TokenTree::Ident(_), _) => at += mention(&tokens[at..], false, found).max(1),
            (TokenTree::Group(group), _) => {
                mentions(&inside(group), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// The path or tree of paths that these tokens begin with. Returns how many tokens it has.
fn mention(tokens: &[TokenTree], is_public_use: bool, found: &mut Vec<Mention>) -> usize {
    let mut trees = Vec::new();
    let used = tree(tokens, &mut trees);
    let is_path = |(_, segments): &(usize, Vec<String>)| segments.len() > 1;
    let paths = trees.into_iter().filter(is_path);
    found.extend(paths.map(|(line, segments)| Mention { line, segments, is_public_use }));
    used
}

/// Reads `a::b::{c, d::*}`: each path in it with its line, and how many tokens that were.
fn tree(tokens: &[TokenTree], paths: &mut Vec<(usize, Vec<String>)>) -> usize {
    let (mut segments, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        let line = token.span().start().line;
        match token {
            TokenTree::Ident(name) => segments.push(name.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && at > 0 => {
                for branch in inside(group).split(|token| is_mark(Some(token), ',')) {
                    let mut inner = Vec::new();
                    tree(branch, &mut inner);
                    paths.extend(inner.into_iter().map(|(line, rest)| {
                        let rest = rest.into_iter().filter(|name| name != "self");
                        (line, segments.iter().cloned().chain(rest).collect())
                    }));
                }
                return at + 1;
            }
            _ if is_mark(Some(token), '*') && at > 0 => segments.push("*".to_owned()),
            _ => return at,
        }
        at += 1;
        if is_mark(tokens.get(at), ':')
            && is_mark(tokens.get(at + 1), ':')
            && segments.last().is_some_and(|s| s != "*")
        {
            let goes_on = tokens.get(at + 2).is_some_and(|next| {
                matches!(next, TokenTree::Ident(_)) || is_braces(next) || is_mark(Some(next), '*')
            });
            if goes_on {
                at += 2;
                continue;
            }
        }
        paths.push((line, segments));
        return at;
    }
    at
}

/// The file that defines what a path means, and the item; `None`: it is not ours.
fn resolve(
    modules: &Modules,
    exports: &Exports,
    own: &[String],
    segments: &[String],
) -> Option<(String, String)> {
    let child = |module: &[String], name: &str| {
        let path: Vec<String> = module.iter().cloned().chain([name.to_owned()]).collect();
        modules.contains_key(&path).then_some(path)
    };
    let (first, mut rest) = segments.split_first()?;
    let mut module = match &**first {
        "crate" => own[..1].to_vec(),
        "chatd" => vec!["src".to_owned()],
        "self" => own.to_vec(),
        "super" => own[..own.len() - 1].to_vec(),
        name => child(own, name)?,
    };
    while rest.first().is_some_and(|name| name == "super") {
        module.pop();
        rest = &rest[1..];
    }
    while let Some(next) = rest.first().and_then(|name| child(&module, name)) {
        (module, rest) = (next, &rest[1..]);
    }
    let file = modules.get(&module)?.clone();
    let item = rest.first().cloned().unwrap_or_default();
    match exports.get(&(file.clone(), item.clone())) {
        Some(exported) => resolve(modules, exports, &module, exported),
        None => Some((file, item)),
    }
}

/// Every arrow between two files of `src`.
fn arrows(sources: &[Source]) -> Vec<Arrow> {
    let modules: Modules =
        sources.iter().map(|source| (module_of(&source.name), source.name.clone())).collect();
    let (mut all, mut exports) = (Vec::new(), Exports::new());
    for source in sources {
        let mut found = Vec::new();
        mentions(&source.tokens, &mut found);
        for mention in found {
            let item = mention.segments.last().cloned().unwrap_or_default();
            if mention.is_public_use {
                let key = (source.name.clone(), item.clone());
                exports.insert(key, mention.segments.clone());
            }
            if !mention.is_public_use || source.count(&item) > 1 {
                all.push((&source.name, mention));
            }
        }
    }
    let mut found = Vec::new();
    for (from, Mention { line, segments, .. }) in all {
        let own = module_of(from);
        if let Some((to, item)) = resolve(&modules, &exports, &own, &segments)
            && to != *from
        {
            found.push(Arrow { from: from.clone(), line, to, item });
        }
    }
    found
}

/// Which nodes can be reached from each, along the arrows.
fn reached(arrows: &BTreeSet<(String, String)>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut next = BTreeMap::<&str, Vec<&str>>::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    let mut reached = BTreeMap::new();
    for &start in next.keys() {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![start]);
        while let Some(node) = waiting.pop() {
            waiting.extend(next.get(node).into_iter().flatten().filter(|node| seen.insert(**node)));
        }
        reached.insert(start, seen);
    }
    reached
}

/// Where two paths part: the two folders that stand side by side there; `None`: one of them is a file.
fn folders(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let are_folders = common + 1 < from.len() && common + 1 < to.len();
    are_folders.then(|| (from[..=common].join("/"), to[..=common].join("/")))
}

/// Panics if these arrows make a circle, and lists those that do.
#[track_caller]
fn assert_no_circle(arrows: &[Arrow], ends: impl Fn(&Arrow) -> Option<(String, String)>) {
    let pairs = arrows.iter().filter_map(&ends).collect();
    let reached = reached(&pairs);
    let goes_back = |from: &str, to: &str| reached.get(to).is_some_and(|seen| seen.contains(from));
    let is_in_circle = |arrow: &&Arrow| ends(arrow).is_some_and(|(from, to)| goes_back(&from, &to));
    let list: String = arrows.iter().filter(is_in_circle).map(describe).collect();
    assert!(list.is_empty(), "these go round in circles:\n{list}");
}

fn describe(arrow: &Arrow) -> String {
    let Arrow { from, line, to, item } = arrow;
    format!("    {from}:{line} -> {to} {item}\n")
}

#[test]
fn no_circle_between_two_files() {
    let arrows = arrows(&sources(&["src"]));
    assert!(arrows.len() > 300, "{} arrows", arrows.len());
    assert_no_circle(&arrows, |arrow| Some((arrow.from.clone(), arrow.to.clone())));
}

#[test]
fn no_circle_between_two_folders() {
    let arrows = arrows(&sources(&["src"]));
    assert_no_circle(&arrows, |arrow| folders(&arrow.from, &arrow.to));
}

/// Each part of the source, and all parts that it may import from besides itself. The first that a file's name begins
/// with is its own.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("src/core/wire/", &[]),
    ("src/core/session/", &["src/core/wire/", "a leaf", "src/origin.rs"]),
    ("src/core/rooms/", &["a leaf"]),
    ("src/core/commands/", &["src/core/session/", "src/core/rooms/", "a leaf"]),
    ("src/core/mod.rs", &["src/core/commands/", "src/core/session/", "src/core/rooms/", "a leaf"]),
    ("src/core/password.rs", &["a leaf", "src/core/wire/sanitize.rs"]),
    ("src/core/", &["a leaf", "src/origin.rs"]),
    ("src/thread_status/", &[]),
    ("src/lock.rs", &["src/thread_status/"]),
    ("src/origin.rs", &[]),
    ("src/cpu_time.rs", &[]),
    ("src/socketserver/", &["src/origin.rs"]),
    (
        "src/store/",
        &[
            "src/core/record.rs",
            "src/core/ids.rs",
            "src/core/returning.rs",
            "src/core/name.rs",
            "src/core/search_words.rs",
            "src/core/wire/sanitize.rs",
            "src/cpu_time.rs",
        ],
    ),
    (
        "src/server/",
        &[
            "src/core/",
            "src/store/",
            "src/socketserver/",
            "src/origin.rs",
            "src/lock.rs",
            "src/thread_status/",
            "src/cpu_time.rs",
        ],
    ),
    ("src/bin/", &["src/"]),
    ("src/fuzz.rs", &["src/core/wire/", "src/server/client/"]),
    ("src/lib.rs", &[]),
];

/// The files that lie side by side in `core/`: data that everybody there may use.
fn is_leaf(file: &str) -> bool {
    let name = file.strip_prefix("src/core/");
    name.is_some_and(|name| !name.contains('/') && name != "mod.rs")
}

#[test]
fn every_arrow_runs_downwards() {
    let part_of = |file: &str| {
        let is_it = |(part, _): &&(&str, _)| file.starts_with(part);
        MAY_IMPORT.iter().find(is_it).unwrap_or_else(|| panic!("{file} is in no part"))
    };
    let is_wrong = |arrow: &&Arrow| {
        let (own, allowed) = part_of(&arrow.from);
        let is_met = |part: &&str| match *part {
            "a leaf" => is_leaf(&arrow.to),
            part => arrow.to.starts_with(part),
        };
        let is_table =
            arrow.to == "src/core/commands/mod.rs" && arrow.from.starts_with("src/core/");
        let is_own = arrow.to.starts_with(own) && part_of(&arrow.to).0 == *own;
        (!is_own && !allowed.iter().any(is_met)) || (is_table && arrow.from != "src/core/mod.rs")
    };
    let wrong: String = arrows(&sources(&["src"])).iter().filter(is_wrong).map(describe).collect();
    assert!(wrong.is_empty(), "these run upwards, or sideways:\n{wrong}");
}

/// A check that reads nothing finds nothing wrong.
#[test]
fn every_way_to_name_an_item_is_seen() {
    let code = "
        use crate::{core::{name::Name, rooms::{self, Rooms as Everybody}}, lock::*};
        pub use super::store::Store;
        mod net { use super::Options; }
        pub(in crate::hidden) fn f(x: crate::a::B) -> Vec<super::C> { d::e(x.self_::g); h }";
    let (mut found, tokens) = (Vec::new(), code.parse::<proc_macro2::TokenStream>().unwrap());
    mentions(&tokens.into_iter().collect::<Vec<_>>(), &mut found);
    let paths: Vec<String> = found.iter().map(|mention| mention.segments.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::core::name::Name",
            "crate::core::rooms",
            "crate::core::rooms::Rooms",
            "crate::lock::*",
            "super::store::Store",
            "crate::a::B",
            "super::C",
            "d::e",
            "self_::g",
        ]
    );
    assert!(found[4].is_public_use && found.iter().filter(|m| m.is_public_use).count() == 1);
}
