//! What can be set: in a file of one's own (`config.rs`), by options, and by `/set`. No I/O.

use crate::{
    address::{Address, DEFAULT_HOST, Target},
    commands, secrets,
    tls::Fingerprint,
};
use anyhow::{anyhow, bail};
use chatd::core::wire::sanitize::replace_controls;
use std::{collections::BTreeMap, fmt};

/// The most words that are looked for in each line, and the most aliases.
const WORDS_MAX: usize = 100;

/// One of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Server,
    Tls,
    Fingerprint,
    Name,
    Room,
    Inline,
    Reconnect,
    Times,
    Bell,
    Wheel,
    Highlight,
}

/// Each by its name, what it is by default, and what it does; in the order of [`Key`].
const ROWS: [(Key, &str, Kind, &str); 11] = [
    (Key::Server, "server", Kind::Text, "where to go: HOST, HOST:PORT or chat://NAME@HOST/ROOM"),
    (Key::Tls, "tls", Kind::Off, "speak TLS with the server, as --tls does"),
    (Key::Fingerprint, "fingerprint", Kind::Text, "the certificate that the server must have"),
    (Key::Name, "name", Kind::Text, "the name to enter under"),
    (Key::Room, "room", Kind::Text, "the room to go to"),
    (Key::Inline, "inline", Kind::Off, "leave the screen to the terminal, as --inline does"),
    (Key::Reconnect, "reconnect", Kind::On, "try again when the server goes away"),
    (Key::Times, "times", Kind::On, "show the time of each line"),
    (Key::Bell, "bell", Kind::Off, "ring when somebody writes to you or mentions you"),
    (Key::Wheel, "wheel", Kind::Off, "the wheel scrolls; text is marked with Shift held down"),
    (Key::Highlight, "highlight", Kind::Words, "words that count as a mention, as your name does"),
];

/// What a setting is if nothing sets it. It says of which kind its values are, too.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    On,
    Off,
    Words,
}

/// What a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Switch(bool),
    Words(Vec<String>),
}

/// Where it is from. A later one of these overrides the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    /// A line of the file.
    File(usize),
    CommandLine,
    /// `/set`; not kept.
    Typed,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    values: Vec<(Value, Source)>,
    aliases: BTreeMap<String, String>,
    /// The file, as it is shown to people.
    file: String,
}

impl Default for Settings {
    fn default() -> Settings {
        let value = |kind: &Kind| match kind {
            Kind::Text => Value::Text(String::new()),
            Kind::On => Value::Switch(true),
            Kind::Off => Value::Switch(false),
            Kind::Words => Value::Words(Vec::new()),
        };
        let values = ROWS.iter().map(|(_, _, kind, _)| (value(kind), Source::Default));
        Settings { values: values.collect(), aliases: BTreeMap::new(), file: String::new() }
    }
}

impl Key {
    /// The setting of this name.
    ///
    /// # Errors
    /// A sentence that names the one that is most like it.
    pub(crate) fn named(name: &str) -> Result<Key, String> {
        let mut rows = ROWS.iter();
        let found = rows.find(|row| row.1.eq_ignore_ascii_case(name));
        found.map(|row| row.0).ok_or_else(|| {
            let names = Key::names().chain(["aliases"]);
            let like = names.min_by_key(|other| strsim::osa_distance(other, name));
            let like = like.unwrap_or_default();
            format!("there is no setting {name:?}; the nearest one is {like:?}")
        })
    }

    pub(crate) fn name(self) -> &'static str {
        ROWS[self as usize].1
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.1)
    }

    /// What it does.
    pub(crate) fn help(self) -> &'static str {
        ROWS[self as usize].3
    }

    /// Whether a change is seen at once; otherwise at the next start.
    pub(crate) fn holds_at_once(self) -> bool {
        matches!(self, Key::Times | Key::Bell | Key::Wheel | Key::Highlight)
    }

    /// What its values are.
    pub(crate) fn wants(self) -> String {
        let kind = match ROWS[self as usize].2 {
            Kind::Text => "a text, like \"alice\"",
            Kind::On | Kind::Off => "true or false",
            Kind::Words => "a list of words, like [\"exam\", \"homework\"]",
        };
        format!("{} is {kind}", self.name())
    }

    /// A value as a person types it behind `/set`.
    ///
    /// # Errors
    /// What would be a value.
    pub(crate) fn value(self, typed: &str) -> Result<Value, String> {
        let typed = typed.trim();
        match ROWS[self as usize].2 {
            Kind::Text => Ok(Value::Text(typed.trim_matches('"').to_owned())),
            Kind::On | Kind::Off => match &*typed.to_ascii_lowercase() {
                "on" | "true" | "yes" => Ok(Value::Switch(true)),
                "off" | "false" | "no" => Ok(Value::Switch(false)),
                _ => Err(format!("{} is on or off, not {typed:?}", self.name())),
            },
            Kind::Words => {
                let words = typed.trim_start_matches('[').trim_end_matches(']').split([',', ' ']);
                let words =
                    words.map(|word| word.trim_matches('"')).filter(|word| !word.is_empty());
                Ok(Value::Words(words.map(str::to_owned).collect()))
            }
        }
    }
}

