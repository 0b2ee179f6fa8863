//! On what and when it was measured: without that, a figure is a number.

use std::fs;

use anyhow::{Context, Result};

/// `2026-11-21, Linux 6.18.44, 2 cores of "AMD EPYC", 23 GiB`.
pub fn describe() -> Result<String> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let processors = read("/proc/cpuinfo")?;
    let memory = read("/proc/meminfo")?;
    let model = value(&processors, "model name").unwrap_or("a processor without a name");
    let kib = value(&memory, "MemTotal")
        .and_then(|total| total.strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0u64);
    let cores = std::thread::available_parallelism()?;
    let (kernel, day, gib) = (kernel.trim(), jiff::Zoned::now().date(), (kib + (1 << 19)) >> 20);
    Ok(format!("{day}, Linux {kernel}, {cores} cores ({model}), {gib} GiB of memory"))
}

/// What stands behind `key` and a colon.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim())
}
