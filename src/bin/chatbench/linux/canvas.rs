//! A drawing as SVG. Its colours stand in one place, for light paper and for dark; they can be told
//! apart by the colour-blind (Okabe and Ito), and lines have dashes, too, for grey prints. The
//! pictures of the course use it as well (docs/course/pictures.rs).

use std::fmt::Write as _;

const STYLE: &str = "
text{font:14px sans-serif;fill:#222}.mid{text-anchor:middle}.end{text-anchor:end}.small{font-size:12px}
.head{font-size:17px;font-weight:bold}.mono{font-family:monospace;font-size:13px}
.paper{fill:#fff}.box{fill:#eaf1f8;stroke:#40607f}.hot{fill:#fbdcd2;stroke:#b4431c}.pale{fill:#f4f4f4;stroke:#999}
path{fill:none;stroke:#222;stroke-width:1.5}.grid{stroke:#ddd;stroke-width:1}.wall{stroke:#b4431c;stroke-dasharray:2 4;stroke-width:2}
.tip{fill:#222;stroke:none}.s0,.s1,.s2,.s3,.s4{stroke-width:2.5}
.s0{stroke:#0072b2}.s1{stroke:#d55e00;stroke-dasharray:9 5}.s2{stroke:#00825f;stroke-dasharray:2 4}
.s3{stroke:#a8427f;stroke-dasharray:14 4 3 4}.s4{stroke:#777;stroke-dasharray:5 3}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.paper{fill:#16181c}.box{fill:#1e3044;stroke:#7fa6cc}
.hot{fill:#4a231a;stroke:#f08a63}.pale{fill:#26282d;stroke:#888}path{stroke:#e6e6e6}.grid{stroke:#3a3d44}
.wall{stroke:#f08a63}.tip{fill:#e6e6e6;stroke:none}
.s0{stroke:#56b4e9}.s1{stroke:#f0904a}.s2{stroke:#2fc79a}.s3{stroke:#e29ac6}.s4{stroke:#aaa}}
";

/// What is drawn so far.
pub struct Canvas {
    width: u32,
    height: u32,
    body: String,
}

impl Canvas {
    pub fn new(width: u32, height: u32) -> Canvas {
        let mut canvas = Canvas { width, height, body: String::new() };
        canvas.rect((0.0, 0.0), (f64::from(width), f64::from(height)), "paper");
        canvas
    }

    /// `look` is a class of the style, or several.
    pub fn text(&mut self, (x, y): (f64, f64), look: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ =
            writeln!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{look}\">{text}</text>");
    }

    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), look: &str) {
        let at = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
        let _ = writeln!(self.body, "<rect {at} rx=\"3\" class=\"{look}\"/>");
    }

    /// A line through these points.
    pub fn line(&mut self, points: &[(f64, f64)], look: &str) {
        let mut path = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
        }
        let _ = writeln!(self.body, "<path d=\"{path}\" class=\"{look}\"/>");
    }

    pub fn svg(&self) -> String {
        let Canvas { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <style>{STYLE}</style>\n{body}</svg>\n"
        )
    }
}
