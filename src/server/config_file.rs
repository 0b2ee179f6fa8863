//! `--config FILE`: options that stand in a file, in TOML, by the names that they have on the
//! command line.
//!
//! A line of the file is turned into the arguments that one could have typed instead. So a value
//! means the same in both places, its errors have the same words, and a new option is known here at
//! once. What is typed overrides what the file says. Runs on thread `main`.

use super::{options::Options, text_file};
use crate::socketserver::program;
use anyhow::{Context as _, anyhow, bail};
use argh::{ArgsInfo as _, FlagInfo, FlagInfoKind, FromArgs as _, Optionality};
use std::{ops::Range, path::Path};
use toml::de::{DeTable, DeValue};

/// The most bytes of a file: some hundred times what all options take. More is another file.
const FILE_MAX: u64 = 64 * 1024;

/// One option of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option's name, without its dashes.
    pub name: String,
    /// Its values, as one would type them: one, several for an option that may be repeated, none for
    /// a switch.
    pub values: Vec<String>,
    /// Whether it is a switch that is off.
    is_off: bool,
    /// The line of the file, from 1.
    pub line: usize,
}

/// The options that hold, and the file that some of them are from.
#[derive(Debug)]
pub struct Given {
    /// What holds.
    pub options: Options,
    /// What stands in the file; nothing without `--config`.
    pub settings: Vec<Setting>,
    typed: Vec<String>,
}

impl Given {
    /// Takes what was typed, without the program's name, and reads the file, if one is named there.
    /// Ends the process with a message if what was typed is wrong or asks for help.
    pub fn from_command_line() -> anyhow::Result<Given> {
        let options: Options = program::options();
        Given::read(options, std::env::args().skip(1).collect())
    }

    /// The same command line once more, with the file as it is now.
    pub fn read_again(&self) -> anyhow::Result<Given> {
        Given::read(self.options.clone(), self.typed.clone())
    }

    /// Reads the file, if one is named in what was `typed`. `options`: what that means alone.
    pub fn read(options: Options, typed: Vec<String>) -> anyhow::Result<Given> {
        let Some(file) = options.config_file() else {
            return Ok(Given { options, settings: Vec::new(), typed });
        };
        let settings = read(file)?;
        let own = names_of(&typed);
        let others = settings.iter().filter(|setting| !own.contains(&setting.name));
        let arguments = others.flat_map(Setting::arguments).chain(typed.iter().cloned());
        let options = parse(&arguments.collect::<Vec<_>>())?;
        Ok(Given { options, settings, typed })
    }

    /// Every option as a line of such a file: what holds, and where that is said; behind a `#` what
    /// nobody has said.
    pub fn describe(&self) -> String {
        let file = self.options.config_file().unwrap_or(Path::new("")).display().to_string();
        let typed = names_of(&self.typed);
        flags().map(|flag| self.describe_one(flag, &file, &typed)).collect()
    }

    fn describe_one(&self, flag: &FlagInfo<'static>, file: &str, typed: &[String]) -> String {
        let name = name_of(flag);
        let (values, is_off, from) = if typed.iter().any(|it| it == name) {
            (values_typed(&self.typed, flag.long), false, "the command line".to_owned())
        } else if let Some(setting) = self.settings.iter().find(|it| it.name == name) {
            (setting.values.clone(), setting.is_off, format!("{file}:{}", setting.line))
        } else {
            let default = default_of(flag);
            return format!("# {name}: {default}\n");
        };
        let value = match (&flag.kind, &*values) {
            (FlagInfoKind::Switch, _) => (!is_off).to_string(),
            (_, [value]) if flag.optionality != Optionality::Repeating => in_toml(value),
            (_, values) => {
                let values: Vec<String> = values.iter().map(|value| in_toml(value)).collect();
                format!("[{}]", values.join(", "))
            }
        };
        format!("{name} = {value}  # {from}\n")
    }

    /// Whether the file turns a switch off, and nobody has typed it.
    pub fn is_off(&self, switch: &str) -> bool {
        self.settings.iter().any(|it| it.name == switch && it.is_off)
            && !names_of(&self.typed).iter().any(|it| it == switch)
    }

    /// Of the options that can be told apart, those that differ from another reading of the file.
    pub fn differences<'a>(&'a self, other: &'a Given) -> Vec<&'a str> {
        let of = |given: &'a Given, name: &str| {
            given.settings.iter().find(|it| it.name == name).map(|it| (&it.values, it.is_off))
        };
        let typed = names_of(&self.typed);
        flags()
            .map(name_of)
            .filter(|name| !typed.iter().any(|it| it == name))
            .filter(|name| of(self, name) != of(other, name))
            .collect()
    }
}

