//! A progress graph: one thread's steps go to the right, the other one's upwards, so a run is a path. Where both threads
//! would hold one lock is the forbidden region. As SVG.

use super::scheduler::{Kind, Step};
use std::fmt::Write as _;

/// Pixels of one step, of the margin at the left and below (for the steps' names), and of the others.
const STEP: usize = 56;
const NAMES: usize = 150;
const MARGIN: usize = 24;

/// Where a step of the first thread begins.
fn x(step: usize) -> usize {
    NAMES + step * STEP
}

/// Where a step of the second thread begins, of `rows`.
fn y(rows: usize, step: usize) -> usize {
    MARGIN * 2 + (rows - step) * STEP
}

/// `alone` has the steps of each thread when it runs alone: they are the axes. `run` is the path.
pub fn svg(title: &str, threads: [&str; 2], alone: &[Vec<Step>; 2], run: &[Step]) -> String {
    let [columns, rows] = [alone[0].len(), alone[1].len()];
    let (width, height) = (NAMES + columns * STEP + MARGIN, MARGIN * 2 + rows * STEP + NAMES);
    let y = |step| y(rows, step);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"{MARGIN}\" font-size=\"15\">{title}</text>\n"
    );
    for (across, upwards) in forbidden(alone) {
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#e8a09a\" fill-opacity=\"0.6\"/>",
            x(across.0) + STEP / 2,
            y(upwards.1) - STEP / 2,
            (across.1 - across.0) * STEP,
            (upwards.1 - upwards.0) * STEP
        );
    }
    svg += &axes(threads, alone);
    let mut at = [0, 0];
    let mut path = format!("M{} {}", x(0), y(0));
    for step in run.iter().filter(|step| !matches!(step.kind, Kind::Waits(_))) {
        at[step.thread] += 1;
        let _ = write!(path, "L{} {}", x(at[0].min(columns)), y(at[1].min(rows)));
    }
    let _ = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"3\"/>\n\
         <circle cx=\"{}\" cy=\"{}\" r=\"6\" fill=\"#1f5fa8\"/>\n</svg>",
        x(at[0].min(columns)),
        y(at[1].min(rows))
    );
    svg
}

/// The grid, and what stands beside it.
fn axes(threads: [&str; 2], alone: &[Vec<Step>; 2]) -> String {
    let [columns, rows] = [alone[0].len(), alone[1].len()];
    let y = |step| y(rows, step);
    let mut svg = String::new();
    for step in 0..=columns {
        let _ = writeln!(svg, "<path d=\"M{} {}V{}\" stroke=\"#ccc\"/>", x(step), y(0), y(rows));
    }
    for step in 0..=rows {
        let _ = writeln!(svg, "<path d=\"M{} {}H{}\" stroke=\"#ccc\"/>", x(0), y(step), x(columns));
    }
    for (i, step) in alone[0].iter().enumerate() {
        let (middle, below) = (x(i) + STEP / 2, y(0) + 14);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{below}\" transform=\"rotate(40 {middle} {below})\">{}</text>",
            escaped(&step.text)
        );
    }
    for (i, step) in alone[1].iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            NAMES - 8,
            y(i) - STEP / 2 + 5,
            escaped(&step.text)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-weight=\"bold\">{} →</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-weight=\"bold\">↑ {}</text>",
        NAMES - 8,
        y(0) + 20,
        threads[0],
        NAMES - 8,
        y(rows) - 8,
        threads[1]
    );
    svg
}

/// The step by which a lock is taken, and the one by which it is let go. (The region begins in the middle of the one, and
/// ends in the middle of the other: a path that stops at its edge has not entered it.)
type Span = (usize, usize);

/// For each lock, the steps during which the first thread holds it, and the second one.
fn forbidden(alone: &[Vec<Step>; 2]) -> Vec<(Span, Span)> {
    let held = |steps: &[Step]| {
        let mut spans = Vec::new();
        for (from, step) in steps.iter().enumerate() {
            let Kind::Locks(lock) = step.kind else { continue };
            let until = steps.iter().skip(from).position(|step| step.kind == Kind::LetsGo(lock));
            spans.push((lock, (from, until.map_or(steps.len(), |n| from + n))));
        }
        spans
    };
    let [across, upwards] = [held(&alone[0]), held(&alone[1])];
    let pairs = across.iter().flat_map(|a| upwards.iter().map(move |b| (a, b)));
    pairs.filter(|(a, b)| a.0 == b.0).map(|(a, b)| (a.1, b.1)).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
