//! The sources as the compiler reads them: tokens, without comments and without unit tests.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::{fs, path::Path};

/// Where Cargo.toml is.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text; its name begins at the root.
#[track_caller]
pub fn text_of(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The names of all files below `folder` with this ending, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        if path.is_dir() {
            found.extend(files(&name, ending));
        } else if name.ends_with(ending) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// A Rust file.
pub struct Source {
    /// Its path from the root.
    pub name: String,
    pub text: String,
    pub tokens: Vec<TokenTree>,
    /// Lines of its unit tests.
    pub test_lines: usize,
}

/// Every Rust file below these folders, with its unit tests cut out. A whole file of unit tests has no tokens.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let read = |name: String| Source::new(text_of(&name), name);
    folders.iter().flat_map(|folder| files(folder, ".rs")).map(read).collect()
}

impl Source {
    fn new(text: String, name: String) -> Source {
        let (mut tokens, mut test_lines) = (Vec::new(), text.lines().count());
        if !is_unit_tests(&name) {
            let all: TokenStream = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
            test_lines = 0;
            tokens = without_tests(all, &mut test_lines);
        }
        Source { name, text, tokens, test_lines }
    }

    /// The lines of its code: what stands there, without comments, blank lines and unit tests.
    fn code_lines(&self) -> Vec<&str> {
        let mut numbers = Vec::new();
        each_token(&self.tokens, &mut |token| {
            let (start, end) = (token.span().start().line, token.span().end().line);
            match token {
                TokenTree::Group(_) => numbers.extend([start, end]),
                _ => numbers.extend(start..=end),
            }
        });
        numbers.sort_unstable();
        numbers.dedup();
        let lines: Vec<&str> = self.text.lines().collect();
        let code = numbers.into_iter().map(|number| lines[number - 1]);
        code.filter(|line| !line.trim_start().starts_with("//")).collect()
    }

    /// How many lines of code it has.
    pub fn lines_of_code(&self) -> usize {
        self.code_lines().len()
    }

    /// Its code, without comments and without its unit tests.
    pub fn code(&self) -> String {
        let lines = self.code_lines().into_iter();
        lines.map(|line| line.split(" // ").next().unwrap_or_default().to_owned() + "\n").collect()
    }

    /// How often a word stands in its code.
    pub fn count(&self, word: &str) -> usize {
        let mut count = 0;
        each_token(&self.tokens, &mut |token| {
            count += usize::from(matches!(token, TokenTree::Ident(ident) if ident == word));
        });
        count
    }

    /// Every function in it, those inside others included.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        find_functions(&self.tokens, &Owner::default(), &mut found);
        found
    }
}

/// Whether a whole file is unit tests: `tests.rs`, or what lies below a folder `tests` of the source.
pub fn is_unit_tests(name: &str) -> bool {
    name.ends_with("/tests.rs") || (name.starts_with("src/") && name.contains("/tests/"))
}

/// Calls `look` with every token, and with every group before what is in it.
pub fn each_token(tokens: &[TokenTree], look: &mut impl FnMut(&TokenTree)) {
    for token in tokens {
        look(token);
        if let TokenTree::Group(group) = token {
            each_token(&inside(group), look);
        }
    }
}

pub fn inside(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

/// The word that a token is; `""`: it is none.
pub fn word(token: Option<&TokenTree>) -> String {
    match token {
        Some(TokenTree::Ident(word)) => word.to_string(),
        _ => String::new(),
    }
}

pub fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

pub fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Leaves out every item that stands behind `#[cfg(test)]`, and counts its lines.
fn without_tests(tokens: TokenStream, lines: &mut usize) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let is_test = is_mark(tokens.get(at), '#') && tokens.get(at + 1).is_some_and(is_cfg_test);
        if is_test {
            let rest = &tokens[at + 2..];
            let is_end = |token: &TokenTree| is_braces(token) || is_mark(Some(token), ';');
            let end = at + 2 + rest.iter().position(is_end).unwrap_or(rest.len() - 1);
            *lines += 1 + tokens[end].span().end().line - tokens[at].span().start().line;
            at = end + 1;
            continue;
        }
        kept.push(match &tokens[at] {
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream(), lines).into_iter().collect();
                let mut copy = Group::new(group.delimiter(), inner);
                copy.set_span(group.span());
                TokenTree::Group(copy)
            }
            other => other.clone(),
        });
        at += 1;
    }
    kept
}

/// `[cfg(test)]`, or `[cfg(all(test, …))]`.
fn is_cfg_test(attribute: &TokenTree) -> bool {
    let mut words = Vec::new();
    each_token(std::slice::from_ref(attribute), &mut |token| words.push(word(Some(token))));
    let has = |name: &str| words.iter().any(|word| word == name);
    has("cfg") && has("test") && !has("not")
}

/// A function with a body.
pub struct Function {
    pub name: String,
    pub owner: Owner,
    /// The line where it begins, and how many it has, without its documentation.
    pub line: usize,
    pub lines: usize,
    /// The tokens behind `->`.
    pub returns: Vec<TokenTree>,
    pub body: Group,
}

