//! Figures: what one run has measured, and the median of several runs.

/// What one run has measured. The unit is the end of the key: `p99_ms`.
#[derive(Debug)]
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    /// NaN, which no table shows, if it was not measured.
    pub fn get(&self, key: &str) -> f64 {
        self.0.iter().find(|(name, _)| *name == key).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// The median of several values, and the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Leaves out what is not finite: a ratio to nothing, a figure that was not measured.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: f64::midpoint(low, high), least, most })
    }

    /// `0.0312 (0.0308..0.0320)`; one value alone has no spread.
    pub fn show(self) -> String {
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

    #[test]
    fn values_are_shown_by_their_median_with_three_digits() {
        let show = |values: &[f64]| Spread::of(values.iter().copied()).map(Spread::show);
        for (values, shown) in [
            (&[2.0, 4.0, 3.0][..], Some("3.00 (2.00..4.00)")),
            (&[0.04, 0.01, 0.02, 0.08], Some("0.0300 (0.0100..0.0800)")),
            (&[31_250.4], Some("31250")),
            (&[0.0, f64::NAN, f64::INFINITY], Some("0")),
            (&[f64::NAN], None),
        ] {
            assert_eq!(show(values).as_deref(), shown);
        }
    }
}