/// As it stands in the file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string(); // as in TOML
        match self {
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Switch(is_on) => write!(f, "{is_on}"),
            Value::Words(words) => {
                write!(f, "[{}]", words.iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Settings {
    /// Nothing but defaults, to be read from this file.
    pub(crate) fn of_file(file: String) -> Settings {
        Settings { file, ..Settings::default() }
    }

    /// The file, as it is shown to people.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Sets a value.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub(crate) fn set(&mut self, key: Key, value: Value, source: Source) -> Result<(), String> {
        let name = key.name();
        let is_one_word = |word: &str| !word.chars().any(|c| c.is_control() || c.is_whitespace());
        match (ROWS[key as usize].2, &value) {
            (Kind::Text, Value::Text(text)) if key == Key::Server && !text.is_empty() => {
                let is_clean = !text.contains(char::is_control); // the file of a socket may have blanks
                let target = is_clean.then(|| Target::parse(text)).ok_or_else(|| key.wants())?;
                drop(target.map_err(|why| format!("{why:#}"))?);
            }
            (Kind::Text, Value::Text(text)) if key == Key::Fingerprint && !text.is_empty() => {
                Fingerprint::parse(text).map_err(|why| format!("{name}: {why}"))?;
            }
            (Kind::Text, Value::Text(text)) if !is_one_word(text) => {
                return Err(format!("{name} wants one word, not {text:?}"));
            }
            (Kind::Text, Value::Text(_)) | (Kind::On | Kind::Off, Value::Switch(_)) => {}
            (Kind::Words, Value::Words(words)) => {
                if let Some(word) = words.iter().find(|word| word.is_empty() || !is_one_word(word))
                {
                    return Err(format!("{name} wants words without blanks, not {word:?}"));
                }
                if words.len() > WORDS_MAX {
                    return Err(format!("{name} wants at most {WORDS_MAX} words"));
                }
            }
            _ => return Err(key.wants()),
        }
        self.values[key as usize] = (value, source);
        Ok(())
    }

    /// Adds an alias: `/NAME` stands for TEXT.
    ///
    /// # Errors
    /// A sentence that says why it cannot be one.
    pub(crate) fn add_alias(&mut self, name: &str, text: &str) -> Result<(), String> {
        let name = name.trim_start_matches('/').to_ascii_lowercase();
        let command = format!("/{name}");
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("an alias is one word, not {name:?}"));
        }
        if commands::names().any(|own| own == command) {
            return Err(format!("{command} is a command of chat's, and stays that"));
        }
        if text.trim().is_empty() || text != replace_controls(text) {
            return Err(format!("{command} stands for nothing that can be typed"));
        }
        if secrets::leads_to_secret(text) {
            let why = "chat hides a password only behind the command itself";
            return Err(format!("{command} may not stand for {text:?}: {why}"));
        }
        if self.aliases.len() == WORDS_MAX {
            return Err(format!("{WORDS_MAX} aliases are the most"));
        }
        self.aliases.insert(name, text.to_owned());
        Ok(())
    }

    /// What a typed line stands for: an alias in front is put for what it is.
    pub(crate) fn expand<'a>(&self, line: &'a str) -> std::borrow::Cow<'a, str> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let name = command.strip_prefix('/').map(str::to_ascii_lowercase);
        match name.and_then(|name| self.aliases.get(&name)) {
            Some(text) if rest.is_empty() => text.clone().into(),
            Some(text) => format!("{text} {rest}").into(),
            None => line.into(),
        }
    }

    /// The aliases as they are typed.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (String, &str)> {
        self.aliases.iter().map(|(name, text)| (format!("/{name}"), text.as_str()))
    }

    pub(crate) fn get(&self, key: Key) -> &Value {
        &self.values[key as usize].0
    }

    pub(crate) fn source(&self, key: Key) -> &Source {
        &self.values[key as usize].1
    }

    pub(crate) fn is_on(&self, key: Key) -> bool {
        *self.get(key) == Value::Switch(true)
    }

    /// The server's address.
    ///
    /// # Errors
    /// When the port is not a number from 1 to 65535.
    pub(crate) fn address(&self) -> anyhow::Result<Address> {
        let target = Target::parse(self.text(Key::Server).unwrap_or(DEFAULT_HOST))?;
        Ok(target.address(self.wants_tls()))
    }

    /// Whether TLS is spoken with a server of which nothing else is said.
    pub(crate) fn wants_tls(&self) -> bool {
        self.is_on(Key::Tls) || self.text(Key::Fingerprint).is_some()
    }

    /// The certificate that this server must have, if it is given.
    ///
    /// # Errors
    /// As those of [`Settings::address`]; or TLS, without which no certificate is seen, is not spoken.
    pub(crate) fn pin(&self) -> anyhow::Result<Option<(Address, Fingerprint)>> {
        let fingerprint = self.text(Key::Fingerprint).map(Fingerprint::parse).transpose();
        let fingerprint = fingerprint.map_err(|why| anyhow!(why))?;
        let address = self.address()?;
        if fingerprint.is_some() && !address.has_tls {
            bail!("a fingerprint is given, and TLS is not spoken with {address}");
        }
        Ok(fingerprint.map(|fingerprint| (address, fingerprint)))
    }

    /// A text that is set.
    pub(crate) fn text(&self, key: Key) -> Option<&str> {
        match self.get(key) {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn words(&self) -> &[String] {
        match self.get(Key::Highlight) {
            Value::Words(words) => words,
            Value::Text(_) | Value::Switch(_) => &[],
        }
    }

    /// Those that `/set` has changed: they are not kept yet.
    pub(crate) fn typed(&self) -> Vec<Key> {
        let is_typed = |row: &&(Key, &str, Kind, &str)| *self.source(row.0) == Source::Typed;
        ROWS.iter().filter(is_typed).map(|row| row.0).collect()
    }

    /// One setting in a row: its name, its value, and where that is from.
    pub(crate) fn row(&self, key: Key) -> String {
        let from = match self.source(key) {
            Source::Default => "default".to_owned(),
            Source::File(line) => format!("line {line}"),
            Source::CommandLine => "command line".to_owned(),
            Source::Typed => "/set, not kept".to_owned(),
        };
        match self.get(key) {
            Value::Text(text) if text.is_empty() => format!("{} is not set", key.name()),
            value => format!("{} = {value}  ({from})", key.name()),
        }
    }

    /// All of them in rows.
    pub(crate) fn rows(&self) -> Vec<String> {
        let rows = ROWS.iter().map(|row| self.row(row.0));
        rows.chain(self.aliases().map(|(name, text)| format!("{name} is {text}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_kind_and_says_where_it_is_from() {
        let mut settings = Settings::default();
        assert_eq!(settings.row(Key::Bell), "bell = false  (default)");
        let value = Key::Bell.value("on").unwrap();
        settings.set(Key::Bell, value, Source::Typed).unwrap();
        assert_eq!(settings.row(Key::Bell), "bell = true  (/set, not kept)");
        assert!(settings.is_on(Key::Bell) && settings.typed() == [Key::Bell]);
        let words = Key::Highlight.value("exam, \"home\" Zoë").unwrap();
        assert_eq!(words.to_string(), "[\"exam\", \"home\", \"Zoë\"]");
        let file = Value::Text("unix:/run/my chat".to_owned());
        assert_eq!(settings.set(Key::Server, file, Source::Typed), Ok(()));
        for (key, value) in [
            (Key::Name, Value::Text("two words".to_owned())),
            (Key::Name, Value::Switch(true)),
            (Key::Server, Value::Text("h:0".to_owned())),
            (Key::Server, Value::Text("unix:/a\u{1b}b".to_owned())),
            (Key::Bell, Value::Text("on".to_owned())),
            (Key::Highlight, Value::Words(vec!["a b".to_owned()])),
        ] {
            let error = settings.set(key, value, Source::Typed).unwrap_err();
            assert!(!error.is_empty(), "{error}");
        }
        assert!(Key::Bell.value("loud").is_err());
        assert!(ROWS.iter().enumerate().all(|(at, row)| row.0 as usize == at));
    }

    #[test]
    fn the_nearest_name_is_told() {
        assert_eq!(Key::named("Bell"), Ok(Key::Bell));
        let nearest = |name: &str| Key::named(name).unwrap_err();
        assert!(nearest("nmae").contains("\"name\"") && nearest("alias").contains("\"aliases\""));
    }

    #[test]
    fn aliases_stand_for_what_they_say_but_for_no_password() {
        let mut settings = Settings::default();
        settings.add_alias("J", "/join").unwrap();
        settings.add_alias("/hi", "hello everybody").unwrap();
        for (typed, meant) in [
            ("/j math", "/join math"),
            ("/J", "/join"),
            ("/hi", "hello everybody"),
            ("/jj x", "/jj x"),
            ("//j x", "//j x"),
            ("j x", "j x"),
            ("", ""),
        ] {
            assert_eq!(settings.expand(typed), meant);
        }
        for (name, text) in [
            ("l", "/login"),
            ("l", "/LOGIN alice hunter22"),
            ("r", "/register"),
            ("u", "/unregister"),
            ("quit", "/away"),
            ("", "/away"),
            ("a b", "/away"),
            ("a", "  "),
            ("a", "one\ntwo"),
        ] {
            assert!(settings.add_alias(name, text).is_err(), "{name} = {text}");
        }
    }
}
