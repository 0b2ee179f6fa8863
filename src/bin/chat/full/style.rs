//! What things look like on the full screen.

use crate::paint;
use ratatui::style::{Color, Modifier, Style};

pub(crate) fn sentence() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

pub(crate) fn rule() -> Style {
    sentence()
}

pub(crate) fn time(is_found: bool) -> Style {
    if is_found { mention() } else { sentence() }
}

pub(crate) fn mention() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

pub(crate) fn status() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

pub(crate) fn notice(has_colours: bool) -> Style {
    coloured(paint::NOTICE, has_colours)
}

pub(crate) fn private(has_colours: bool) -> Style {
    coloured(paint::PRIVATE, has_colours).add_modifier(Modifier::BOLD)
}

/// One's own name is bold too.
pub(crate) fn name(name: &str, me: Option<&str>, has_colours: bool) -> Style {
    let style = coloured(paint::colour_of(name), has_colours);
    if me == Some(name) { style.add_modifier(Modifier::BOLD) } else { style }
}

fn coloured(colour: u8, has_colours: bool) -> Style {
    if has_colours { Style::new().fg(Color::Indexed(colour)) } else { Style::new() }
}
