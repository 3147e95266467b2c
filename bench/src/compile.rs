//! What it costs to build: the two programs of the cold start, each in a package of its own and from nothing.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::table::{Limit, Table};
use crate::usage;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

type Figure = fn(&Built) -> f64;

struct Built {
    cpu: f64,
    wall: f64,
    crates: f64,
    mib: f64,
}

/// Builds both, in some minutes, and compares.
pub(crate) fn compile() -> Result<()> {
    let bench = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).ok_or("start this by cargo")?;
    let root = bench.parent().ok_or("the package has no workspace around it")?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let line = |name: &str| -> Result<String> {
        let begin = format!("{name} = ");
        let found = manifest.lines().find(|line| line.starts_with(&begin));
        found.map(String::from).ok_or_else(|| format!("no dependency {name} in the workspace's manifest").into())
    };
    let tokio = line("tokio")?.replace("features = [", "features = [\"rt\", \"net\", ");
    let instructor =
        format!("instructor = {{ package = \"instructor-rs\", path = {:?} }}", root.join("crates/instructor"));
    let shared = [tokio, line("schemars")?, line("serde")?];
    let floor = build(root, &bench, "floor", &[&shared[..], &[line("reqwest")?, line("serde_json")?]].concat())?;
    let ours = build(root, &bench, "ours", &[&shared[..], &[instructor]].concat())?;
    let mut table = Table::new(true);
    let figures: [(&str, Figure); 4] = [
        ("CPU, s", |built| built.cpu),
        ("wall clock, s", |built| built.wall),
        ("crates", |built| built.crates),
        ("stripped binary, MiB", |built| built.mib),
    ];
    for (measure, figure) in figures {
        table.pairs("build from nothing", measure, vec![(figure(&floor), figure(&ours))], Limit::None);
    }
    Ok(())
}

fn build(root: &Path, bench: &Path, name: &str, dependencies: &[String]) -> Result<Built> {
    let folder = std::env::current_exe()?.with_file_name("from-nothing").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let source = bench.join("src/bin").join(name).with_extension("rs");
    let manifest = format!(
        "[package]\nname = {name:?}\nedition = \"2024\"\n\n[[bin]]\nname = {name:?}\npath = {source:?}\n\n\
         [workspace]\n\n[dependencies]\n{}\n\n[profile.release]\n{}\n",
        dependencies.join("\n"),
        release_profile(&fs::read_to_string(root.join("Cargo.toml"))?),
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // The same versions on both sides.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = folder.join("target");
    let cargo = |what: &str| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.arg(what).current_dir(&folder).env("CARGO_TARGET_DIR", &target);
        command
    };
    if !cargo("fetch").status()?.success() {
        return Err("the dependencies are not to be had".into());
    }
    let (cpu, start) = (usage::children_cpu(), Instant::now());
    let output = cargo("build").arg("--release").output()?;
    let wall = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{name} does not build:\n{said}").into());
    }
    let cpu = usage::children_cpu().zip(cpu).map_or(f64::NAN, |(after, before)| (after - before).as_secs_f64());
    let crates = said.lines().filter(|line| line.trim_start().starts_with("Compiling ")).count() as f64;
    let binary = target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mib = fs::metadata(binary)?.len() as f64 / f64::from(1 << 20);
    fs::remove_dir_all(target)?;
    Ok(Built { cpu, wall, crates, mib })
}

/// The workspace's settings of the profile.
fn release_profile(manifest: &str) -> String {
    let section = manifest.lines().skip_while(|line| line.trim() != "[profile.release]").skip(1);
    section.take_while(|line| !line.starts_with('[')).collect::<Vec<_>>().join("\n")
}