/// In which `impl` a function stands.
#[derive(Clone, Default)]
pub struct Owner {
    /// The type; `""`: a free function.
    pub name: String,
    /// Its trait is another one's.
    pub is_trait: bool,
}

impl Function {
    /// `Chat::apply`.
    pub fn path(&self) -> String {
        match &*self.owner.name {
            "" => self.name.clone(),
            owner => format!("{owner}::{}", self.name),
        }
    }
}

fn find_functions(tokens: &[TokenTree], owner: &Owner, found: &mut Vec<Function>) {
    let mut at = 0;
    while at < tokens.len() {
        let next = word(tokens.get(at + 1));
        let rest = &tokens[at + 1..];
        match (&*word(tokens.get(at)), &tokens[at]) {
            ("fn", _) if !next.is_empty() => {
                let is_end = |token: &TokenTree| is_braces(token) || is_mark(Some(token), ';');
                let Some(end) = rest.iter().position(is_end) else { return };
                if let TokenTree::Group(body) = &rest[end] {
                    let line = tokens[at].span().start().line;
                    found.push(Function {
                        name: next,
                        owner: owner.clone(),
                        line,
                        lines: body.span_close().end().line - line + 1,
                        returns: returns(&rest[..end]),
                        body: body.clone(),
                    });
                    find_functions(&inside(body), &Owner::default(), found);
                }
                at += end + 1;
            }
            ("impl" | "trait", _) => {
                let Some(end) = rest.iter().position(is_braces) else { return };
                let owner = owner_of(&rest[..end]);
                if let TokenTree::Group(body) = &rest[end] {
                    find_functions(&inside(body), &owner, found);
                }
                at += end + 1;
            }
            (_, TokenTree::Group(group)) => find_functions(&inside(group), owner, found),
            _ => {}
        }
        at += 1;
    }
}

/// What stands behind `->`, up to a `where`.
fn returns(signature: &[TokenTree]) -> Vec<TokenTree> {
    let arrow = |pair: &[TokenTree]| is_mark(pair.first(), '-') && is_mark(pair.get(1), '>');
    let Some(at) = signature.windows(2).position(arrow) else { return Vec::new() };
    let rest = signature[at + 2..].iter();
    rest.take_while(|token| word(Some(token)) != "where").cloned().collect()
}

/// The type of `impl<H> Trait for path::Type<H> where …`.
fn owner_of(head: &[TokenTree]) -> Owner {
    let (mut depth, mut owner) = (0, Owner::default());
    for (at, token) in head.iter().enumerate() {
        match (token, &*word(Some(token))) {
            (TokenTree::Punct(mark), _) if mark.as_char() == '<' => depth += 1,
            (TokenTree::Punct(mark), _) if mark.as_char() == '>' => {
                depth -= i32::from(at == 0 || !is_mark(head.get(at - 1), '-'));
            }
            (_, "where") if depth == 0 => break,
            (_, "for") if depth == 0 => owner = Owner { name: String::new(), is_trait: true },
            (TokenTree::Ident(name), _) if depth == 0 => owner.name = name.to_string(),
            _ => {}
        }
    }
    owner
}

/// A check that reads nothing finds nothing wrong.
#[test]
fn functions_and_unit_tests_are_told_apart() {
    let text = "//! A file.

use std::fmt; // why

impl<H: Fn(&str) -> bool> Chat<H> {
    /// Says it.
    pub(crate) fn is_said(&self, x: impl Fn() -> u8) -> Result<bool, H> where H: Clone {
        fn inside() {} /* no */
        \"fn not_one() {}\"
    }
}

impl<'a> fmt::Display for super::Line<'a> {
    fn fmt(&self) -> impl Iterator<Item = u8> { todo!() }
}

trait Driver { fn ask(&self); fn tell(&self) {} }

#[cfg(all(test, debug_assertions))]
mod tests {
    fn unit() {}
}
";
    let source = Source::new(text.to_owned(), "src/chat.rs".to_owned());
    assert_eq!((source.test_lines, source.lines_of_code()), (4, 11));
    assert!(!source.code().contains("why") && source.count("not_one") == 0);
    let functions: Vec<(String, bool, usize, String)> = source
        .functions()
        .iter()
        .map(|f| {
            (
                f.path(),
                f.owner.is_trait,
                f.lines,
                f.returns.iter().map(ToString::to_string).collect(),
            )
        })
        .collect();
    let function = |path: &str, is_trait, lines, returns: &str| {
        (path.to_owned(), is_trait, lines, returns.to_owned())
    };
    assert_eq!(
        functions,
        [
            function("Chat::is_said", false, 4, "Result<bool,H>"),
            function("inside", false, 1, ""),
            function("Line::fmt", true, 1, "implIterator<Item=u8>"),
            function("Driver::tell", false, 1, ""),
        ]
    );
}
