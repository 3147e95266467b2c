//! What a process used.

use std::time::Duration;

/// User and system time of this process so far.
pub(crate) fn own_cpu() -> Option<Duration> {
    cpu(false)
}

/// User and system time of the child processes that have ended and were waited for.
pub(crate) fn children_cpu() -> Option<Duration> {
    cpu(true)
}

#[cfg(unix)]
fn cpu(children: bool) -> Option<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;
    let usage = getrusage(if children { UsageWho::RUSAGE_CHILDREN } else { UsageWho::RUSAGE_SELF }).ok()?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Some(Duration::from_micros(micros.try_into().ok()?))
}

#[cfg(not(unix))]
fn cpu(_: bool) -> Option<Duration> {
    None
}

/// The most memory that this process has held, in KiB. The figure of `getrusage` will not do: a child begins with what
/// its parent held.
pub(crate) fn peak_kib() -> Option<u64> {
    peak_at("self")
}

/// The same of another process.
pub(crate) fn peak_kib_of(process: u32) -> Option<u64> {
    peak_at(&process.to_string())
}

fn peak_at(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
