//! Every command that a page shows is played: the blocks marked `sh`, and what stands behind `$ ` in others. (Those of the
//! course's steps have tools.rs and consoles.rs.) They are played in their order, in a folder for each page, as they stand
//! there but for ports and the machine's own folders. What cannot be played stands below with the reason.
//!
//! Of all of them, and of every command in a sentence, it is checked that the program has these commands and options, and
//! that the tests and files are there which it names.

use crate::{
    consoles::{BUILT, Program, Session, is_server, short},
    harness::*,
    pages,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
};

/// Commands that are not played here, by how they begin; and the reason, or the test that plays them.
const NOT_PLAYED: &[(&str, &str)] = &[
    ("sudo apt install", "it changes the machine"),
    ("sudo systemctl", "it needs systemd"),
    ("systemctl", "it needs systemd"),
    ("podman", "release.sh builds the container, and tries it"),
    ("tar -xzf", "release.sh makes the archives, and tries them"),
    ("sudo nano", "it is an editor"),
    ("docs/package/", "it takes ten minutes, and tries what it makes"),
    ("sudo docs/package/try", "it makes a Debian of its own"),
    ("sudo chatd upgrade", "docs/package/try-systemd.sh does it, under systemd"),
    ("tests/browser/install.sh", "CI runs it"),
    (
        "ROUNDS=200 SECONDS_AWAY=1,30,90 node",
        "it takes a quarter of an hour; CI plays a shorter one",
    ),
    ("CHATD_KILLS=1000 cargo test", "it takes minutes; CI kills twelve times"),
    (".ci/run", "it runs this test"),
    (
        "cargo build --release --examples && cargo run --release --example idle-cost",
        "idle_cost_measures_four_servers_with_up_to_900_silent_clients",
    ),
    ("cargo build", "a test begins with it"),
    ("tests/mutants/run.sh", "it takes hours"),
    ("cargo test", "this is one"),
    ("target/release/chatbench --runs", "it takes minutes; tests/chatbench has shorter ones"),
    ("target/release/chatbench soak", "a_short_soak_loses_nothing_and_leaves_nothing_behind"),
    ("target/release/chatbench table", "table_ends_with_the_medians_of_the_chosen_rows"),
    ("target/release/chatbench compare", "compare_shows_every_figure_of_every_model"),
    ("time sh -c", "time_and_ps_show_five_processes_and_five_dead_ones"),
    ("cargo run --example grade --handin", "a_hint_a_file_to_hand_in_and_the_solutions"),
    ("cargo run --example grade 5 --hint", "a_hint_a_file_to_hand_in_and_the_solutions"),
    (
        "cargo run --example grade",
        "every_solution_gets_all_points_and_no_exercise_does_as_it_is_given",
    ),
    ("target/release/chatd --threads-max 512", "the_terminals_of_the_readme_show_what_happens"),
    ("nc 127.0.0.1 5000", "the_terminals_of_the_readme_show_what_happens"),
    ("chat --json --name bot HOST", "a_program_reads_what_the_page_shows"),
    ("chat --tls chat.example.org", "a_person_is_asked_once"),
];

/// What has been done before a command, on its page or by its reader.
const BEFORE: &[(&str, &[&str])] = &[
    ("cargo run --release -- account promote alice", &["chatd account add alice"]),
    ("chatd account list", &["chatd account add bob"]),
    (
        "chatd account free zed1",
        &["chatd account add zed1", "chatd account add zed2", "chatd account add zed3"],
    ),
    ("chatd account import class.csv", &["printf 'anna\\nben\\n' > class.csv"]),
    ("30 3 * * *", &["mkdir var/lib/chatd/backups"]),
    ("curl", &["chatd"]),
    ("echo hi | chat HOST", &["chatd --db none"]),
    (
        "sudo install chatd chat",
        &["ln -s target/release/chatd target/release/chat .", "cp docs/package/chatd.toml ."],
    ),
    ("#!/bin/sh -e", &["mkdir live", "touch live/fullchain.pem live/privkey.pem"]),
];

