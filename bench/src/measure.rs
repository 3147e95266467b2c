//! Runs the programs under measurement and reads what they took.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::usage;
use crate::workload::{Load, Side, Took};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A program that is run again and again.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    pub(crate) fn new<A: Into<OsString>>(path: PathBuf, arguments: impl IntoIterator<Item = A>) -> Self {
        Self { path, arguments: arguments.into_iter().map(Into::into).collect() }
    }

    /// This program, doing the work of one side.
    pub(crate) fn workload(side: Side, load: Load, base_url: &str) -> Result<Self> {
        let mut arguments: Vec<OsString> = vec!["run".into(), side.name().into(), "--url".into(), base_url.into()];
        for (name, count) in [("--calls", load.calls), ("--warm-up", load.warm_up), ("--in-flight", load.in_flight)] {
            arguments.extend([name.into(), count.to_string().into()]);
        }
        Ok(Self { path: std::env::current_exe()?, arguments })
    }

    fn command(&self, wrapper: &[&str]) -> Command {
        let mut words: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
        words.push(self.path.clone().into_os_string());
        let program = words.remove(0);
        let mut command = Command::new(program);
        command.args(words).args(&self.arguments).stdin(Stdio::null());
        // The server is on this machine; a proxy would be measured in its place.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command
    }

    fn output(&self, wrapper: &[&str]) -> Result<(String, String)> {
        let output = self.command(wrapper).output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        if output.status.success() {
            Ok((stdout, stderr))
        } else {
            let name = self.path.file_name().unwrap_or_default().display();
            Err(format!("{name} {:?}: {}\n{stderr}", self.arguments, output.status).into())
        }
    }

    /// What a workload says that it took.
    pub(crate) fn took(&self) -> Result<Took> {
        Ok(serde_json::from_str(&self.output(&[])?.0)?)
    }

    /// From its start to its end.
    pub(crate) fn whole(&self) -> Result<(Option<Duration>, Duration)> {
        let (cpu, start) = (usage::children_cpu(), Instant::now());
        self.output(&[])?;
        let wall = start.elapsed();
        Ok((usage::children_cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before)), wall))
    }

    /// From its start to its end: CPU, wall time, and the most memory that it held, in KiB, as far as one can see from
    /// without. The last milliseconds are not seen.
    pub(crate) fn watched(&self) -> Result<(Option<Duration>, Duration, u64)> {
        let (cpu, start) = (usage::children_cpu(), Instant::now());
        let mut child = self.command(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut peak = 0;
        while child.try_wait()?.is_none() {
            peak = peak.max(usage::peak_kib_of(child.id()).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(2));
        }
        let wall = start.elapsed();
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("{:?}: {}", self.arguments, String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok((usage::children_cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before)), wall, peak))
    }

    /// Instructions, from its start to its end.
    pub(crate) fn instructions(&self) -> Result<f64> {
        let said = self.output(&["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])?.1;
        number_after(&said, "Collected :")
            .ok_or_else(|| format!("callgrind has not told the instructions:\n{said}").into())
    }

    /// Calls of the allocator that may give new memory, from its start to its end.
    pub(crate) fn allocations(&self) -> Result<f64> {
        let said = self.output(&["valgrind", "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"])?.1;
        number_after(&said, "total heap usage:")
            .ok_or_else(|| format!("memcheck has not told the allocations:\n{said}").into())
    }

    /// The bytes that were asked of the allocator and not given back, when they were most.
    pub(crate) fn peak_heap(&self) -> Result<f64> {
        let said = self.output(&["valgrind", "--tool=dhat", "--dhat-out-file=/dev/null"])?.1;
        number_after(&said, "At t-gmax:").ok_or_else(|| format!("dhat has not told the peak:\n{said}").into())
    }
}

fn number_after(text: &str, what: &str) -> Option<f64> {
    let rest = text.split(what).nth(1)?.trim_start();
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether there is a valgrind on this machine.
pub(crate) fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The programs for the cold start, which `cargo run` has not built; `None` where they are not there.
pub(crate) fn sibling(name: &str) -> Result<Option<PathBuf>> {
    let path = std::env::current_exe()?.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(path.exists().then_some(path))
}

/// Builds what [`sibling`] looks for, if this was started by cargo.
pub(crate) fn build_siblings(package: &str) -> Result<()> {
    let Some(cargo) = std::env::var_os("CARGO") else { return Ok(()) };
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--bins"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if command.status()?.success() { Ok(()) } else { Err("the programs beside this one do not build".into()) }
}
