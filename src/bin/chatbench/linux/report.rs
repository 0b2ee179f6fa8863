//! Rows: each is a load, run on all servers in turn. They are shown as a Markdown table.

use super::{
    figures::{Figures, Spread},
    load::{Load, Settings},
    server::Target,
};
use anyhow::Result;
use std::{fs, iter};

/// The figures that a comparison rests on: the table ends with the median of each over its rows.
const MAIN: [&str; 5] =
    ["cpu_us_per_delivery", "p50_ms", "p99_ms", "clients_per_s", "memory_kib_per_client"];

/// One load, and what was measured with it.
pub struct Row {
    title: String,
    load: Box<dyn Load>,
    /// The figures to show; none: all.
    keys: Vec<&'static str>,
    /// One for each server, in their order.
    series: Vec<Series>,
}

/// All runs of one server under one load.
#[derive(Default)]
struct Series {
    runs: Vec<Figures>,
    /// Why a run failed. Then there is no result, whatever the other runs measured.
    failure: Option<String>,
}

impl Series {
    fn spread(&self, key: &str) -> Option<Spread> {
        let runs = if self.failure.is_none() { &self.runs[..] } else { &[] };
        Spread::of(runs.iter().map(|run| run.get(key)))
    }

    /// This series' figures divided by those of `other`, run by run.
    fn ratio(&self, other: &Series, key: &str) -> Option<Spread> {
        self.spread(key).and(other.spread(key))?;
        let pairs = self.runs.iter().zip(&other.runs);
        Spread::of(pairs.map(|(one, other)| one.get(key) / other.get(key)))
    }
}

impl Row {
    pub fn new(title: &str, load: Box<dyn Load>, keys: &[&'static str]) -> Row {
        Row { title: title.into(), load, keys: keys.to_vec(), series: Vec::new() }
    }

    /// Runs the load on all servers in turn, A B A B and so on, so that whatever else the machine
    /// does meets all of them. After a failure a server is not run again.
    pub fn measure(&mut self, servers: &[Target], settings: &Settings) {
        self.series.resize_with(servers.len(), Series::default);
        for run in 1..=settings.runs {
            for (server, series) in servers.iter().zip(&mut self.series) {
                if self.load.clients() > server.clients_max || series.failure.is_some() {
                    continue;
                }
                eprintln!("{}: run {run} of {}: {}", self.title, settings.runs, server.name);
                match self.load.run(server, settings) {
                    Ok(figures) => series.runs.push(figures),
                    Err(why) => series.failure = Some(format!("{}: {why:#}", server.name)),
                }
            }
        }
        if self.keys.is_empty() {
            let run = self.series.iter().find_map(|series| series.runs.first());
            self.keys = run.iter().flat_map(|run| &run.0).map(|(key, _)| *key).collect();
        }
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    pub fn clients(&self) -> usize {
        self.load.clients()
    }

    /// The median of a server's figure.
    pub fn median(&self, server: usize, key: &str) -> Option<f64> {
        Some(self.series.get(server)?.spread(key)?.median)
    }

    /// Each failure, in a sentence.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failures = self.series.iter().filter_map(|series| series.failure.as_ref());
        failures.map(|why| format!("{}: {why}", self.title))
    }
}

/// A table with a line for each figure of each row: a column for each server, and the first
/// server's ratio to each of the others. It ends with the medians of the ratios.
pub fn markdown(rows: &[Row], servers: &[Target], settings: &Settings) -> Result<String> {
    let names = servers.iter().map(|server| server.name.clone());
    let ratios = names.clone().skip(1).map(|other| format!("{} ÷ {other}", servers[0].name));
    let head: Vec<String> =
        ["load".into(), "figure".into()].into_iter().chain(names).chain(ratios).collect();
    let rule = vec!["---".into(); head.len()];
    let mut lines = vec![head, rule];
    for Row { title, keys, series, .. } in rows {
        for key in keys {
            let values = series.iter().map(|series| series.spread(key));
            let ratios = series[1..].iter().map(|other| series[0].ratio(other, key));
            lines.push(line(title, key, values.chain(ratios)));
        }
    }
    if rows.len() > 1 {
        lines.extend(medians(rows, servers.len()));
    }
    let mut out = format!("{}\n\n{}", circumstances(servers, settings)?, aligned(&lines));
    for failure in rows.iter().flat_map(Row::failures) {
        out += &format!("\n**FAILED** {failure}\n");
    }
    Ok(out)
}

fn line(title: &str, key: &str, spreads: impl Iterator<Item = Option<Spread>>) -> Vec<String> {
    let cells = spreads.map(|spread| spread.map_or("–".into(), Spread::show));
    [title.into(), key.into()].into_iter().chain(cells).collect()
}

/// For each main figure the median of its ratios over all rows; last, the median of all of these
/// ratios as costs: more clients a second are less cost.
fn medians(rows: &[Row], servers: usize) -> Vec<Vec<String>> {
    let over_rows = |keys: &[&'static str], other: usize| {
        let mut medians = Vec::new();
        for row in rows {
            for key in row.keys.iter().filter(|key| keys.contains(key)) {
                if let Some(ratio) = row.series[0].ratio(&row.series[other], key) {
                    let is_speed = keys.len() > 1 && key.ends_with("_per_s");
                    medians.push(if is_speed { 1.0 / ratio.median } else { ratio.median });
                }
            }
        }
        Spread::of(medians.into_iter())
    };
    let median = |figure: &str, keys: &[&'static str]| {
        let ratios = (1..servers).map(|other| over_rows(keys, other));
        line("median of the rows", figure, iter::repeat_n(None, servers).chain(ratios))
    };
    let shown = MAIN.iter().filter(|key| rows.iter().any(|row| row.keys.contains(key)));
    let each = shown.map(|key| median(key, &[key]));
    each.chain([median("all of these, as costs", &MAIN)]).collect()
}

/// How many cores other programs may take. What looks after a quiet machine takes a tenth of that.
const OTHERS_MAX: f64 = 0.2;

/// When, and on what it was measured.
pub fn machine() -> Result<String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("", |(_, name)| name);
    // Not what this thread may use: it may be bound to one core.
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let (day, kernel) = (jiff::Zoned::now().date(), kernel.trim());
    Ok(format!("{day}, Linux {kernel}, {cores} cores ({model})"))
}

