//! The file of one's own settings, `chat.toml`: read at the start, and added to by `/save`. Runs on
//! `main`.

use crate::settings::{Key, Settings, Source, Value};
use chatd::server::text_file;
use etcetera::BaseStrategy as _;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The largest file that is read, in bytes: a page of settings has 1 KiB.
const BYTES_MAX: u64 = 256 * 1024;

/// Where the file is, if no option names another one.
pub(crate) fn path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("chatd").join("chat.toml"))
}

/// Reads the file. One that is not there is as good as an empty one, unless it `is_named` by a person.
///
/// # Errors
/// A sentence with the file, the line, and what is wrong there.
pub(crate) fn load(path: Option<&Path>, is_named: bool) -> Result<Settings, String> {
    let Some(path) = path else { return Ok(Settings::default()) };
    let mut settings = Settings::of_file(shown(path));
    match text_file::read(path, BYTES_MAX) {
        Ok(text) => parse(&text, &mut settings)?,
        Err(e) if e.kind() == ErrorKind::NotFound && !is_named => {}
        Err(e) => return Err(format!("{} cannot be read: {e}", settings.file())),
    }
    Ok(settings)
}

/// A path as people write it: `~` for their home.
pub(crate) fn shown(path: &Path) -> String {
    let home = etcetera::home_dir().ok();
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) => Path::new("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}

fn parse(text: &str, settings: &mut Settings) -> Result<(), String> {
    let file = settings.file().to_owned();
    let wrong =
        |at: usize, why: &str| format!("{file}, line {}: {why}", text_file::line_at(text, at));
    let table = DeTable::parse(text)
        .map_err(|e| wrong(e.span().map_or(0, |span| span.start), e.message()))?;
    for (name, value) in table.get_ref() {
        let at = name.span().start;
        if name.get_ref() == "aliases" {
            let aliases = value.get_ref().as_table();
            for (name, text) in aliases.ok_or_else(|| wrong(at, "it is a table: [aliases]"))? {
                let stands_for =
                    text.get_ref().as_str().ok_or("an alias is a text, like \"/join\"");
                let added = stands_for.map_err(str::to_owned);
                let added = added.and_then(|text| settings.add_alias(name.get_ref(), text));
                added.map_err(|why| wrong(name.span().start, &why))?;
            }
            continue;
        }
        let source = Source::File(text_file::line_at(text, at));
        let set = Key::named(name.get_ref())
            .and_then(|key| settings.set(key, value_of(key, value.get_ref())?, source));
        set.map_err(|why| wrong(at, &why))?;
    }
    Ok(())
}

fn value_of(key: Key, value: &DeValue<'_>) -> Result<Value, String> {
    let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
    let value = match value {
        DeValue::String(text) => Some(Value::Text(text.clone().into_owned())),
        DeValue::Boolean(is_on) => Some(Value::Switch(*is_on)),
        DeValue::Array(words) => words.iter().map(text).collect::<Option<_>>().map(Value::Words),
        _ => None,
    };
    value.ok_or_else(|| key.wants())
}

/// Keeps what `/set` has changed, and leaves everything else in the file as it is. Returns what was
/// kept.
///
/// # Errors
/// A sentence that says why nothing is kept.
pub(crate) fn save(path: &Path, settings: &mut Settings) -> Result<Vec<Key>, String> {
    let cannot = |e: std::io::Error| format!("{} cannot be written: {e}.", shown(path));
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()); // a link stays one
    let mut text = match text_file::read(path, BYTES_MAX) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(e) => return Err(cannot(e)),
    };
    let keys = settings.typed();
    for key in &keys {
        text = with(&text, *key, settings.get(*key))
            .map_err(|why| format!("{}: {why}. Nothing is kept.", shown(path)))?;
    }
    let mut kept = Settings::of_file(settings.file().to_owned());
    parse(&text, &mut kept).map_err(|why| format!("{why}. Nothing is kept."))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let new = path.with_extension("toml.new");
    let replaced = fs::write(&new, &text).and_then(|()| {
        if let Ok(old) = fs::metadata(path) {
            fs::set_permissions(&new, old.permissions())?;
        }
        fs::rename(&new, path)
    });
    if let Err(e) = replaced {
        let _ = fs::remove_file(&new); // half of it, on a full disk
        return Err(cannot(e));
    }
    for key in &keys {
        let value = kept.get(*key).clone();
        settings.set(*key, value, kept.source(*key).clone())?;
    }
    Ok(keys)
}

