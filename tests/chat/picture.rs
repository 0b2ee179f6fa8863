//! A picture of a screen, as SVG: the pages show what the tests saw.

use std::fmt::Write as _;
use vt100::{Cell, Color, Screen};

const COLUMN: f32 = 8.4;
const ROW: f32 = 18.0;
const PAPER: &str = "#16181d";
const INK: &str = "#d8dade";

/// Compares a picture with the one in docs/figures.
#[track_caller]
pub fn is_current(name: &str, svg: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/figures");
    if std::fs::read_to_string(format!("{folder}/{name}")).is_ok_and(|before| before == svg) {
        return;
    }
    let new = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&new, svg).unwrap();
    panic!("docs/figures/{name} shows another screen: look at {new}, and copy it");
}

/// Draws these rows, which look as those of the screen do. A letter takes one column.
pub fn svg(rows: &[String], screen: &Screen, title: &str) -> String {
    let columns = screen.size().1.get();
    let (width, height) = (f32::from(columns) * COLUMN + 16.0, rows.len() as f32 * ROW + 16.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{title}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n"
    );
    for (y, text) in (0..).zip(rows) {
        let letters: Vec<(u16, char)> =
            (0..columns).zip(text.chars().chain(std::iter::repeat(' '))).collect();
        let look_at = |x: u16| screen.cell(y, x).map(look).unwrap_or_default();
        for run in letters.chunk_by(|one, next| look_at(one.0) == look_at(next.0)) {
            add(&mut svg, run, y, look_at(run[0].0));
        }
    }
    svg + "</g>\n</svg>\n"
}

/// How a cell looks.
#[derive(Clone, Copy, Default, PartialEq)]
struct Look {
    colour: Option<u8>,
    is_bold: bool,
    is_dim: bool,
    is_inverse: bool,
}

fn look(cell: &Cell) -> Look {
    let colour = match cell.fgcolor() {
        Color::Idx(index) => Some(index),
        _ => None,
    };
    Look { colour, is_bold: cell.bold(), is_dim: cell.dim(), is_inverse: cell.inverse() }
}

/// Adds letters that look alike.
fn add(svg: &mut String, run: &[(u16, char)], row: u16, look: Look) {
    let text: String = run.iter().map(|(_, letter)| *letter).collect();
    let text = if look.is_inverse { &*text } else { text.trim_end() };
    if text.trim().is_empty() && !look.is_inverse {
        return;
    }
    let (x, y) = (8.0 + f32::from(run[0].0) * COLUMN, 8.0 + f32::from(row) * ROW);
    let width = text.chars().count() as f32 * COLUMN;
    if look.is_inverse {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{ROW}\" fill=\"{INK}\"/>"
        );
    }
    let ink = look.colour.map_or_else(|| INK.to_owned(), of_palette);
    let fill = if look.is_inverse { PAPER.to_owned() } else { ink };
    let bold = if look.is_bold { " font-weight=\"bold\"" } else { "" };
    let dim = if look.is_dim { " fill-opacity=\"0.6\"" } else { "" };
    // Blanks that are kept where they are.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace(' ', "\u{a0}");
    let baseline = y + 13.5;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{baseline}\" textLength=\"{width:.1}\" fill=\"{fill}\"{bold}{dim}>{text}</text>"
    );
}

/// A colour of the palette's cube of 6 by 6 by 6.
fn of_palette(index: u8) -> String {
    let steps = [0, 95, 135, 175, 215, 255];
    let cube = usize::from(index.saturating_sub(16));
    let [red, green, blue] = [cube / 36 % 6, cube / 6 % 6, cube % 6].map(|at| steps[at]);
    format!("#{red:02x}{green:02x}{blue:02x}")
}
