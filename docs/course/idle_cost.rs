//! An experiment: what one message costs the server while others are connected and silent. Linux only.
//! `cargo build --release --examples && cargo run --release --example idle-cost`
//! With `--quick` a round of 100 messages, to see that it works: no figures to keep.

use anyhow::Context as _;
use chatd::socketserver::program;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Programs of the course that answer each message at once: steps 5, 6, 7, 8.
const PROGRAMS: [(&str, &str); 4] =
    [("upper", "1000"), ("select-echo", ""), ("poll-upper", ""), ("epoll", "level")];
/// Silent connections. With more, descriptors would run out where the limit is 1,024, as it often is.
const IDLE: [usize; 3] = [1, 100, 900];
/// Messages of one measurement.
const MESSAGES: u32 = 3000;
/// Measurements of each; the middle one is shown, with the least and the most.
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, messages) = if is_quick { (1, 100) } else { (ROUNDS, MESSAGES) };
    program::say(&format!(
        "CPU time of the server for one message, in microseconds: median of {rounds} (least to most)\n"
    ));
    program::say(&format!(
        "| silent connections | {} |",
        PROGRAMS.map(|(name, _)| name).join(" | ")
    ));
    program::say(&format!("| --- {}|", "| --- ".repeat(PROGRAMS.len())));
    for idle in IDLE {
        let mut row = format!("| {idle} |");
        for (name, argument) in PROGRAMS {
            let mut costs = (0..rounds)
                .map(|_| measure(name, argument, idle, messages))
                .collect::<anyhow::Result<Vec<f64>>>()?;
            costs.sort_by(f64::total_cmp);
            row += &format!(
                " {:.1} ({:.1} to {:.1}) |",
                costs[rounds / 2],
                costs[0],
                costs[rounds - 1]
            );
        }
        program::say(&row);
    }
    Ok(())
}

/// Starts a program, connects `idle` silent clients and one that talks.
fn measure(name: &str, argument: &str, idle: usize, messages: u32) -> anyhow::Result<f64> {
    let path = std::env::current_exe()?.with_file_name(name);
    let mut command = Command::new(&path);
    command
        .arg("127.0.0.1:0")
        .args(Some(argument).filter(|argument| !argument.is_empty()))
        .stdout(Stdio::piped());
    let server = command
        .spawn()
        .with_context(|| format!("{}: `cargo build --examples` first", path.display()))?;
    let mut server = Ended(server);
    let mut output = BufReader::new(server.0.stdout.take().context("its output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    let address =
        line.trim().strip_prefix("listening on ").context("it does not listen")?.parse()?;
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));

    let _silent =
        (0..idle).map(|_| connect(address)).collect::<anyhow::Result<Vec<TcpStream>>>()?;
    let mut talker = connect(address)?;
    let before = cpu_time(&server.0)?;
    for _ in 0..messages {
        say_and_hear(&mut talker)?;
    }
    Ok((cpu_time(&server.0)? - before).as_secs_f64() * 1e6 / f64::from(messages))
}

/// Connects, and says one thing, so that the server has accepted us.
fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    say_and_hear(&mut stream)?;
    Ok(stream)
}

fn say_and_hear(stream: &mut TcpStream) -> anyhow::Result<()> {
    stream.write_all(b"HELLO CLASS\n")?;
    Ok(stream.read_exact(&mut [0; 12])?)
}

/// What the kernel has counted for all threads of a process.
fn cpu_time(process: &Child) -> anyhow::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", process.id()))? {
        let counted = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += counted.split_whitespace().next().context("no schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// A server that ends with the measurement.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
