//! A chart as SVG, to be read from the last row and in a grey print: each model has a colour, a marker and a dash.

use std::path::Path;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::coord::combinators::BindKeyPoints as _;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::cli::compare::Measured;
use crate::cli::compare::chart::Chart;
use crate::cli::compare::models::NAMES;
use crate::cli::report::Spread;

/// Points of an SVG's own units; it can be scaled to any size.
const SIZE: (u32, u32) = (1000, 640);
const FONT: &str = "sans-serif";
/// The letters of the title, of the names, of the axes.
const LETTERS: [u32; 3] = [40, 36, 32];
const LINE: u32 = 4;
/// From the middle of a marker to its corners.
const MARKER: f64 = 11.0;

/// How each model is drawn, in the order of their names. The colours are those of Okabe and Ito, which the colour-blind
/// can tell apart.
const LOOKS: [Look; 4] = [
    Look { colour: RGBColor(0, 114, 178), dash: (1000, 0), corners: 24, turned: 0.0 },
    Look { colour: RGBColor(213, 94, 0), dash: (18, 10), corners: 4, turned: 0.125 },
    Look { colour: RGBColor(0, 130, 95), dash: (5, 7), corners: 3, turned: 0.0 },
    Look { colour: RGBColor(90, 90, 90), dash: (30, 6), corners: 4, turned: 0.0 },
];

struct Look {
    colour: RGBColor,
    /// Units drawn, units left out.
    dash: (u32, u32),
    /// The marker: so many corners, the first at the top or turned by a part of the circle.
    corners: u32,
    turned: f64,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes `chart` to `file`. Both axes are logarithmic; a bar at a point goes from the least run to the most.
pub fn draw(chart: &Chart, sizes: &[Measured], file: &Path) -> Result<()> {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, body) = root.margin(8, 8, 8, 24).split_vertically(100);
    head.draw(&Text::new(chart.title, (16, 4), (FONT, LETTERS[0]).into_font()))?;
    let curves = NAMES.map(|model| chart.points(model, sizes));
    let drawn = || LOOKS.iter().zip(NAMES).zip(&curves).filter(|(_, points)| !points.is_empty());
    for (place, ((look, name), _)) in (0..).zip(drawn()) {
        explain(&head, look, name, 16 + 240 * place)?;
    }

    let all = || curves.iter().flatten();
    let clients: Vec<f64> = sizes.iter().map(|at| at.clients as f64).collect();
    let steps = steps(
        all().map(|(_, s)| s.min).fold(f64::MAX, f64::min),
        all().map(|(_, s)| s.max).fold(0.0, f64::max),
    );
    let (left, right) =
        (clients.first().unwrap_or(&1.0) / 1.2, clients.last().unwrap_or(&1.0) * 1.2);
    let (low, high) = (steps[0], steps[steps.len() - 1]);
    let mut plot = ChartBuilder::on(&body)
        .margin_top(16)
        .x_label_area_size(84)
        .y_label_area_size(120)
        .build_cartesian_2d(
            (left..right).log_scale().with_key_points(clients),
            (low..high).log_scale().with_key_points(steps),
        )?;
    plot.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(200, 200, 200))
        .label_style((FONT, LETTERS[2]))
        .axis_desc_style((FONT, LETTERS[2]))
        .x_desc("clients")
        .y_desc(chart.unit)
        .x_label_formatter(&|clients| thousands(*clients))
        .y_label_formatter(&|value| step(*value))
        .draw()?;
    for ((look, _), points) in drawn() {
        let at = |(clients, spread): &(usize, Spread)| (*clients as f64, spread.median);
        let style = look.colour.stroke_width(LINE);
        plot.draw_series([DashedPathElement::new(
            points.iter().map(at),
            look.dash.0,
            look.dash.1,
            style,
        )])?;
        plot.draw_series(points.iter().map(|(clients, spread)| {
            let x = *clients as f64;
            PathElement::new([(x, spread.min), (x, spread.max)], look.colour.stroke_width(LINE / 2))
        }))?;
        let markers = points.iter().map(|point| EmptyElement::at(at(point)) + look.marker());
        plot.draw_series(markers)?;
    }
    root.present()?;
    Ok(())
}

/// A piece of a model's curve, and its name.
fn explain(head: &Area<'_>, look: &Look, name: &str, left: i32) -> Result<()> {
    let line = [(left, 70), (left + 70, 70)];
    head.draw(&DashedPathElement::new(
        line,
        look.dash.0,
        look.dash.1,
        look.colour.stroke_width(LINE),
    ))?;
    head.draw(&(EmptyElement::at((left + 35, 70)) + look.marker()))?;
    head.draw(&Text::new(name, (left + 84, 56), (FONT, LETTERS[1]).into_font()))?;
    Ok(())
}

impl Look {
    /// Around the place it is drawn at.
    fn marker(&self) -> Polygon<(i32, i32)> {
        let corner = |corner: u32| {
            let (sin, cos) = (std::f64::consts::TAU
                * (f64::from(corner) / f64::from(self.corners) + self.turned))
                .sin_cos();
            ((MARKER * sin).round() as i32, (-MARKER * cos).round() as i32)
        };
        Polygon::new((0..self.corners).map(corner).collect::<Vec<_>>(), self.colour)
    }
}

/// 1, 2, 5, 10, 20 … from below `least` to above `most`.
fn steps(least: f64, most: f64) -> Vec<f64> {
    let (least, most) = if least > 0.0 && least <= most { (least, most) } else { (1.0, 1.0) };
    let mut decade = 10f64.powf(least.log10().floor());
    let mut steps = Vec::new();
    loop {
        for step in [1.0, 2.0, 5.0].map(|digit| digit * decade) {
            steps.retain(|below| step > least || below == &step);
            steps.push(step);
            if step > most && steps.len() > 1 {
                return steps;
            }
        }
        decade *= 10.0;
    }
}

/// A value of `steps`: `0.05`, `20`, `50k`, `2M`.
fn step(value: f64) -> String {
    let (value, unit) = match value {
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{unit}", (value * 1e6).round() / 1e6)
}

/// `5,000`.
fn thousands(number: f64) -> String {
    let number = number as u64;
    if number < 1000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1000, number % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_an_axis_hold_all_values_between_them() {
        assert_eq!(steps(0.3, 4.0), [0.2, 0.5, 1.0, 2.0, 5.0]);
        assert_eq!(steps(1.0, 1.0), [1.0, 2.0]);
        assert_eq!(steps(70.0, 800.0), [50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert_eq!(steps(f64::MAX, 0.0), [1.0, 2.0], "nothing was measured");
    }

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!([10.0, 990.0, 5000.0].map(thousands), ["10", "990", "5,000"]);
        assert_eq!(
            steps(0.03, 0.1).into_iter().map(step).collect::<Vec<_>>(),
            ["0.02", "0.05", "0.1", "0.2"]
        );
        assert_eq!([20.0, 50_000.0, 2e6].map(step), ["20", "50k", "2M"]);
    }
}