/// Commands that want something typed, and something that they print.
const TYPED: &[(&str, &str, &str)] = &[
    ("chatd account add", "correct horse\n", " has an account now."),
    ("chatd account passwd", "correct horse\n", " has another password now."),
    ("chatd tls make", "", "Start chatd with: --tls PORT --tls-cert "),
    ("chatd --config", "", " is fine: it sets 0 options."),
    ("curl -s", "", "chatd_clients 0\n"),
    ("nc -U", "ann\n/quit\n", "*** Goodbye."),
    ("chat unix:", "/quit\n", "*** Goodbye."),
    ("socat", "ann\n/quit\n", "*** Goodbye."),
    ("echo hi | chat", "", "*** Goodbye."),
    ("chat localhost", "/quit\n", "*** Goodbye."),
];

/// What is written otherwise here: the machine's folders are in the page's, so nobody has to be root, and nobody is asked.
const HERE: &[(&str, &str)] = &[
    ("sudo ", ""),
    (" /etc/", " etc/"),
    (" /var/lib/", " var/lib/"),
    (" \"/var/lib/", " \"var/lib/"),
    (" /usr/bin/", " usr/bin/"),
    (":/run/", ":run/"),
    (" /run/", " run/"),
    ("30 3 * * * ", ""),
    ("\\%", "%"),
    ("$RENEWED_LINEAGE/", "live/"),
    ("\nsystemctl reload chatd", ""),
    (" HOST", " localhost:5000"),
    ("chat -- localhost", "chat -- localhost:5000"),
    ("forget anna", "forget anna --yes"),
];

/// Files of the project that end like this, below these folders: their path, and what they have.
fn files(folders: &[&str], endings: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending))
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// Every page, by its path from the root.
fn all_pages() -> Vec<String> {
    let below = files(&["docs"], &["md"]).into_iter();
    let below = below.map(|(path, _)| path.to_str().unwrap().to_owned());
    below.chain(["README.md".to_owned()]).collect()
}

/// The commands in a page's blocks, in order.
fn commands(page: &str) -> Vec<String> {
    let text = pages::read(page);
    let is_step = pages::pages().iter().any(|step| step == page);
    let mut found = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let (kind, lines) = block.split_once('\n').unwrap_or_default();
        if lines.starts_with("#!") {
            found.push(lines.to_owned()); // a script
            continue;
        }
        let lines = lines.replace("\\\n", " ");
        for line in lines.lines() {
            let command = match (kind, line.strip_prefix("$ ")) {
                ("sh", _) => line.split(" #").next().unwrap(),
                ("text" | "console", Some(command)) if !is_step => {
                    command.split(" #").next().unwrap()
                }
                _ => continue,
            };
            let words: Vec<&str> = command.split_whitespace().collect();
            found.extend((!words.is_empty()).then(|| words.join(" ")));
        }
    }
    found
}

