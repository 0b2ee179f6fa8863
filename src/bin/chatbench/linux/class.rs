//! `compare --class`: threads or select, in two and a half minutes; and the plots of what `compare`
//! measures.

use super::{
    load::Settings,
    plot::{Axis, Plot},
    report::{self, Row},
    server::Target,
    table::{Command, Compare, SELECT_MAX},
    timeline::{Course, END, Event, MOMENT, Timeline},
};
use anyhow::{Context as _, Result};
use chatd::socketserver::program::say;
use std::{env, fs, path::Path, process};

const APART: &str = "throughput --window 1 --apart";
/// What is measured on all servers: one message among silent clients, and a busy room.
const LOADS: [(&str, &[&str]); 7] = [
    ("throughput --window 1 --apart --clients 10", &["cpu_us_per_delivery"]),
    ("throughput --window 1 --apart --clients 100", &["cpu_us_per_delivery"]),
    ("throughput --window 1 --apart --clients 500", &["cpu_us_per_delivery"]),
    ("throughput --window 1 --apart --clients 990", &["cpu_us_per_delivery"]),
    ("throughput --window 1 --clients 100", &["cpu_us_per_delivery", "deliveries_per_s"]),
    ("throughput --window 1 --shared --clients 100", &["cpu_us_per_delivery", "deliveries_per_s"]),
    ("connect --clients 512", &["memory_kib_per_client"]),
];
/// What is measured with the history on disk, too.
const ON_DISK: [(&str, &[&str]); 2] = [
    ("latency --clients 100 --rate 2000", &["p50_ms", "p99_ms"]),
    ("throughput --window 1 --clients 100", &["deliveries_per_s"]),
];
/// What happens at second one, and how its plot is called. The last with all cores for the server.
const EVENTS: [(Event, bool, &str, &str); 5] = [
    (Event::Logins, false, "logins", "Fifty people log in at second 1; the server has one core"),
    (
        Event::Logins,
        true,
        "logins-shared",
        "Fifty people log in at second 1; all cores for the server",
    ),
    (
        Event::Computes,
        false,
        "computes",
        "One client changes its password 25 times, from second 1 on",
    ),
    (
        Event::Stuck,
        false,
        "stuck",
        "One client reads nothing; another says 1,000 lines of 1,000 bytes a second",
    ),
    (Event::Disk, false, "disk", "From second 1 on, each sync of the history's disk takes 100 ms"),
];
/// The plot of those who ask for help meanwhile.
const ANSWERS: (&str, &str) = ("disk-answers", "On the same slow disk: somebody asks for /help");
/// Milliseconds that are drawn; a line that never comes is drawn at the upper edge.
const SHOWN: (f64, f64) = (0.01, 10_000.0);

/// Seconds of which the slowest line is drawn.
const BIN: f64 = 0.05;

/// The loads in memory, and those with the history on disk.
pub fn commands() -> [Vec<Command>; 2] {
    [&LOADS[..], &ON_DISK]
        .map(|loads| loads.iter().map(|(load, keys)| ((*load).to_owned(), keys.to_vec())).collect())
}

/// Measures the rows of these, and latency over time. Returns whether no run has failed.
pub fn run(folder: &Path, [mut rows, mut disk_rows]: [Vec<Row>; 2]) -> Result<bool> {
    let settings = Settings::of(1, 0.5)?;
    let servers = Compare::servers()?;
    rows.iter_mut().for_each(|row| row.measure(&servers, &settings));
    say(&report::markdown(&rows, &servers, &settings)?);
    draw_all(&rows, &servers, folder)?;
    let databases = env::temp_dir().join(format!("chatbench-{}", process::id()));
    fs::create_dir(&databases).context("no folder for the databases")?;
    let on_disk = Compare::chats(|name| databases.join(name).display().to_string())?;
    disk_rows.iter_mut().for_each(|row| row.measure(&on_disk, &settings));
    fs::remove_dir_all(&databases)?;
    say(
        "The same with the history on disk (--db FILE): each line is written before it is shown.\n",
    );
    say(&report::markdown(&disk_rows, &on_disk, &settings)?);
    for (event, shared, name, title) in EVENTS {
        let (mut lines, mut answers) = (Vec::new(), Vec::new());
        for server in &servers {
            eprintln!("timeline: {name}: {}", server.name);
            let courses = Timeline { event, shared }.courses(server, &settings);
            let [said, asked] = courses.with_context(|| format!("no plot {name}.svg"))?;
            lines.push((server.name.clone(), slowest(&said)));
            answers.push((server.name.clone(), slowest(&asked)));
        }
        draw(folder, name, title, event, lines)?;
        if event == Event::Disk {
            draw(folder, ANSWERS.0, ANSWERS.1, event, answers)?;
        }
    }
    Ok(rows.iter().chain(&disk_rows).all(|row| row.failures().next().is_none()))
}

