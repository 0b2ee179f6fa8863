//! Is it flat? The first tenth of a run beside the last one, and plots of all of it.

use crate::linux::{
    class,
    figures::{Figures, Spread},
    plot::{Axis, Plot},
    report,
};
use anyhow::{Result, ensure};
use std::path::Path;

/// What was seen, and when, in seconds after the warm-up.
pub type Sample = (f64, Figures);

/// A figure that must stay what it was. It grows if its last value is above the first one, times
/// `ratio`, and more than `slack` above it.
struct Bound {
    key: &'static str,
    ratio: f64,
    slack: f64,
}

const fn bound(key: &'static str, ratio: f64, slack: f64) -> Bound {
    Bound { key, ratio, slack }
}

/// The slack is what scenes that begin and end make of it, and allocators, in a run that is sound.
const BOUNDS: [Bound; 7] = [
    bound("resident_kib", 1.1, 2048.0),
    bound("threads", 1.1, 4.0),
    bound("descriptors", 1.1, 8.0),
    bound("places", 1.1, 4.0),
    bound("p50_ms", 1.5, 1.0),
    bound("p99_ms", 2.0, 10.0),
    bound("server_busy", 1.3, 0.03),
];
/// The file, half by half: what is said makes it grow, and nothing else may.
const FILE: Bound = bound("file_bytes_per_line", 1.3, 0.0);
/// What the log of the database has at most before it is brought into the file: the file may be late
/// by that.
const LOG_KIB: f64 = 4096.0;
/// What the crowd alone holds, before the scenes and behind them. Some descriptors are the
/// database's, which opens the file anew for the first search.
const LEFT: [Bound; 3] =
    [bound("threads", 1.0, 0.0), bound("descriptors", 1.0, 8.0), bound("places", 1.0, 0.0)];
/// Fewer samples than these say nothing of a trend: then only what is left behind is judged.
const ENOUGH: usize = 100;
/// What says of the machine how busy it was.
const MACHINE: [&str; 2] = ["late_p99_ms", "load"];

/// A row of the table.
struct Row {
    title: String,
    first: f64,
    last: f64,
    /// Nothing for what is no promise, or cannot be told.
    grows: Option<bool>,
}

impl Bound {
    fn is_exceeded(&self, first: f64, last: f64, slack: f64) -> bool {
        last > first * self.ratio && last > first + self.slack + slack
    }

    fn row(&self, title: String, first: f64, last: f64, slack: f64) -> Row {
        let grows = Some(self.is_exceeded(first, last, slack));
        Row { title, first, last, grows }
    }
}

/// Whether no more is held than before.
pub fn is_left(before: &Figures, now: &Figures) -> bool {
    LEFT.iter().all(|bound| !bound.is_exceeded(before.get(bound.key), now.get(bound.key), 0.0))
}

/// The table in Markdown, and whether all is flat.
pub fn table(samples: &[Sample], left: [&Figures; 2]) -> Result<(String, bool)> {
    ensure!(samples.len() >= 4, "there are {} samples only", samples.len());
    let tenth = samples.len().div_ceil(10);
    let (first, last) = (&samples[..tenth], &samples[samples.len() - tenth..]);
    // A generator that comes late itself knows times no better than that.
    let late = median(last, "late_p99_ms");
    let mut rows: Vec<Row> = Vec::new();
    for bound in &BOUNDS {
        let slack = if bound.key.ends_with("_ms") { 4.0 * late } else { 0.0 };
        let [first, last] = [first, last].map(|tenth| median(tenth, bound.key));
        rows.push(bound.row(bound.key.to_owned(), first, last, slack));
    }
    let (first_half, last_half) = samples.split_at(samples.len() / 2);
    let ([first_lines, before], [lines, after]) = (growth(first_half), growth(last_half));
    let [before, after] = [(before, first_lines), (after, lines)].map(|(kib, n)| kib * 1024.0 / n);
    let title = format!("{}, half by half", FILE.key);
    rows.push(FILE.row(title, before, after, LOG_KIB * 1024.0 / lines));
    rows.iter_mut().filter(|_| samples.len() < ENOUGH).for_each(|row| row.grows = None);
    for bound in &LEFT {
        let [before, after] = left.map(|figures| figures.get(bound.key));
        rows.push(bound.row(format!("{} of the crowd alone", bound.key), before, after, 0.0));
    }
    for key in MACHINE {
        let [first, last] = [first, last].map(|tenth| median(tenth, key));
        rows.push(Row { title: key.to_owned(), first, last, grows: None });
    }
    let is_flat = rows.iter().all(|row| row.grows != Some(true));
    let head = ["figure", "first tenth", "last tenth", "ratio", ""].map(str::to_owned).to_vec();
    let rule = vec!["---".to_owned(); head.len()];
    let lines: Vec<Vec<String>> =
        [head, rule].into_iter().chain(rows.iter().map(Row::cells)).collect();
    Ok((report::aligned(&lines), is_flat))
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let shown = |value: f64| Spread::of([value].into_iter()).map_or("–".into(), Spread::show);
        let result = match self.grows {
            Some(true) => "**grows**",
            Some(false) => "flat",
            None => "",
        };
        let values = [self.first, self.last, self.last / self.first].map(shown);
        [self.title.clone()].into_iter().chain(values).chain([result.to_owned()]).collect()
    }
}

