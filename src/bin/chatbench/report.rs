//! Figures of runs, their medians and spread, as a table for people and as JSON for programs.

use std::fmt::Write;

/// What one run has measured, in the order it is shown. The unit is the end of the key: `p99_ms`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    pub fn add(&mut self, key: &'static str, value: f64) {
        self.0.push((key, value));
    }

    /// Adds a figure of another measurement, under a name of its own.
    pub fn take(&mut self, key: &'static str, from: &Figures, its_key: &str) {
        self.0.extend(from.get(its_key).map(|value| (key, value)));
    }

    pub fn get(&self, key: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// The middle one of several values, and between which they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: (low + high) / 2.0, min, max })
    }

    /// `0.0312 (0.0308..0.0320)`; one value alone has no spread.
    pub fn show(&self) -> String {
        let Spread { median, min, max } = *self;
        if min == max {
            short(median)
        } else {
            format!("{} ({}..{})", short(median), short(min), short(max))
        }
    }
}

/// One server under one load, and all its runs.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    pub runs: Vec<Figures>,
    /// Why runs failed. Such an outcome is no result, whatever the other runs measured.
    pub failures: Vec<String>,
    /// Runs that were made again because others had used the machine meanwhile; they are not among `runs`.
    pub disturbed: usize,
}

impl Outcome {
    pub fn spread(&self, key: &str) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(|run| run.get(key)))
    }

    fn keys(&self) -> Vec<&'static str> {
        self.runs.first().map_or(Vec::new(), |run| run.0.iter().map(|(key, _)| *key).collect())
    }
}

/// The ratio of two outcomes in one figure: that of the medians, and the spread of the ratios run by run.
pub fn ratio(one: &Outcome, other: &Outcome, key: &str) -> Option<Spread> {
    let pairs = one.runs.iter().zip(&other.runs);
    let ratios = pairs.filter_map(|(a, b)| Some(a.get(key)? / b.get(key)?));
    let each = Spread::of(ratios.filter(|ratio| ratio.is_finite()))?;
    let median = one.spread(key)?.median / other.spread(key)?.median;
    Some(Spread { median, ..each }).filter(|ratio| ratio.median.is_finite())
}

/// The outcomes beside each other, one line for each figure; of two, their ratio too.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let _ = write!(out, "{:28}", "");
    for outcome in outcomes {
        let _ = write!(out, "{:36}", outcome.name);
    }
    out.push_str(if outcomes.len() == 2 { "ratio\n" } else { "\n" });
    for key in outcomes.iter().map(Outcome::keys).find(|keys| !keys.is_empty()).unwrap_or_default()
    {
        let _ = write!(out, "{key:28}");
        for outcome in outcomes {
            let _ = write!(
                out,
                "{:36}",
                outcome.spread(key).map_or("-".into(), |spread| spread.show())
            );
        }
        if let [one, other] = outcomes {
            out.push_str(&ratio(one, other, key).map_or(String::new(), |ratio| ratio.show()));
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    for outcome in outcomes {
        for why in &outcome.failures {
            let _ = writeln!(out, "FAILED {}: {why}", outcome.name);
        }
        if outcome.disturbed > 0 {
            let _ = writeln!(
                out,
                "{}: {} runs were disturbed by others and made again",
                outcome.name, outcome.disturbed
            );
        }
    }
    out
}

/// The outcomes as a JSON array: name, failures, and each run as an object of its figures.
pub fn json(outcomes: &[Outcome]) -> String {
    let outcomes = outcomes.iter().map(|outcome| {
        let failures = outcome.failures.iter().map(|why| quoted(why));
        let runs =
            outcome.runs.iter().map(|run| object(run.0.iter().map(|(key, value)| (*key, *value))));
        let (name, disturbed) = (quoted(&outcome.name), outcome.disturbed);
        let (failures, runs) = (array(failures), array(runs));
        format!(
            "{{\"name\":{name},\"disturbed\":{disturbed},\"failures\":{failures},\"runs\":{runs}}}"
        )
    });
    array(outcomes)
}

/// A JSON array of values that are JSON already.
pub fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// A JSON object of numbers. JSON knows no infinity: what is not finite is null.
pub fn object<'a>(figures: impl Iterator<Item = (&'a str, f64)>) -> String {
    let fields = figures.map(|(key, value)| {
        let value = if value.is_finite() { value.to_string() } else { "null".into() };
        format!("{}:{value}", quoted(key))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A number with three digits that count: `22.8M`, `0.0305`.
pub fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let before_point = if value.abs() < 1.0 { 1 } else { value.abs().log10() as i32 + 1 };
    let places = match value.abs() {
        0.0 => 0,
        size if size < 0.1 => 4,
        _ => (3 - before_point).max(0) + i32::from(value.abs() < 1.0),
    };
    format!("{value:.*}{unit}", places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, values: &[f64]) -> Outcome {
        let runs = values.iter().map(|value| Figures(vec![("cpu_us", *value)])).collect();
        Outcome { name: name.into(), runs, failures: Vec::new(), disturbed: 0 }
    }

    #[test]
    fn the_median_is_the_middle_one_or_between_two() {
        let spread = Spread::of([5.0, 1.0, 3.0].into_iter()).unwrap();
        assert_eq!(spread, Spread { median: 3.0, min: 1.0, max: 5.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0].into_iter()).unwrap().median, 3.0);
        assert_eq!(Spread::of([].into_iter()), None);
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_with_the_spread_of_the_pairs() {
        let (one, other) = (outcome("chatd", &[2.0, 4.0, 3.0]), outcome("floor", &[2.0, 2.0, 1.0]));
        assert_eq!(ratio(&one, &other, "cpu_us"), Some(Spread { median: 1.5, min: 1.0, max: 3.0 }));
        assert_eq!(ratio(&one, &outcome("dead", &[]), "cpu_us"), None);
        assert_eq!(ratio(&one, &outcome("idle", &[0.0, 0.0, 0.0]), "cpu_us"), None);
    }

    #[test]
    fn numbers_are_short() {
        let shown = [22.84e6, 31_250.0, 1234.0, 12.34, 1.234, 0.7034, 0.0305, 0.0].map(short);
        assert_eq!(shown, ["22.8M", "31.2k", "1234", "12.3", "1.23", "0.703", "0.0305", "0"]);
    }

    #[test]
    fn a_failed_run_is_shown_in_both_forms() {
        let failed = Outcome {
            name: "bad".into(),
            runs: Vec::new(),
            failures: vec!["a \"line\" lost\n".into()],
            disturbed: 0,
        };
        assert!(table(std::slice::from_ref(&failed)).contains("FAILED bad: a \"line\" lost"));
        let expected = "[{\"name\":\"bad\",\"disturbed\":0,\"failures\":[\"a \\\"line\\\" lost\\u000a\"],\"runs\":[]}]";
        assert_eq!(json(&[failed]), expected);
    }
}
