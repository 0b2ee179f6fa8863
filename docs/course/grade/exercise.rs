//! An exercise: its page (the task, the hints, the checks), its program, and its solution.

use anyhow::{Context as _, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const BEGIN: &str = "// --- yours ---\n";
const END: &str = "// --- end ---\n";

pub struct Exercise {
    pub number: u32,
    /// As its files are called: `05-pool`.
    pub name: String,
    pub title: String,
    pub hints: Vec<String>,
    pub checks: Vec<Check>,
    /// The program as it is now.
    pub source: String,
}

/// Something that has to hold.
pub struct Check {
    pub points: u32,
    pub what: String,
    /// What is done in which terminal: see [`super::player`].
    pub lines: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All of them, in order.
pub fn exercises() -> anyhow::Result<Vec<Exercise>> {
    let folder = root().join("docs/course/exercises");
    let mut exercises = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let page = entry?.path();
        let name = page.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(Ok(number)) = name.split('-').next().map(str::parse) else { continue };
        if page.extension().is_some_and(|end| end == "md") {
            exercises.push(Exercise::read(number, name, &page)?);
        }
    }
    exercises.sort_by_key(|exercise| exercise.number);
    Ok(exercises)
}

impl Exercise {
    fn read(number: u32, name: String, page: &Path) -> anyhow::Result<Exercise> {
        let text = fs::read_to_string(page)?;
        let source = fs::read_to_string(page.with_extension("rs"))?;
        let title = text.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        let (_, hints) = text.split_once("\n## Hints\n").context("no hints")?;
        let hints = hints.lines().take_while(|line| !line.starts_with('#'));
        let hints = hints.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let mut checks = Vec::new();
        for block in text.split("\n```check ").skip(1) {
            let block = block.split("\n```").next().unwrap_or_default();
            let (head, lines) = block.split_once('\n').context("a check without a line")?;
            let (points, what) = head.split_once(' ').context("a check without a name")?;
            let lines = lines.lines().map(str::to_owned).collect();
            checks.push(Check { points: points.parse()?, what: what.to_owned(), lines });
        }
        Ok(Exercise { number, name, title, hints, checks, source })
    }

    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }

    /// The program with the instructor's lines between the marks.
    pub fn solved(&self) -> anyhow::Result<String> {
        let file = root().join("tests/course/solutions").join(format!("{}.txt", self.name));
        let solution = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let (before, rest) = self.source.split_once(BEGIN).context("the first mark is gone")?;
        let (_, after) = rest.split_once(END).context("the second mark is gone")?;
        Ok([before, BEGIN, &solution, END, after].concat())
    }

    /// Where this process builds.
    pub fn folder() -> PathBuf {
        root().join("target/exercises").join(std::process::id().to_string())
    }

    /// Builds a source of it: the program, or the compiler's errors. It needs nothing but the standard library.
    pub fn builds(&self, source: &str) -> anyhow::Result<Result<PathBuf, String>> {
        let folder = Exercise::folder();
        fs::create_dir_all(&folder)?;
        let (file, program) = (folder.join(format!("{}.rs", self.name)), folder.join(&self.name));
        fs::write(&file, source)?;
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-name", "exercise", "-A", "unused", "-o"]);
        let Ok(built) = rustc.arg(&program).arg(&file).output() else {
            bail!("rustc, the compiler, is not there");
        };
        Ok(if built.status.success() {
            Ok(program)
        } else {
            Err(String::from_utf8_lossy(&built.stderr).into_owned())
        })
    }
}
