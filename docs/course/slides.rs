//! Makes slides of the course's pages: one HTML file, which needs no network. `cargo run --example slides [STEP…]`

use anyhow::{Context as _, ensure};
use chatd::socketserver::program;
use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html,
};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Makes slides of the course's pages: one HTML file, which needs no network.
#[derive(argh::FromArgs)]
struct Arguments {
    /// the steps, as 1 4 11; all without them
    #[argh(positional)]
    steps: Vec<usize>,
    /// the file to write (default: target/slides.html)
    #[argh(option)]
    file: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Arguments = program::options();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let answers = fs::read_to_string(docs.join("course/answers.md"))?;
    let mut slides = String::new();
    for (number, page) in (1..).zip(pages(&docs)?) {
        if arguments.steps.is_empty() || arguments.steps.contains(&number) {
            let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
            for slide in slides_of(&text) {
                let answers = if slide.is_questions() { answers_to(&answers, number) } else { "" };
                slides += &slide.html(&docs, answers)?;
            }
        }
    }
    ensure!(!slides.is_empty(), "there is no such step");
    let file = arguments.file.unwrap_or_else(|| docs.with_file_name("target/slides.html"));
    let deck = include_str!("slides.html").replace("<!-- slides -->", &slides);
    fs::write(&file, deck).with_context(|| format!("cannot write {}", file.display()))?;
    let count = slides.matches("<section").count();
    program::say(&format!("{count} slides are in {}", file.display()));
    program::say(
        "Open it in a browser. Keys: right, left; n shows the answers; f fills the screen.",
    );
    Ok(())
}

/// The pages of the steps, in their order.
fn pages(docs: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(docs.join("course"))?;
    let mut pages: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let is_step = |page: &PathBuf| {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".md")
    };
    pages.retain(is_step);
    pages.sort();
    Ok(pages)
}

/// Letters behind which nothing more is put on a slide.
const LETTERS_MAX: usize = 500;

/// What stands on one slide.
struct Slide<'a> {
    /// Of the page, and of the part.
    step: String,
    title: String,
    events: Vec<Event<'a>>,
}

/// A slide for the beginning of a page and for each part; a new one behind each block of code, in front of each picture, and
/// where one is full.
fn slides_of(page: &str) -> Vec<Slide<'_>> {
    let (mut slides, mut step): (Vec<Slide<'_>>, _) = (Vec::new(), String::new());
    let mut title: Option<String> = None; // while a heading is read
    let mut events = Parser::new_ext(page, Options::ENABLE_TABLES).peekable();
    while let Some(event) = events.next() {
        let is_picture = matches!(events.peek(), Some(Event::Start(Tag::Image { .. })));
        match (event, &mut title) {
            (Event::Start(Tag::Heading { level, .. }), _) if level <= HeadingLevel::H2 => {
                title = Some(String::new());
            }
            (Event::End(TagEnd::Heading(level)), _) if level <= HeadingLevel::H2 => {
                let title = title.take().unwrap_or_default();
                if level == HeadingLevel::H1 {
                    step.clone_from(&title);
                }
                slides.push(Slide { step: step.clone(), title, events: Vec::new() });
            }
            (Event::Text(words) | Event::Code(words), Some(title)) => title.push_str(&words),
            (event, _) => {
                let Some(last) = slides.last() else { continue };
                let starts_block = !matches!(event, Event::End(_)) && last.is_at_top();
                if starts_block
                    && (is_picture || last.ends_in_code() || last.letters() > LETTERS_MAX)
                {
                    let (step, title) = (last.step.clone(), last.title.clone());
                    slides.push(Slide { step, title, events: Vec::new() });
                }
                slides.last_mut().expect("there is one").events.push(event);
            }
        }
    }
    slides.retain(|slide| !slide.events.is_empty());
    slides
}

impl Slide<'_> {
    fn is_questions(&self) -> bool {
        self.title.starts_with("Predict")
    }

    /// No block is open.
    fn is_at_top(&self) -> bool {
        let depth = |event: &Event<'_>| match event {
            Event::Start(_) => 1,
            Event::End(_) => -1,
            _ => 0,
        };
        self.events.iter().map(depth).sum::<i32>() == 0
    }

    fn letters(&self) -> usize {
        let letters = |event: &Event<'_>| match event {
            Event::Text(text) | Event::Code(text) => text.len(),
            _ => 0,
        };
        self.events.iter().map(letters).sum()
    }

    fn ends_in_code(&self) -> bool {
        matches!(self.events.last(), Some(Event::End(TagEnd::CodeBlock)))
    }

    /// Links lead nowhere on a projector, so their words alone are left. A picture goes into the file.
    fn html(self, docs: &Path, answers: &str) -> anyhow::Result<String> {
        let (mut events, mut code) = (Vec::new(), None::<String>);
        for event in self.events {
            let shown = match event {
                Event::Text(text) if code.is_some() => {
                    code.iter_mut().for_each(|code| code.push_str(&text));
                    continue;
                }
                Event::End(TagEnd::CodeBlock) => {
                    let code = code.take().unwrap_or_default();
                    events.push(Event::Text(without_indent(&code).into()));
                    event
                }
                Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => continue,
                Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                    let dest_url = embed(&docs.join("course").join(&*dest_url))?.into();
                    Event::Start(Tag::Image { link_type, dest_url, title, id })
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                    code = Some(String::new());
                    let kind = kind.split(' ').next().unwrap_or_default().to_owned(); // `rust file=…`
                    Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(CowStr::from(kind))))
                }
                event => event,
            };
            events.push(shown);
        }
        let mut body = String::new();
        html::push_html(&mut body, events.into_iter());
        let mut slide = String::new();
        let (step, is_first) = (escaped(&self.step), self.title == self.step);
        let (class, above) = if is_first { (" class=\"first\"", "") } else { ("", &*step) };
        write!(slide, "<section{class}><div><p class=\"step\">{above}</p>")?;
        write!(slide, "<h2>{}</h2>\n{body}", escaped(&self.title))?;
        if !answers.is_empty() {
            slide += "<aside>";
            html::push_html(&mut slide, Parser::new(answers));
            slide += "</aside>";
        }
        slide += "</div></section>\n";
        Ok(slide)
    }
}

/// Code without the blanks that all its lines begin with.
fn without_indent(code: &str) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let lines = || code.lines().filter(|line| !line.trim().is_empty());
    let least = lines().map(|line| indent(&line)).min().unwrap_or(0);
    code.lines().map(|line| format!("{}\n", line.get(least..).unwrap_or_default())).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A picture (SVG) as an address that holds all of it.
fn embed(picture: &Path) -> anyhow::Result<String> {
    let svg = fs::read_to_string(picture).with_context(|| picture.display().to_string())?;
    let mut address = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => address.push(char::from(byte)),
            _ => write!(address, "%{byte:02X}")?,
        }
    }
    Ok(address)
}

/// The answers to the questions of a step.
fn answers_to(answers: &str, step: usize) -> &str {
    let heading = format!("\n## {step}. ");
    let Some((_, rest)) = answers.split_once(&heading) else { return "" };
    let (_, rest) = rest.split_once('\n').unwrap_or_default();
    rest.split("\n## ").next().unwrap_or_default()
}
