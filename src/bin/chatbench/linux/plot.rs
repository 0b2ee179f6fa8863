//! A plot: a line for each server. What an axis is, it says: a logarithmic one says so.

use super::canvas::Canvas;

/// The whole picture, and where in it the lines are.
const SIZE: (u32, u32) = (760, 440);
const LEFT: f64 = 84.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 86.0;
const BOTTOM: f64 = 376.0;

/// One direction.
pub struct Axis {
    pub label: &'static str,
    pub is_logarithmic: bool,
    /// From where to where; what is beyond is drawn at the edge.
    pub range: (f64, f64),
}

impl Axis {
    /// Where a value is between the ends: 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_logarithmic { value.log10() } else { value };
        let (from, to) = (scale(self.range.0), scale(self.range.1));
        ((scale(value) - from) / (to - from)).clamp(0.0, 1.0)
    }

    /// The values that are named.
    fn ticks(&self) -> Vec<f64> {
        let (from, to) = self.range;
        if self.is_logarithmic {
            let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
            let few = to / from > 5000.0;
            let steps = if few { &[1.0][..] } else { &[1.0, 2.0, 5.0] };
            let all = powers.flat_map(|power| steps.iter().map(move |at| at * 10f64.powi(power)));
            return all.filter(|at| (from * 0.999..=to * 1.001).contains(at)).collect();
        }
        let wanted = (to - from) / 6.0;
        let power = 10f64.powf(wanted.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|at| at * power).into_iter().find(|at| *at >= wanted);
        let step = step.unwrap_or(to - from);
        (0..=7).map(|at| from + f64::from(at) * step).filter(|at| *at <= to * 1.001).collect()
    }

    fn name(&self) -> String {
        format!("{}{}", self.label, if self.is_logarithmic { " (logarithmic)" } else { "" })
    }
}

pub struct Plot<'a> {
    pub title: &'a str,
    pub x: Axis,
    pub y: Axis,
    /// The lines, with their names. One without points is left out; its look is not given to others.
    pub series: Vec<(String, Vec<(f64, f64)>)>,
    /// What is marked on the x axis, and in which words.
    pub mark: Option<(f64, &'static str)>,
}

impl Plot<'_> {
    pub fn svg(&self) -> String {
        let mut canvas = Canvas::new(SIZE.0, SIZE.1);
        let x = |value| LEFT + (RIGHT - LEFT) * self.x.place(value);
        let y = |value| BOTTOM - (BOTTOM - TOP) * self.y.place(value);
        canvas.text((16.0, 26.0), "head", self.title);
        canvas.text((16.0, 76.0), "small", &self.y.name());
        canvas.text((RIGHT, BOTTOM + 46.0), "small end", &self.x.name());
        for at in self.x.ticks() {
            canvas.line(&[(x(at), TOP), (x(at), BOTTOM)], "grid");
            canvas.text((x(at), BOTTOM + 20.0), "small mid", &shown(at));
        }
        for at in self.y.ticks() {
            canvas.line(&[(LEFT, y(at)), (RIGHT, y(at))], "grid");
            canvas.text((LEFT - 8.0, y(at) + 4.0), "small end", &shown(at));
        }
        if let Some((at, words)) = self.mark {
            canvas.line(&[(x(at), TOP), (x(at), BOTTOM)], "wall");
            canvas.text((x(at) - 6.0, BOTTOM - 8.0), "small end", words);
        }
        let mut right = 16.0;
        for (number, (name, points)) in
            self.series.iter().enumerate().filter(|(_, it)| !it.1.is_empty())
        {
            let look = format!("s{number}");
            canvas.line(&[(right, 50.0), (right + 34.0, 50.0)], &look);
            canvas.text((right + 40.0, 55.0), "", name);
            right += 66.0 + 8.0 * name.chars().count() as f64;
            let points: Vec<_> = points.iter().map(|&(at, value)| (x(at), y(value))).collect();
            canvas.line(&points, &look);
        }
        canvas.svg()
    }
}

/// A number as people write it.
fn shown(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    match rounded {
        1000.0.. => format!("{},{:03}", rounded as u64 / 1000, rounded as u64 % 1000),
        _ => rounded.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_says_that_it_is_logarithmic_and_names_round_values() {
        let axis = |is_logarithmic, range| Axis { label: "ms", is_logarithmic, range };
        for (axis, name, ticks) in [
            (axis(true, (0.01, 100.0)), "ms (logarithmic)", "0.01 0.1 1 10 100"),
            (axis(true, (0.5, 10_000.0)), "ms (logarithmic)", "1 10 100 1,000 10,000"),
            (axis(true, (10.0, 100.0)), "ms (logarithmic)", "10 20 50 100"),
            (axis(false, (0.0, 3.0)), "ms", "0 0.5 1 1.5 2 2.5 3"),
        ] {
            assert_eq!(axis.name(), name);
            assert_eq!(axis.ticks().into_iter().map(shown).collect::<Vec<_>>().join(" "), ticks);
            assert!(axis.place(axis.range.0) < 1e-9 && axis.place(f64::INFINITY) > 0.999_999);
        }
    }
}
