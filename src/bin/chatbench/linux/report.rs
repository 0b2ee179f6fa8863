//! Runs, their figures, and how they are shown: a Markdown table for people, JSON for programs.

use super::{
    load::{Load, Settings},
    server::Target,
};
use anyhow::Result;
use serde_json::{Value, json};
use std::fs;

/// What one run has measured. The unit is the end of the key: `p99_ms`.
#[derive(Clone, Debug)]
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    pub fn add(&mut self, key: &'static str, value: f64) {
        self.0.push((key, value));
    }

    /// NaN, which no table shows, if it was not measured.
    pub fn get(&self, key: &str) -> f64 {
        self.0.iter().find(|(name, _)| *name == key).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// One load, to be put on every server.
pub struct Row {
    pub title: String,
    pub load: Box<dyn Load>,
    /// The figures to show; none: all.
    pub keys: Vec<&'static str>,
}

/// All runs of one server under one load.
struct Series {
    server: String,
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

/// A row, measured.
pub struct Measured {
    title: String,
    /// The figures to show.
    keys: Vec<&'static str>,
    series: Vec<Series>,
}

impl Row {
    /// Runs the load on all servers in turn, A B A B and so on, so that whatever else the machine
    /// does meets all of them. After a failure a server is not run again.
    pub fn measure(&self, servers: &[Target], settings: &Settings) -> Measured {
        let new = |server: &Target| Series {
            server: server.name.clone(),
            runs: Vec::new(),
            failure: None,
        };
        let mut series: Vec<Series> = servers.iter().map(new).collect();
        for run in 1..=settings.runs {
            for (server, series) in servers.iter().zip(&mut series) {
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
        let keys = match series.iter().find_map(|series| series.runs.first()) {
            Some(run) if self.keys.is_empty() => run.0.iter().map(|(key, _)| *key).collect(),
            Some(_) | None => self.keys.clone(),
        };
        Measured { title: self.title.clone(), keys, series }
    }
}

impl Measured {
    /// Each failure, in a sentence.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failures = self.series.iter().filter_map(|series| series.failure.as_ref());
        failures.map(|why| format!("{}: {why}", self.title))
    }

    /// Every figure of every run.
    pub fn json(&self) -> Value {
        let object = |run: &Figures| run.0.iter().map(|(k, v)| (k.to_string(), json!(v))).collect();
        let series = self.series.iter().map(|series| {
            let runs: Vec<Value> = series.runs.iter().map(object).collect();
            json!({"server": series.server, "failure": series.failure, "runs": runs})
        });
        json!({"load": self.title, "series": series.collect::<Vec<Value>>()})
    }
}

/// A table with a line for each figure of each row: a column for each server, and the first server's
/// ratio to each of the others. Below it, the median of each column of ratios.
pub fn markdown(rows: &[Measured], servers: &[Target], settings: &Settings) -> Result<String> {
    let cell = |spread: Option<Spread>| spread.map_or("–".into(), Spread::show);
    let names = servers.iter().map(|server| server.name.clone());
    let ratios = names.clone().skip(1).map(|other| format!("{} ÷ {other}", servers[0].name));
    let head: Vec<_> = ["load".into(), "figure".into()].into_iter().chain(names).collect();
    let head: Vec<String> = head.into_iter().chain(ratios.clone()).collect();
    let mut lines = vec![head.clone(), vec!["---".into(); head.len()]];
    let mut costs = vec![Vec::new(); servers.len() - 1];
    for Measured { title, keys, series } in rows {
        for key in keys {
            let mut line = vec![title.clone(), key.to_string()];
            line.extend(series.iter().map(|series| cell(series.spread(key))));
            for (other, costs) in series[1..].iter().zip(&mut costs) {
                let ratio = series[0].ratio(other, key);
                line.push(cell(ratio));
                // More a second is less cost.
                let is_speed = key.ends_with("_per_s");
                costs.extend(ratio.map(|r| if is_speed { 1.0 / r.median } else { r.median }));
            }
            lines.push(line);
        }
    }
    let mut out = format!("{}\n\n{}", circumstances(settings)?, aligned(&lines));
    for (ratio, costs) in ratios.zip(costs) {
        let (count, spread) = (costs.len(), cell(Spread::of(costs.into_iter())));
        out += &format!("\n{ratio}, as a cost, median of {count} figures: {spread}\n");
    }
    for failure in rows.iter().flat_map(Measured::failures) {
        out += &format!("\n**FAILED** {failure}\n");
    }
    Ok(out)
}

/// When, on what and how it was measured.
fn circumstances(settings: &Settings) -> Result<String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("", |(_, name)| name);
    // Not what this thread may use: it may be bound to one core.
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let Settings { runs, time, .. } = settings;
    let (day, kernel, time) = (jiff::Zoned::now().date(), kernel.trim(), time.as_secs_f64());
    let machine = format!("{day}, Linux {kernel}, {cores} cores ({model})");
    Ok(format!("{machine}. Median of {runs} runs of {time} s, (least..most), servers in turn."))
}

/// A Markdown table whose columns are as wide as their widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let cell = |(cell, width): (&String, &usize)| format!(" {cell:width$} |");
    let line = |row: &Vec<String>| row.iter().zip(&widths).map(cell).collect::<String>();
    rows.iter().map(|row| format!("|{}\n", line(row))).collect()
}

/// The median of several values, and the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Leaves out what is not finite: a ratio to nothing, a figure that was not measured.
    fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: (low + high) / 2.0, least, most })
    }

    /// `0.0312 (0.0308..0.0320)`; one value alone has no spread.
    fn show(self) -> String {
        let [median, least, most] = [self.median, self.least, self.most].map(three_digits);
        if least == most { median } else { format!("{median} ({least}..{most})") }
    }
}

fn three_digits(value: f64) -> String {
    let places = if value == 0.0 { 0.0 } else { 2.0 - value.abs().log10().floor() };
    format!("{value:.*}", places.clamp(0.0, 6.0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let runs = values.iter().map(|value| Figures(vec![("cpu_us", *value)])).collect();
        Series { server: "chatd".into(), runs, failure: None }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs() {
        let (one, other) = (series(&[2.0, 4.0, 3.0]), series(&[2.0, 2.0, 1.0]));
        assert_eq!(one.spread("cpu_us").unwrap().show(), "3.00 (2.00..4.00)");
        assert_eq!(one.ratio(&other, "cpu_us").unwrap().show(), "2.00 (1.00..3.00)");
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0].into_iter()).unwrap().median, 3.0);
        assert_eq!(one.ratio(&series(&[]), "cpu_us"), None);
        assert_eq!(one.ratio(&series(&[0.0, 0.0, 0.0]), "cpu_us"), None);
        let failed = Series { failure: Some("a line lost".into()), ..series(&[1.0]) };
        assert_eq!(one.ratio(&failed, "cpu_us"), None);
    }

    #[test]
    fn three_digits_count() {
        let shown = [31_250.4, 1234.0, 12.34, 1.234, 0.7034, 0.0305, 0.0].map(three_digits);
        assert_eq!(shown, ["31250", "1234", "12.3", "1.23", "0.703", "0.0305", "0"]);
    }
}