/// And how.
fn circumstances(servers: &[Target], settings: &Settings) -> Result<String> {
    let Settings { runs, time, .. } = settings;
    let (machine, time) = (machine()?, time.as_secs_f64());
    let how = format!("Median of {runs} runs of {time} s, (least..most), servers in turn");
    if servers.iter().any(Target::runs_already) {
        return Ok(format!("{machine}. {how}.")); // it counts as another program
    }
    let others = settings.start.of_others_since()?;
    let warning = disturbed(others);
    Ok(format!("{machine}. {how}. Other programs took {others:.2} cores.{warning}"))
}

/// What a table says first if other programs ran.
fn disturbed(others: f64) -> String {
    if others <= OTHERS_MAX {
        return String::new();
    }
    format!(
        "\n\n**DISTURBED** Other programs ran, and took {others:.2} cores. Do not compare these figures, not \
         even with one another. Close what you can, and measure again."
    )
}

/// A Markdown table whose columns are as wide as their widest cell.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let cell = |(cell, width): (&String, &usize)| format!(" {cell:width$} |");
    let line = |row: &Vec<String>| row.iter().zip(&widths).map(cell).collect::<String>();
    rows.iter().map(|row| format!("|{}\n", line(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_from_a_busy_machine_says_so() {
        assert_eq!(disturbed(0.02), "");
        assert!(disturbed(1.3).contains("**DISTURBED** Other programs ran, and took 1.30 cores"));
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs() {
        let series = |values: &[f64]| Series {
            runs: values.iter().map(|value| Figures(vec![("cpu_us", *value)])).collect(),
            failure: None,
        };
        let failed = Series { failure: Some("a line lost".into()), ..series(&[1.0]) };
        let one = series(&[2.0, 4.0, 3.0]);
        for (other, ratio) in [
            (series(&[2.0, 2.0, 1.0]), Some("2.00 (1.00..3.00)")),
            (series(&[0.0, 0.0, 0.0]), None),
            (series(&[]), None),
            (failed, None),
        ] {
            assert_eq!(one.ratio(&other, "cpu_us").map(Spread::show).as_deref(), ratio);
        }
    }
}
