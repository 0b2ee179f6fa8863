//! What a process costs, as the kernel's clocks and `/proc` tell it, and which core it runs on.
//!
//! It counts one process with all its threads; a server that forks is not seen whole.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::time::ClockId;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Time that the threads of a process together have been on a core, user and system, also of those that have ended.
///
/// One system call, however many threads there are: the load goes on while it is taken.
pub fn cpu(pid: u32) -> Result<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid as i32))
        .with_context(|| format!("no process {pid}"))?;
    Ok(clock.now()?.into())
}

/// How often the threads of a process have left their cores.
pub struct Switches {
    /// From when to when they were counted.
    counted: (Instant, Instant),
    /// Because there was nothing to do.
    voluntary: u64,
    /// Because another was to run.
    involuntary: u64,
}

impl Switches {
    /// Reads a file for each thread, so a tenth of a second for thousands. Not while anything is measured: a generator
    /// that reads files reads no lines.
    pub fn of(pid: u32) -> Result<Switches> {
        let begin = Instant::now();
        let (mut voluntary, mut involuntary) = (0, 0);
        for thread in threads(pid)? {
            // A thread may end between the listing and here.
            let Ok(status) = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")) else {
                continue;
            };
            voluntary += field(&status, "voluntary_ctxt_switches:");
            involuntary += field(&status, "nonvoluntary_ctxt_switches:");
        }
        Ok(Switches { counted: (begin, Instant::now()), voluntary, involuntary })
    }

    /// Voluntary and involuntary ones a second, since `earlier`.
    pub fn per_second_since(&self, earlier: &Switches) -> (f64, f64) {
        let seconds = (self.counted.0 - earlier.counted.1).as_secs_f64();
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        (rate(self.voluntary, earlier.voluntary), rate(self.involuntary, earlier.involuntary))
    }
}

/// Memory of a process, in bytes.
pub struct Memory {
    /// Addresses it has, used or not: whole stacks, for instance.
    pub addresses: u64,
    /// Resident now.
    pub resident: u64,
    /// The most that ever was resident.
    pub peak: u64,
}

impl Memory {
    pub fn of(pid: u32) -> Result<Memory> {
        let status = read(format!("/proc/{pid}/status"))?;
        let bytes = |key| 1024 * field(&status, key);
        Ok(Memory { addresses: bytes("VmSize:"), resident: bytes("VmRSS:"), peak: bytes("VmHWM:") })
    }
}

/// Bytes the kernel holds for the threads of a process: their stacks and the page tables. It counts stacks for the whole
/// machine only, and frees those of ended threads late; so each thread here counts as much as one of the machine does.
pub fn kernel_memory(pid: u32) -> Result<u64> {
    let (machine, process) = (read("/proc/meminfo".into())?, read(format!("/proc/{pid}/status"))?);
    let all_threads = threads_in(&read("/proc/loadavg".into())?);
    let stack = 1024 * field(&machine, "KernelStack:") / all_threads.max(1);
    Ok(threads(pid)?.len() as u64 * stack + 1024 * field(&process, "VmPTE:"))
}

/// The threads of the machine: `0.31 0.30 0.35 2/197 4711` has 197.
fn threads_in(loadavg: &str) -> u64 {
    loadavg.split_once('/').and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// The ids of the threads of `pid`.
pub fn threads(pid: u32) -> Result<Vec<u32>> {
    let tasks =
        fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("no process {pid}"))?;
    let mut ids: Vec<u32> =
        tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// How many descriptors `pid` has open.
pub fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))
        .with_context(|| format!("no process {pid}"))?
        .count())
}

/// Time the calling thread has been on a core.
pub fn own_cpu() -> Result<Duration> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}

/// Time all processes of the machine together have been on its cores: what is not ours of it disturbs the figures.
pub fn machine_cpu() -> Result<Duration> {
    let busy = busy_ticks(&read("/proc/stat".into())?);
    Ok(Duration::from_secs_f64(busy as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The first line counts ticks as user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen.
fn busy_ticks(stat: &str) -> u64 {
    let ticks = stat
        .lines()
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(1)
        .map(|ticks| ticks.parse().unwrap_or(0));
    ticks
        .take(8)
        .enumerate()
        .filter(|(kind, _)| ![3, 4].contains(kind))
        .map(|(_, ticks): (_, u64)| ticks)
        .sum()
}

/// The first and the last core we may use, the server's and the generator's; `None` if there is one only.
pub fn two_cores() -> Option<(usize, usize)> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    Some((cores.next()?, cores.next_back()?))
}

/// Binds the calling thread, and what it starts from now on, to one core.
pub fn pin_self(core: usize) -> Result<()> {
    sched_setaffinity(None, &only(core)).with_context(|| format!("cannot run on core {core}"))
}

/// Binds all threads of another process to one core.
pub fn pin_process(pid: u32, core: usize) -> Result<()> {
    bind(pid, &only(core))
}

/// Lets the calling thread and all threads of another process run on all cores from the first to the last.
pub fn unpin(pid: u32, (first, last): (usize, usize)) -> Result<()> {
    let mut cores = CpuSet::new();
    (first..=last).for_each(|core| cores.set(core));
    sched_setaffinity(None, &cores).context("cannot run on all cores")?;
    bind(pid, &cores)
}

fn bind(pid: u32, cores: &CpuSet) -> Result<()> {
    for thread in threads(pid)? {
        sched_setaffinity(rustix::process::Pid::from_raw(thread as i32), cores)
            .with_context(|| format!("cannot pin {pid}"))?;
    }
    Ok(())
}

/// One descriptor for each client: asks for as many as the system gives, also for the servers we start.
pub fn allow_many_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

/// The number behind `key` at the beginning of a line; 0 if there is none.
fn field(status: &str, key: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(key));
    value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn read(path: String) -> Result<String> {
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    #[test]
    fn a_field_is_found_at_the_beginning_of_its_line_only() {
        let status =
            "VmHWM:\t  1234 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 5);
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 7);
        assert_eq!(field(status, "VmHWM:"), 1234);
        assert_eq!(field(status, "VmRSS:"), 0);
    }

    #[test]
    fn the_threads_of_the_machine_are_counted() {
        assert_eq!(threads_in("0.31 0.30 0.35 2/197 4711\n"), 197);
        assert_eq!(threads_in(""), 0);
    }

    #[test]
    fn an_idle_machine_is_not_busy() {
        assert_eq!(busy_ticks("cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 9 9 9 9"), 63);
    }

    #[test]
    fn the_time_of_all_threads_is_counted_also_of_those_that_ended() {
        let me = std::process::id();
        let before = cpu(me).unwrap();
        let spend = || {
            let begin = own_cpu().unwrap();
            while own_cpu().unwrap() < begin + Duration::from_millis(30) {}
        };
        std::thread::spawn(spend).join().unwrap();
        spend();
        assert!(cpu(me).unwrap() - before >= Duration::from_millis(60));
    }

    #[test]
    fn a_program_that_waits_for_each_byte_switches() {
        let mut cat =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut to, mut from) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
        let mut echo = || {
            to.write_all(b"x").unwrap();
            from.read_exact(&mut [0]).unwrap();
        };
        echo(); // it runs
        let before = Switches::of(cat.id()).unwrap();
        (0..100).for_each(|_| echo());
        let (voluntary, _) = Switches::of(cat.id()).unwrap().per_second_since(&before);
        drop((to, from));
        cat.wait().unwrap();
        assert!(voluntary > 0.0);
    }

    #[test]
    fn memory_is_read() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.resident > 0 && memory.peak >= memory.resident);
    }
}