fn median(samples: &[Sample], key: &str) -> f64 {
    let values = samples.iter().map(|(_, figures)| figures.get(key));
    Spread::of(values).map_or(f64::NAN, |spread| spread.median)
}

/// By how much lines and file have grown.
fn growth(samples: &[Sample]) -> [f64; 2] {
    ["lines", "file_kib"].map(|key| match samples {
        [(_, first), .., (_, last)] => last.get(key) - first.get(key),
        _ => f64::NAN,
    })
}

/// Files, their titles, their y axes, and which figures they show, divided by what.
type Picture =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str, f64)]);

const PICTURES: [Picture; 5] = [
    ("soak-memory", "Resident memory", "MiB", &[("resident memory", "resident_kib", 1024.0)]),
    (
        "soak-held",
        "What the server holds",
        "how many",
        &[
            ("threads", "threads", 1.0),
            ("descriptors", "descriptors", 1.0),
            ("places", "places", 1.0),
        ],
    ),
    (
        "soak-latency",
        "How long a line takes to those who behave",
        "ms",
        &[
            ("99 of 100", "p99_ms", 1.0),
            ("half of them", "p50_ms", 1.0),
            ("the generator is late", "late_p99_ms", 1.0),
        ],
    ),
    ("soak-file", "The database", "MiB", &[("file", "file_kib", 1024.0)]),
    ("soak-busy", "The server's processor time", "% of a core", &[("server", "server_busy", 0.01)]),
];

/// How many points of a line are drawn; each is the median of its samples.
const POINTS: usize = 240;

pub fn draw(samples: &[Sample], folder: &Path) -> Result<()> {
    let end = samples.last().map_or(0.0, |(at, _)| at / 60.0);
    for (file, title, label, lines) in PICTURES {
        let series: Vec<(String, Vec<(f64, f64)>)> = lines
            .iter()
            .map(|&(name, key, unit)| (name.to_owned(), points(samples, key, unit)))
            .collect();
        let values = || series.iter().flat_map(|(_, points)| points.iter().map(|point| point.1));
        let most = values().fold(0.0, f64::max);
        let is_logarithmic = label == "ms";
        let least = if is_logarithmic { values().fold(most, f64::min).max(0.001) } else { 0.0 };
        let plot = Plot {
            title,
            x: Axis { label: "minutes", is_logarithmic: false, range: (0.0, end) },
            y: Axis { label, is_logarithmic, range: (least, most * 1.1) },
            series,
            mark: None,
        };
        class::write(folder, &format!("{file}.svg"), &plot)?;
    }
    Ok(())
}

fn points(samples: &[Sample], key: &str, unit: f64) -> Vec<(f64, f64)> {
    let few = samples.chunks(samples.len().div_ceil(POINTS).max(1));
    let points = few.map(|few| (few[0].0 / 60.0, median(few, key) / unit));
    points.filter(|point| point.1.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run in which everything is 20 and 100 lines are said a second, and then what is changed.
    fn table_of(change: impl Fn(f64, &str, f64) -> f64) -> (String, bool) {
        let keys = BOUNDS.iter().map(|bound| bound.key).chain(MACHINE).chain(["file_kib", "lines"]);
        let keys: Vec<&'static str> = keys.collect();
        let sample = |second: usize| {
            let second = second as f64;
            let value = |key| match key {
                "lines" => 100.0 * second,
                "file_kib" => 20.0 * second,
                "late_p99_ms" => 0.1,
                _ => 20.0,
            };
            let values = keys.iter().map(|key| (*key, change(second, key, value(*key))));
            (second, Figures(values.collect()))
        };
        let samples: Vec<Sample> = (0..6000).map(sample).collect();
        let left = |second| Figures(sample(second).1.0);
        table(&samples, [&left(0), &left(5998)]).unwrap()
    }

    #[test]
    fn what_grows_is_told_and_what_jumps_about_is_flat() {
        let (table, is_flat) = table_of(|second, _, value| value * (1.0 + 0.05 * (second % 2.0)));
        assert!(is_flat, "{table}");
        for key in ["threads", "descriptors", "places", "p50_ms", "p99_ms", "server_busy"] {
            let (table, is_flat) = table_of(
                |second, it, value| if it == key { value + second / 100.0 } else { value },
            );
            let row = table.lines().find(|line| line.starts_with(&format!("| {key} "))).unwrap();
            assert!(!is_flat && row.contains("**grows**"), "{table}");
        }
        // A file that grows by itself, besides what is said.
        let (table, is_flat) = table_of(|second, key, value| match key {
            "file_kib" => value + second * second / 100.0,
            _ => value,
        });
        assert!(!is_flat && table.contains("half by half"), "{table}");
    }
}
