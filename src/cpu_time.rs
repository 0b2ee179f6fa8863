//! Processor time, as the system counts it. Where it does not say, it is 0. Any thread may ask.

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

#[cfg(unix)]
fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds that the calling thread has used.
#[cfg(unix)]
pub(crate) fn thread_nanos() -> u64 {
    nanos(ClockId::ThreadCPUTime)
}

/// Nanoseconds that the whole process has used.
#[cfg(unix)]
pub(crate) fn process_nanos() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

#[cfg(not(unix))]
pub(crate) fn thread_nanos() -> u64 {
    0
}

#[cfg(not(unix))]
pub(crate) fn process_nanos() -> u64 {
    0
}
