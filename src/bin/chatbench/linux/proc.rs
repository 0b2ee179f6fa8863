//! What a process costs, as the kernel's clocks and `/proc` tell it, and the cores it may use.
//!
//! It counts one process with all its threads; a server that forks is not seen whole.

use anyhow::{Context, Result};
use nix::{time::ClockId, unistd::Pid};
use procfs::{
    Current, CurrentSI as _, KernelStats, LoadAverage, Meminfo, process::Process, ticks_per_second,
};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::time::{Duration, Instant};

/// The processor time of all threads of a process, user and system, ended threads included. One
/// system call however many threads there are, because the load goes on meanwhile.
pub fn cpu(pid: u32) -> Result<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid as i32));
    Ok(clock.with_context(|| format!("no process {pid}"))?.now()?.into())
}

/// The processor time of the calling thread.
pub fn own_cpu() -> Result<Duration> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}

/// How busy the machine was up to a moment, and with what.
#[derive(Clone, Copy)]
pub struct Usage {
    at: Instant,
    /// Seconds of all cores in programs and in the kernel for them, interrupts aside.
    all: f64,
    /// Those of this process and of the servers it has started, once they have ended.
    ours: f64,
}

impl Usage {
    pub fn now() -> Result<Usage> {
        let total = KernelStats::current()?.total;
        let own = Process::myself()?.stat()?;
        let second = ticks_per_second() as f64;
        Ok(Usage {
            at: Instant::now(),
            all: (total.user + total.nice + total.system) as f64 / second,
            ours: (own.utime + own.stime) as f64 / second
                + (own.cutime + own.cstime) as f64 / second,
        })
    }

    /// How many cores other programs have taken since, on average. The load average would not tell:
    /// a thousand threads of a server that are ready at once are a load of a thousand.
    pub fn of_others_since(self) -> Result<f64> {
        let now = Usage::now()?;
        let others = (now.all - self.all) - (now.ours - self.ours);
        Ok(others.max(0.0) / now.at.duration_since(self.at).as_secs_f64())
    }
}

/// How often the threads of a process have left their cores. It reads a file for each thread, which
/// takes a tenth of a second for thousands: not while anything is measured.
pub fn switches(pid: u32) -> Result<u64> {
    let tasks = Process::new(pid as i32)?.tasks()?;
    // A thread may end between the listing and its file.
    let statuses = tasks.filter_map(|task| task.ok()?.status().ok());
    let counts = statuses.map(|s| Some(s.voluntary_ctxt_switches? + s.nonvoluntary_ctxt_switches?));
    Ok(counts.map(Option::unwrap_or_default).sum())
}

/// What a process holds of the system now.
pub struct Holdings {
    pub threads: f64,
    pub descriptors: f64,
    pub resident_kib: f64,
    pub peak_kib: f64,
    /// Addresses, used or not: whole stacks, for instance.
    pub addresses_kib: f64,
    /// The kernel's memory for its threads: their stacks and the page tables. The kernel counts
    /// stacks for the whole machine only, so each thread here counts like an average one.
    pub kernel_kib: f64,
}

impl Holdings {
    pub fn of(pid: u32) -> Result<Holdings> {
        let process = Process::new(pid as i32)?;
        let (status, all_threads) = (process.status()?, LoadAverage::current()?.max);
        let stacks_kib = Meminfo::current()?.kernel_stack.unwrap_or(0) as f64 / 1024.0;
        let kib = |value: Option<u64>| value.unwrap_or(0) as f64;
        Ok(Holdings {
            threads: status.threads as f64,
            descriptors: process.fd_count()? as f64,
            resident_kib: kib(status.vmrss),
            peak_kib: kib(status.vmhwm),
            addresses_kib: kib(status.vmsize),
            kernel_kib: status.threads as f64 * stacks_kib / f64::from(all_threads)
                + kib(status.vmpte),
        })
    }
}

/// The first and the last core we may use, the server's and the generator's; `None` if there is one
/// only.
pub fn two_cores() -> Option<(usize, usize)> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    Some((cores.next()?, cores.next_back()?))
}

/// Binds the calling thread, and the processes it starts from now on, to these cores.
pub fn pin_self(cores: impl IntoIterator<Item = usize>) -> Result<()> {
    let mut set = CpuSet::new();
    cores.into_iter().for_each(|core| set.set(core));
    sched_setaffinity(None, &set).context("cannot choose own cores")
}

/// One descriptor for each client: asks for as many as the system gives, also for the servers that
/// are started.
pub fn allow_many_descriptors() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}