/// Latency over time.
fn draw(
    folder: &Path,
    name: &str,
    title: &str,
    event: Event,
    series: Vec<(String, Course)>,
) -> Result<()> {
    let (when, what) = if name == ANSWERS.0 {
        (
            "when it was asked, in seconds",
            "how long the slowest answer of each 50 ms took, in ms; upper edge: it never came",
        )
    } else {
        (
            "when lines were said, in seconds",
            "how long the slowest line of each 50 ms took, in ms; upper edge: it never came",
        )
    };
    let range = (0.0, END);
    let plot = Plot {
        title,
        x: Axis { label: when, is_logarithmic: false, range },
        y: Axis { label: what, is_logarithmic: true, range: SHOWN },
        series,
        mark: (event != Event::Stuck).then_some((MOMENT, "it happens")),
    };
    write(folder, &format!("{name}.svg"), &plot)
}

/// Rows whose commands begin like this; their figure; the plot's file, its title, its y axis.
const PLOTS: [[&str; 5]; 4] = [
    [
        APART,
        "cpu_us_per_delivery",
        "silent",
        "One talks to one; all others are silent",
        "CPU time for a message, in µs",
    ],
    [
        "throughput --window 1 --clients",
        "cpu_us_per_delivery",
        "one-core",
        "All talk to all; the server has one core",
        "CPU time for a delivered line, in µs",
    ],
    [
        "throughput --window 1 --shared",
        "cpu_us_per_delivery",
        "all-cores",
        "All talk to all; all cores for server and generator",
        "CPU time for a delivered line, in µs",
    ],
    [
        "latency --clients",
        "p50_ms",
        "paced",
        "50,000 lines a second are delivered",
        "how long half of them take at most, in ms",
    ],
];

/// A plot for each figure that was measured with several numbers of clients.
pub fn draw_all(rows: &[Row], servers: &[Target], folder: &Path) -> Result<()> {
    for [load, key, file, title, label] in PLOTS {
        let of_load: Vec<&Row> = rows.iter().filter(|row| row.title().starts_with(load)).collect();
        let points = |server| {
            let point = |row: &&Row| Some((row.clients() as f64, row.median(server, key)?));
            // What is nothing has no place on a logarithmic axis.
            of_load.iter().filter_map(point).filter(|point| point.1 > 0.0).collect::<Vec<_>>()
        };
        let series: Vec<_> =
            servers.iter().enumerate().map(|(at, it)| (it.name.clone(), points(at))).collect();
        let all = || series.iter().flat_map(|(_, points)| points);
        let ends = |of: fn(&(f64, f64)) -> f64| {
            all()
                .map(of)
                .fold((f64::MAX, 0.0), |(low, high): (f64, f64), at| (low.min(at), high.max(at)))
        };
        let (clients, figures) = (ends(|point| point.0), ends(|point| point.1));
        if clients.0 >= clients.1 {
            continue; // there is no line to draw
        }
        let far = clients.1.max(1100.0);
        let plot = Plot {
            title,
            x: Axis { label: "connected clients", is_logarithmic: true, range: (clients.0, far) },
            y: Axis { label, is_logarithmic: true, range: (figures.0 / 1.3, figures.1 * 1.3) },
            series,
            mark: Some((SELECT_MAX as f64, "select ends here: 1,024 descriptors")),
        };
        write(folder, &format!("{file}.svg"), &plot)?;
    }
    Ok(())
}

/// The slowest line of each bin.
fn slowest(course: &Course) -> Course {
    let bins = course.chunk_by(|one, next| (one.0 / BIN) as u32 == (next.0 / BIN) as u32);
    let slowest = |bin: &[(f64, f64)]| (bin[0].0, bin.iter().map(|it| it.1).fold(0.0, f64::max));
    bins.map(slowest).collect()
}

pub fn write(folder: &Path, name: &str, plot: &Plot<'_>) -> Result<()> {
    let file = folder.join(name);
    fs::write(&file, plot.svg()).with_context(|| format!("cannot write {}", file.display()))?;
    say(&format!("written: {}", file.display()));
    Ok(())
}
