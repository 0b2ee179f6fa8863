//! The names in a file: one a line, or a table with a column called "name". Reads no file itself.

use anyhow::{Context as _, anyhow, bail, ensure};
use chatd::core::{name::NameRule, wire::sanitize::sanitize};
use std::collections::HashMap;

/// The most names in one file: a school's year. Each costs some 20 ms for its password.
const NAMES_MAX: usize = 1_000;

/// The names, in their order. `file`: what it is called, for what is wrong with it.
///
/// # Errors
/// What is wrong first, with its line.
pub(super) fn names(bytes: &[u8], file: &str) -> anyhow::Result<Vec<String>> {
    let text = str::from_utf8(bytes).ok().with_context(|| {
        format!("{file} is not text in UTF-8. Save it as such, and nothing is changed until then.")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // some programs begin a file with it
    let rows = match separator(text) {
        Some(separator) => of_table(text, separator, file)?,
        None => text.lines().zip(1..).map(|(line, at)| (at, line.trim().to_owned())).collect(),
    };
    let (mut names, mut lines) = (Vec::new(), HashMap::new());
    for (line, name) in rows.into_iter().filter(|(_, name)| !name.is_empty()) {
        let in_line =
            |why: String| anyhow!("{file}, line {line}: {} Nothing is changed.", sanitize(&why));
        let checked = NameRule::Ascii
            .check(&name, "name")
            .or_else(|why| NameRule::Unicode.check(&name, "name").map_err(|_| in_line(why)))?;
        if let Some(first) = lines.insert(checked.shown().to_lowercase(), line) {
            return Err(in_line(format!("{name} is in line {first} already.")));
        }
        names.push(checked.shown().to_owned());
        if names.len() > NAMES_MAX {
            bail!(
                "{file} has more than {NAMES_MAX} names. Divide it, and nothing is changed until then."
            );
        }
    }
    ensure!(!names.is_empty(), "{file} has no names, and nothing is changed.");
    Ok(names)
}

/// What divides the columns, if the first line is the head of a table.
fn separator(text: &str) -> Option<u8> {
    let head = text.lines().find(|line| !line.trim().is_empty())?;
    let found = [';', ',', '\t'].into_iter().find(|&separator| head.contains(separator));
    let is_one_column = || is_name(head);
    found.or_else(|| is_one_column().then_some(',')).map(|separator| separator as u8)
}

fn is_name(column: &str) -> bool {
    column.trim().trim_matches('"').eq_ignore_ascii_case("name")
}

fn of_table(text: &str, separator: u8, file: &str) -> anyhow::Result<Vec<(u64, String)>> {
    let mut table =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let head = table.headers()?;
    let column = head.iter().position(is_name).with_context(|| {
        let columns: Vec<&str> = head.iter().map(str::trim).collect();
        format!(
            "{file}, line 1: no column is called \"name\", only {}. Nothing is changed.",
            sanitize(&columns.join(", "))
        )
    })?;
    let mut rows = Vec::new();
    for row in table.records() {
        let row = row.with_context(|| format!("{file} cannot be read, and nothing is changed"))?;
        let line = row.position().map_or(0, csv::Position::line);
        rows.push((line, row.get(column).unwrap_or_default().trim().to_owned()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Vec<String>, String> {
        names(text.as_bytes(), "class.csv").map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_and_a_table_are_read() {
        let both = Ok(vec!["anna".to_owned(), "ben".to_owned()]);
        for text in [
            "anna\nben\n",
            "\u{feff}anna\r\n\r\n  ben  ",
            "name\nanna\nben\n",
            "Name;Klasse\nanna;7a\nben;7b\n",
            "class,\"NAME\"\n\"7a, 7b\",anna\n\"7\n8\",\"ben\"\n,\n",
            "id\tname\n1\tanna\n2\tben\textra\n3\n",
        ] {
            assert_eq!(found(text), both, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("anna\n\nben becker\n", "class.csv, line 3: A name has only "),
            ("name;class\nanna;7\n\"x\ny\";7\n", "class.csv, line 3: A name has only "),
            ("anna\nben\nANNA\n", "class.csv, line 3: ANNA is in line 1 already. "),
            (
                "vorname,nachname\nanna,b\n",
                "line 1: no column is called \"name\", only vorname, nachname.",
            ),
            ("", "class.csv has no names"),
            ("name\n\n", "class.csv has no names"),
            (&"x".repeat(21), "class.csv, line 1: A name has at most 20 characters"),
        ] {
            let error = found(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
            assert!(error.contains("othing is changed") && !error.contains('\n'), "{error}");
        }
        assert!(names(b"\xff\xfea\0", "class.csv").unwrap_err().to_string().contains("UTF-8"));
        let many: String = (0..1_001).map(|i| format!("n{i}\n")).collect();
        assert!(found(&many).unwrap_err().contains("more than 1000 names"));
    }
}