impl Setting {
    /// As one would type it.
    fn arguments(&self) -> Vec<String> {
        let option = format!("--{}", self.name);
        match (&*self.values, self.is_off) {
            (_, true) => Vec::new(),
            ([], false) => vec![option],
            (values, false) => {
                values.iter().flat_map(|value| [option.clone(), value.clone()]).collect()
            }
        }
    }
}

/// Reads a file. Each value is looked at by itself, so that an error can name its line.
fn read(file: &Path) -> anyhow::Result<Vec<Setting>> {
    let at = |line: usize| format!("{}:{line}", file.display());
    let text = text_file::read(file, FILE_MAX)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let line_of = |span: Range<usize>| text_file::line_at(&text, span.start);
    let table = DeTable::parse(&text)
        .map_err(|error| anyhow!("{}: {}", at(error.span().map_or(1, line_of)), error.message()))?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span());
        let setting = setting(key.get_ref(), value.get_ref(), line).with_context(|| at(line))?;
        parse(&setting.arguments()).with_context(|| at(line))?;
        settings.push(setting);
    }
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

fn setting(key: &str, value: &DeValue<'_>, line: usize) -> anyhow::Result<Setting> {
    let flag = flags().find(|flag| name_of(flag) == key).ok_or_else(|| unknown(key))?;
    let (mut values, mut is_off) = (Vec::new(), false);
    match (&flag.kind, value) {
        (FlagInfoKind::Switch, DeValue::Boolean(is_on)) => is_off = !is_on,
        (FlagInfoKind::Switch, _) => bail!("{key} is true or false"),
        (_, DeValue::Array(array)) if flag.optionality == Optionality::Repeating => {
            for value in array {
                values.push(text_of(key, value.get_ref())?);
            }
        }
        (_, value) => values.push(text_of(key, value)?),
    }
    let is_off = is_off || (values.is_empty() && flag.kind != FlagInfoKind::Switch);
    Ok(Setting { name: key.to_owned(), values, is_off, line })
}

fn text_of(key: &str, value: &DeValue<'_>) -> anyhow::Result<String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
        DeValue::Array(_) => bail!("{key} has one value, and no list of them"),
        DeValue::Table(_) => bail!("{key} has no parts of its own: there are no tables here"),
        _ => bail!("{key} is a text in quotation marks, or a number"),
    }
}

fn unknown(key: &str) -> anyhow::Error {
    let near = |name: &&str| strsim::damerau_levenshtein(name, key);
    match flags().map(name_of).min_by_key(near).filter(|name| near(name) <= 1 + key.len() / 3) {
        Some(name) => anyhow!("there is no option {key}. Did you mean {name}?"),
        None => anyhow!("there is no option {key}. chatd --help lists them."),
    }
}

/// The options that may stand in a file.
fn flags() -> impl Iterator<Item = &'static FlagInfo<'static>> {
    let all = Options::get_args_info().flags;
    all.iter().filter(|flag| !matches!(name_of(flag), "help" | "version" | "config"))
}

fn name_of(flag: &FlagInfo<'static>) -> &'static str {
    flag.long.trim_start_matches('-')
}

/// What holds if nobody says anything: the end of the option's help says it.
fn default_of<'a>(flag: &FlagInfo<'a>) -> &'a str {
    let said = flag.description.rsplit_once("(default: ");
    let usual = if flag.kind == FlagInfoKind::Switch { "false" } else { "none" };
    said.map_or(usual, |(_, default)| default.trim_end_matches(')'))
}

/// The names of the options among what was typed.
fn names_of(typed: &[String]) -> Vec<String> {
    options_of(typed).map(|(name, _)| name.to_owned()).collect()
}

fn values_typed(typed: &[String], option: &str) -> Vec<String> {
    let own = options_of(typed).filter(|(name, _)| *name == option.trim_start_matches('-'));
    own.filter_map(|(_, value)| value.cloned()).collect()
}

/// Options and their values, up to the first word that is neither.
fn options_of(typed: &[String]) -> impl Iterator<Item = (&'static str, Option<&String>)> {
    let mut words = typed.iter();
    std::iter::from_fn(move || {
        let word = words.next()?;
        let flag = Options::get_args_info().flags.iter().find(|flag| flag.long == word)?;
        let value = if flag.kind == FlagInfoKind::Switch { None } else { words.next() };
        Some((name_of(flag), value))
    })
}

fn parse(arguments: &[String]) -> anyhow::Result<Options> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Options::from_args(&["chatd"], &words).map_err(|exit| anyhow!("{}", exit.output.trim()))
}

/// Strings are written alike in TOML and JSON.
fn in_toml(value: &str) -> String {
    match value.parse::<u64>() {
        Ok(number) if number.to_string() == value => value.to_owned(),
        _ => serde_json::Value::from(value).to_string(),
    }
}