/// The row of a table that is about this command.
fn row<T>(table: &'static [T], begin: fn(&T) -> &str, command: &str) -> Option<&'static T> {
    table.iter().find(|row| command.starts_with(begin(row)))
}

#[test]
fn every_command_of_every_page_is_played() {
    let number: usize = thread::scope(|scope| {
        let pages: Vec<_> = all_pages()
            .into_iter()
            .map(|page| {
                scope.spawn(move || {
                    let played = commands(&page).into_iter();
                    let played = played.filter(|it| row(NOT_PLAYED, |it| it.0, it).is_none());
                    let mut session = Session::new();
                    for folder in ["etc/systemd/system", "run/chatd", "usr/bin", "var/lib/chatd"] {
                        fs::create_dir_all(session.folder.path(folder)).unwrap();
                    }
                    let mut server = None;
                    played.map(|command| session.obeys(&command, &mut server, &page)).count()
                })
            })
            .collect();
        pages.into_iter().map(|page| page.join().unwrap()).sum()
    });
    assert!(number > 30, "only {number} commands were found");
}

impl Session {
    /// What a page's reader does. A server runs on until another one is started.
    fn obeys(&mut self, command: &str, server: &mut Option<Server>, page: &str) {
        for before in row(BEFORE, |it| it.0, command).into_iter().flat_map(|it| it.1) {
            self.obeys(before, server, page);
        }
        println!("{page}: {command}"); // shown if it fails
        let here = HERE.iter().fold(command.to_owned(), |all, it| all.replace(it.0, it.1));
        let here = if here == "chat" { "chat localhost:5000".to_owned() } else { short(&here) };
        let (_, typed, prints) = row(TYPED, |it| it.0, &here).unwrap_or(&("", "", ""));
        if let Some(mut before) = server.take_if(|_| is_server(&here)) {
            before.ends_on_ctrl_c();
        }
        match self.runs(&here) {
            Program::Server(started) => {
                self.ports = vec![("5000".to_owned(), started.address.port())];
                let browsers = "listening for browsers on 127.0.0.1:";
                if !command.contains("--web none") {
                    started.prints(browsers);
                    let printed = started.printed();
                    let port = printed.split(browsers).nth(1).unwrap().lines().next().unwrap();
                    self.ports.push(("5080".to_owned(), port.parse().unwrap()));
                }
                *server = Some(started);
            }
            Program::Shell(mut shell) => {
                shell.types(typed);
                shell.closes_its_keyboard();
                let printed = shell.ends();
                assert!(printed.contains(prints), "{page}: {command} prints {printed}");
            }
            _ => panic!("{page}: {command} is neither a server nor a command"),
        }
    }
}

/// What a program says of itself, or of a command of it.
fn help(program: &str, commands: &[&str]) -> String {
    static SAID: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let key = format!("{program} {}", commands.join(" "));
    let ask = || {
        let asked = Command::new(program).args(commands).arg("--help").output().unwrap();
        String::from_utf8(asked.stdout).unwrap()
    };
    SAID.lock().unwrap().entry(key).or_insert_with(ask).clone()
}

/// Whether these words are commands and options of the program; or which is none.
fn is_understood(program: &str, words: &[&str]) -> Result<(), String> {
    let (mut commands, mut text) = (Vec::new(), help(program, &[]));
    // `chatd account <list|add|…> <names>`: what is to be chosen from next.
    let choice = |text: &str| {
        let (all, _) = text.lines().next()?.split_once("[--] <")?.1.split_once('>')?;
        all.contains('|').then(|| all.to_owned())
    };
    let mut choose = None;
    let mut words = words.iter().take_while(|word| **word != ">");
    while let Some(word) = words.next() {
        let rows = text.split_once("\nCommands:\n").map_or("", |(_, rows)| rows);
        if let Some((option, value)) =
            word.starts_with("--").then(|| word.split_once('=').unwrap_or((word, "")))
        {
            let mut known = text.split(|c: char| c.is_whitespace() || "[],".contains(c));
            let is_known = known.any(|it| it == option);
            is_known.then_some(()).ok_or(format!("there is no option {option}"))?;
            if value.is_empty() && text.contains(&format!("{option} <")) {
                words.next();
            }
        } else if rows.lines().any(|row| row.starts_with(&format!("  {word} "))) {
            commands.push(*word);
            text = help(program, &commands);
            choose = choice(&text);
        } else if let Some(all) = choose.take().filter(|_| word.starts_with(char::is_alphabetic)) {
            let is_one = all.split('|').any(|it| it == *word);
            is_one.then_some(()).ok_or(format!("there is no {} {word}", commands.join(" ")))?;
        }
    }
    Ok(())
}

/// Every test by its path, such as `tests::chatd::history::what_…`.
fn tests() -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in files(&["src", "tests"], &["rs", "mjs"]) {
        let file = file.with_extension("");
        let file = file.to_str().unwrap().replace('/', "::");
        found.push(format!("{file}::")); // macros make more
        for line in text.lines().map(str::trim_start) {
            let begin = ["fn ", "pub fn ", "export async function "];
            let name = begin.iter().find_map(|it| line.strip_prefix(it));
            let name = name.and_then(|rest| rest.split(['(', '<']).next());
            found.extend(name.map(|name| format!("{file}::{name}")));
        }
    }
    found
}

/// Neither an option nor what stands for a name (`NAME`).
fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_lowercase())
}

