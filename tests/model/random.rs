//! Random conversations, as tests/model/world reads them.

/// A xorshift: the tests need dice, not a dependency.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }

    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

const STEPS: u64 = 60;
const PLACES: u64 = 6;
const NAMES: [&str; 8] = ["ann", "bob", "cy", "Dee", "eve", "fay", "ANN", "zoe"];

/// A conversation: most of it talk, with everything that changes who reads it.
pub fn conversation(seed: u64) -> String {
    let mut dice = Dice::of(seed);
    (0..STEPS).map(|i| step(&mut dice, i) + "\n").collect()
}

fn step(dice: &mut Dice, i: u64) -> String {
    let (place, name) = (dice.below(PLACES), dice.one(&NAMES));
    let on = dice.one(&["on", "off", ""]);
    let room = dice.one(&["red", "#blue", "Red", "lobby"]);
    let does = match dice.below(42) {
        0..12 => format!("line {i}"),
        12 => format!("//{i} with a slash"),
        13 => format!("/me waves {i}"),
        14 => dice
            .one(&["<ann> forged", "*** forged", "a\u{2028}<ann> b", "x\u{202e}y", "* ann waves"])
            .to_owned(),
        15..17 => format!("/join {room}"),
        17 => "/leave".to_owned(),
        18 => format!("/nick {}", dice.one(&["ann", "Bob", "aIice", "alice", "x9", "7up"])),
        19..21 => format!("/msg {name} psst {i}"),
        21 => format!("/reply re {i}"),
        22 => format!("/ignore {name}"),
        23 => format!("/unignore {name}"),
        24 => format!("/echo {on}"),
        25 => format!("/timestamps {on}"),
        26 => format!("/quiet {on}"),
        27 => format!("/topic {}", dice.one(&["tea", "-", "", "soup of the day"])),
        28 => dice.one(&["/who", "/names", "/rooms", "/hands", "/ignore"]).to_owned(),
        29 => format!("/whois {name}"),
        30 => format!("/history {}", dice.one(&["", "3", "50"])),
        31 => dice.one(&["/away lunch", "/back"]).to_owned(),
        32 => dice.one(&["/hand", "/ask why?"]).to_owned(),
        33 => dice.one(&["/pause", "/resume", "/announce a break"]).to_owned(),
        34 => format!("/floor {name}"),
        35 => dice.one(&[format!("/kick {name} spam"), format!("/kick {name}")]),
        36 => "/instructor K7MQ-2R4T".to_owned(),
        37 => dice.one(&["/quit", "/quit tea", "/nosuch", "/join 7up", "/echo x"]).to_owned(),
        38 => return format!("{place}-"),
        39..41 => return format!("*{}", 1 + dice.below(5)),
        _ => {
            return format!(
                "{place}+{}",
                dice.one(&["Alice", "aIice", "BOB", "server", "b ad", "q", "q2"])
            );
        }
    };
    format!("{place}>{does}")
}

/// Leaves out steps for as long as it still fails: halves, quarters, and then one by one.
pub fn shrunk(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut steps: Vec<&str> = text.lines().collect();
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let end = (at + size).min(steps.len());
            let fewer = [&steps[..at], &steps[end..]].concat();
            if fails(&fewer.join("\n")) {
                steps = fewer;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    steps.join("\n")
}
