//! `instructor completions` and `instructor man`: what a shell and a reader of manuals want to have of the arguments.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use serde_json::json;

use crate::args::{self, Completions, Manual};
use crate::failure::Failure;
use crate::output;

pub(crate) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "instructor", &mut script);
    print(&script, args.json, "script")
}

pub(crate) fn manual(args: &Manual) -> Result<(), Failure> {
    let mut command = args::command();
    command.build();
    if let Some(folder) = &args.dir {
        return written(&command, folder, args.json);
    }
    let mut found = &command;
    for name in &args.command {
        found = found.get_subcommands().find(|command| command.get_name() == name).ok_or_else(|| {
            let names: Vec<&str> = found.get_subcommands().map(Command::get_name).collect();
            Failure::setup(format!("there is no command {name:?}")).hint(format!("commands are {}", names.join(", ")))
        })?;
    }
    let page = page(found).map_err(|error| Failure::unexpected(format!("the page can't be made: {error}")))?;
    print(&page, args.json, "page")
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

/// A page for each command, named as its manual is: `instructor-run.1`.
fn written(command: &Command, folder: &Path, json: bool) -> Result<(), Failure> {
    let mut names = Vec::new();
    fs::create_dir_all(folder)
        .and_then(|()| write(command, folder, &mut names))
        .map_err(|error| Failure::unexpected(format!("{} can't be written: {error}", folder.display())))?;
    if json { output::result(&format!("{:#}", json!({ "pages": names }))) } else { output::result(&names.join("\n")) }
}

fn write(command: &Command, folder: &Path, names: &mut Vec<String>) -> io::Result<()> {
    let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
    fs::write(folder.join(&name), page(command)?)?;
    names.push(name);
    let commands = command.get_subcommands().filter(|command| command.get_name() != "help");
    commands.into_iter().try_for_each(|command| write(command, folder, names))
}

fn print(text: &[u8], json: bool, name: &str) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(text);
    if json { output::result(&json!({ name: text }).to_string()) } else { output::result(text.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line as a shell sees them, to the end of the first command.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        for c in line.chars() {
            match c {
                '\'' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                ' ' if !quoted => words.extend(word.take()),
                '|' | '>' if !quoted => break,
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    fn lines_of(command: &Command, lines: &mut Vec<String>) {
        lines.extend(command.get_after_help().into_iter().flat_map(|help| {
            let help = help.to_string();
            let shown = help.lines().map(str::trim).filter(|line| line.contains("instructor ")).map(String::from);
            shown.collect::<Vec<_>>()
        }));
        command.get_subcommands().for_each(|command| lines_of(command, lines));
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        let mut lines = Vec::new();
        lines_of(&args::command(), &mut lines);
        assert!(lines.len() > 20, "{lines:?}");
        for page in [include_str!("../README.md"), include_str!("../../instructor/src/docs/command_line.md")] {
            lines.extend(page.lines().filter_map(|line| line.strip_prefix("$ ")).map(String::from));
        }
        for line in lines {
            let Some(at) = line.find("instructor ").filter(|at| !line[*at..].starts_with("instructor -")) else {
                continue;
            };
            if let Err(said) = args::command().try_get_matches_from(words(&line[at..])) {
                panic!("{line}\n{said}");
            }
        }
    }
}