/// The file's text with another value: in the place of the one that is there, or as a new line before
/// the first table.
fn with(text: &str, key: Key, value: &Value) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|e| e.message().to_owned())?;
    let table = table.get_ref();
    let of_key = table.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case(key.name()));
    let mut text = text.to_owned();
    if let Some((_, old)) = of_key {
        text.replace_range(old.span(), &value.to_string());
        return Ok(text);
    }
    let ends = table.iter().filter(|(name, _)| Key::named(name.get_ref()).is_ok());
    let last = ends.map(|(_, value)| value.span().end).max();
    let at =
        last.map_or(0, |last| text[last..].find('\n').map_or(text.len(), |end| last + end + 1));
    let end_before = if at > 0 && !text[..at].ends_with('\n') { "\n" } else { "" };
    text.insert_str(at, &format!("{end_before}{} = {value}\n", key.name()));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Settings, String> {
        let mut settings = Settings::of_file("chat.toml".to_owned());
        parse(text, &mut settings).map(|()| settings)
    }

    #[test]
    fn a_file_of_settings() {
        let settings = parsed(
            "# mine\nserver = \"h:6000\"\nname='alice'\nbell = true\n\
             highlight = [\n  \"exam\",\n  \"homework\",\n]\n[aliases]\nj = \"/join\"\n",
        )
        .unwrap();
        assert_eq!(settings.text(Key::Server), Some("h:6000"));
        assert_eq!(settings.words(), ["exam", "homework"]);
        assert_eq!(settings.row(Key::Name), "name = \"alice\"  (line 3)");
        assert_eq!(settings.expand("/j math"), "/join math");
        assert!(settings.is_on(Key::Times), "what is not set is as it was");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, says) in [
            (
                "\nnmae = \"alice\"",
                "line 2: there is no setting \"nmae\"; the nearest one is \"name\"",
            ),
            ("bell = \"on\"", "line 1: bell is true or false"),
            ("bell = 1", "line 1: bell is true or false"),
            ("highlight = [1]", "line 1: highlight is a list of words, like [\"exam\""),
            ("name = \"a b\"", "line 1: name wants one word, not \"a b\""),
            ("server = \"h:0\"", "line 1: \"0\" is no port"),
            ("# x\n[aliases]\n\nl = \"/login\"", "line 4: /l may not stand for \"/login\""),
            (
                "[alias]\nj = \"/join\"",
                "line 1: there is no setting \"alias\"; the nearest one is \"aliases\"",
            ),
            ("aliases = 1", "line 1: it is a table: [aliases]"),
            ("name = alice", "line 1: "),
            ("bell = true\nbell = false", "line 2: "),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.starts_with("chat.toml, line ") && error.contains(says), "{error}");
        }
    }

    #[test]
    fn what_is_kept_leaves_the_rest_as_it_is() {
        let on = Value::Switch(true);
        for (before, after) in [
            ("", "bell = true\n"),
            ("# mine\n", "bell = true\n# mine\n"),
            ("bell=false # hush\n", "bell=true # hush\n"),
            ("name = \"a\" # me", "name = \"a\" # me\nbell = true\n"),
            (
                "name = \"a\"\n\n[aliases]\nj = \"/join\"\n",
                "name = \"a\"\nbell = true\n\n[aliases]\nj = \"/join\"\n",
            ),
            ("[aliases]\nj = \"/join\"\n", "bell = true\n[aliases]\nj = \"/join\"\n"),
        ] {
            assert_eq!(with(before, Key::Bell, &on).unwrap(), after);
        }
        assert!(with("name =", Key::Bell, &on).is_err());
    }
}