/// Whether `cargo test` would find something.
fn are_tests(options: &[&str], tests: &[String]) -> Result<(), String> {
    let mut rest = options.iter();
    let mut folder = String::new();
    while let Some(word) = rest.next() {
        match *word {
            "--test" => folder = format!("tests::{}::", rest.next().unwrap()),
            "--bin" => folder = format!("src::bin::{}::", rest.next().unwrap()),
            "--lib" => folder = "src::".to_owned(),
            "--features" => drop(rest.next()),
            filter if is_name(filter) => {
                let is_it = |it: &&String| it.starts_with(&folder) && it.contains(filter);
                tests.iter().find(is_it).ok_or(format!("no test has {filter}"))?;
            }
            _ => {}
        }
    }
    let is_there = tests.iter().any(|it| it.starts_with(&folder));
    is_there.then_some(()).ok_or(format!("there is no {folder}"))
}

/// Whether what a command names is there; or what is not.
fn names_what_is_there(command: &str, tests: &[String]) -> Result<(), String> {
    let (root, manifest) = (Path::new(env!("CARGO_MANIFEST_DIR")), pages::read("Cargo.toml"));
    let unquoted: String = command.split('"').step_by(2).collect();
    for part in unquoted.split(['|', ';']).flat_map(|part| part.split(" && ")) {
        let words = part.split_whitespace();
        let words: Vec<&str> = words.skip_while(|it| *it == "sudo" || it.contains('=')).collect();
        for word in &words {
            let is_file = ["docs/", "tests/", "src/", ".ci/"].iter().any(|it| word.starts_with(it));
            if is_file && !word.contains('*') && !root.join(word).exists() {
                return Err(format!("there is no {word}"));
            }
        }
        match words[..] {
            ["cargo", "run", ref options @ ..] => {
                match options.iter().skip_while(|it| **it != "--example").nth(1) {
                    Some(name) => {
                        let is_there = manifest.contains(&format!("name = \"{name}\""));
                        let is_there = is_there || *name == "NAME";
                        is_there.then_some(()).ok_or(format!("there is no example {name}"))?;
                    }
                    None => {
                        let words = options.split(|it| *it == "--").nth(1).unwrap_or_default();
                        is_understood(env!("CARGO_BIN_EXE_chatd"), words)?;
                    }
                }
            }
            ["cargo", "test", ref options @ ..] => are_tests(options, tests)?,
            ["node", "tests/browser/run.mjs", ref names @ ..] => {
                for name in names.iter().filter(|it| is_name(it)) {
                    let is_it =
                        |it: &&String| it.starts_with("tests::browser::") && it.contains(name);
                    tests.iter().find(is_it).ok_or(format!("no test of the page has {name}"))?;
                }
            }
            ["tests/fuzz/run.sh", _, ref targets @ ..] => {
                for target in targets.iter().filter(|it| is_name(it)) {
                    let file = format!("tests/fuzz/targets/{target}.rs");
                    root.join(&file).exists().then_some(()).ok_or(format!("there is no {file}"))?;
                }
            }
            [program, ref words @ ..] => {
                let name = program.rsplit('/').next().unwrap();
                let built = BUILT.into_iter().flatten();
                let is_it = |path: &&str| path.rsplit('/').next() == Some(name);
                built.filter(is_it).try_for_each(|path| is_understood(path, words))?;
            }
            [] => {}
        }
    }
    Ok(())
}

#[test]
fn what_a_command_names_is_there() {
    let tests = tests();
    let mut wrong = Vec::new();
    for page in all_pages() {
        let text = pages::read(&page);
        let prose = text.split("\n```").step_by(2);
        let sentences = prose.flat_map(|text| text.split('`').skip(1).step_by(2));
        let said = sentences.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
        for command in said.chain(commands(&page)) {
            if let Err(what) = names_what_is_there(&command, &tests) {
                wrong.push(format!("{page}: {command}: {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (begin, why) in NOT_PLAYED {
        let is_used =
            all_pages().iter().any(|page| commands(page).iter().any(|it| it.starts_with(begin)));
        assert!(is_used, "no page has {begin} any more");
        let is_test = !why.contains(' ');
        let is_there = tests.iter().any(|it| it.ends_with(&format!("::{why}")));
        assert!(!is_test || is_there, "{begin}: no test {why}");
    }
}
