//! The pictures of the course, as SVG: `cargo run --example pictures`. A test looks that they are as this program makes them.

use anyhow::Context as _;
use canvas::Canvas;
use chatd::socketserver::program::say;
use std::{fs, path::PathBuf};

#[path = "../../src/bin/chatbench/linux/canvas.rs"]
mod canvas;
#[path = "pictures/drawings.rs"]
mod drawings;

fn main() -> anyhow::Result<()> {
    let usual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/figures");
    let folder = std::env::args().nth(1).map_or(usual, PathBuf::from);
    for (name, draw) in drawings::ALL {
        let file = folder.join(format!("{name}.svg"));
        fs::write(&file, draw().svg())
            .with_context(|| format!("cannot write {}", file.display()))?;
        say(&file.display().to_string());
    }
    Ok(())
}

/// An arrow, from here to there: along one axis.
fn arrow(canvas: &mut Canvas, from: (f64, f64), to: (f64, f64)) {
    let length = ((to.0 - from.0).powi(2) + (to.1 - from.1).powi(2)).sqrt();
    let (dx, dy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    let back = (to.0 - 9.0 * dx, to.1 - 9.0 * dy);
    let side = |way: f64| (back.0 - way * 4.5 * dy, back.1 + way * 4.5 * dx);
    canvas.line(&[from, back], "");
    canvas.line(&[side(1.0), to, side(-1.0)], "tip");
}

/// Boxes with a line of text in each, one below the other.
fn stack(canvas: &mut Canvas, at: (f64, f64), width: f64, boxes: &[(&str, &str)]) {
    for (row, (look, text)) in boxes.iter().enumerate() {
        let y = at.1 + 28.0 * row as f64;
        canvas.rect((at.0, y), (width, 28.0), look);
        canvas.text((at.0 + 10.0, y + 19.0), "mono", text);
    }
}
