//! What a process costs, as the kernel tells it in `/proc`, and which core it runs on.
//!
//! It counts one process with all its threads; a server that forks is not seen whole.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What all threads of a process have used up to a moment.
pub struct Usage {
    /// The threads that live.
    threads: Vec<u32>,
    /// Nanoseconds on a core, user and system, of the threads that live.
    run: u64,
    /// The same of all threads that ever lived, in the kernel's clock ticks of 10 ms.
    ticks: u64,
    pub voluntary: u64,
    pub involuntary: u64,
}

impl Usage {
    /// Reads one file for each thread: some 5 µs each, so not while something is measured that is over soon.
    pub fn of(pid: u32) -> Result<Usage> {
        let mut usage = Usage { threads: threads(pid)?, run: 0, ticks: ticks(pid)?, voluntary: 0, involuntary: 0 };
        for thread in &usage.threads {
            let task = format!("/proc/{pid}/task/{thread}");
            // A thread may end between the listing and here; then it has used what `ticks` says.
            let Ok(schedstat) = fs::read_to_string(format!("{task}/schedstat")) else {
                continue;
            };
            let Ok(status) = fs::read_to_string(format!("{task}/status")) else {
                continue;
            };
            usage.run += schedstat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            usage.voluntary += field(&status, "voluntary_ctxt_switches:");
            usage.involuntary += field(&status, "nonvoluntary_ctxt_switches:");
        }
        Ok(usage)
    }

    /// Time on a core since `earlier`: to the nanosecond if the threads are the same, else to 10 ms.
    pub fn cpu_since(&self, earlier: &Usage) -> Duration {
        if self.threads == earlier.threads {
            Duration::from_nanos(self.run - earlier.run)
        } else {
            let per_second = rustix::param::clock_ticks_per_second();
            Duration::from_millis((self.ticks - earlier.ticks) * 1000 / per_second)
        }
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
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("no process {pid}"))?;
    let mut ids: Vec<u32> = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// How many descriptors `pid` has open.
pub fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("no process {pid}"))?.count())
}

/// Time the calling thread has been on a core.
pub fn own_cpu() -> Result<Duration> {
    let schedstat = read("/proc/thread-self/schedstat".into())?;
    Ok(Duration::from_nanos(schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)))
}

/// Time all processes of the machine together have been on its cores: what is not ours of it disturbs the figures.
pub fn machine_cpu() -> Result<Duration> {
    let busy = busy_ticks(&read("/proc/stat".into())?);
    Ok(Duration::from_secs_f64(busy as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The first line counts ticks as user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen.
fn busy_ticks(stat: &str) -> u64 {
    let ticks = stat.lines().next().unwrap_or("").split_whitespace().skip(1).map(|ticks| ticks.parse().unwrap_or(0));
    ticks.take(8).enumerate().filter(|(kind, _)| ![3, 4].contains(kind)).map(|(_, ticks): (_, u64)| ticks).sum()
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
        sched_setaffinity(Pid::from_raw(thread as i32), cores).with_context(|| format!("cannot pin {pid}"))?;
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

/// User and system time of the whole process, ended threads too: fields 14 and 15 of `stat`.
fn ticks(pid: u32) -> Result<u64> {
    let stat = read(format!("/proc/{pid}/stat"))?;
    Ok(ticks_in(&stat))
}

/// The program's name stands in parentheses and may hold anything, spaces too: count from behind it.
fn ticks_in(stat: &str) -> u64 {
    let after_name = stat.rfind(") ").map_or("", |at| &stat[at + 2..]);
    after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
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

    #[test]
    fn a_field_is_found_at_the_beginning_of_its_line_only() {
        let status = "VmHWM:\t  1234 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 5);
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 7);
        assert_eq!(field(status, "VmHWM:"), 1234);
        assert_eq!(field(status, "VmRSS:"), 0);
    }

    #[test]
    fn a_program_may_be_called_anything() {
        let stat = "42 (a ) b 1 2) S 1 42 42 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 5 0 0";
        assert_eq!(ticks_in(stat), 42);
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
    fn our_own_threads_and_time_are_counted() {
        let me = std::process::id();
        let before = Usage::of(me).unwrap();
        let mut spent = own_cpu().unwrap();
        while own_cpu().unwrap() < spent + Duration::from_millis(30) {}
        spent = own_cpu().unwrap();
        assert!(spent > Duration::from_millis(30));
        let after = Usage::of(me).unwrap();
        assert!(after.cpu_since(&before) >= Duration::from_millis(10), "{:?}", after.cpu_since(&before));
        let memory = Memory::of(me).unwrap();
        assert!(memory.resident > 0 && memory.peak >= memory.resident);
    }
}
