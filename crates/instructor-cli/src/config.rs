//! Settings that need not be said each time: files and variables behind the arguments.
//!
//! One order for all of them: argument, variable, the project's file, the user's file, default. A value of a file becomes
//! the default of its argument, so that the arguments' own parser reads all of them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use crate::args::{self, Config};
use crate::failure::Failure;
use crate::{output, secret};

/// A setting by its name in files, which is that of its argument too, and its variable.
const SETTINGS: [(&str, &str); 18] = [
    ("provider", "INSTRUCTOR_MODEL"),
    ("base_url", "INSTRUCTOR_BASE_URL"),
    ("protocol", "INSTRUCTOR_PROTOCOL"),
    ("api_key_env", "INSTRUCTOR_API_KEY_ENV"),
    ("fallback", "INSTRUCTOR_FALLBACK"),
    ("mode", "INSTRUCTOR_MODE"),
    ("shape_model", "INSTRUCTOR_SHAPE_MODEL"),
    ("temperature", "INSTRUCTOR_TEMPERATURE"),
    ("max_tokens", "INSTRUCTOR_MAX_TOKENS"),
    ("reasoning", "INSTRUCTOR_REASONING"),
    ("max_retries", "INSTRUCTOR_MAX_RETRIES"),
    ("timeout", "INSTRUCTOR_TIMEOUT"),
    ("deadline", "INSTRUCTOR_DEADLINE"),
    ("max_cost", "INSTRUCTOR_MAX_COST"),
    ("concurrency", "INSTRUCTOR_CONCURRENCY"),
    ("rate", "INSTRUCTOR_RATE"),
    ("prices", "INSTRUCTOR_PRICES"),
    ("ledger", "INSTRUCTOR_LEDGER"),
];

/// Where requests and keys go. A project is often somebody else's: its file does not decide that.
const PERSONAL: [&str; 3] = ["base_url", "protocol", "api_key_env"];

/// The argument that tells a command which asks somebody.
const ASKS: &str = "api_key_env";

const PROJECT: &str = "instructor.toml";

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The project's file before the user's; those that are there.
    found: Vec<PathBuf>,
    /// What a setting is, and in which file.
    values: BTreeMap<&'static str, (String, PathBuf)>,
}

impl Files {
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut files = Self::default();
        if let Some(path) = project() {
            files.add(path, true)?;
        }
        if let Some(path) = user().filter(|path| path.is_file()) {
            files.add(path, false)?;
        }
        Ok(files)
    }

    /// What is set already stays.
    fn add(&mut self, path: PathBuf, project: bool) -> Result<(), Failure> {
        let text = fs::read_to_string(&path).map_err(|e| unread(&path, &e))?;
        let wrong = |why: String| Failure::setup(format!("{}: {why}", path.display()));
        let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.message().replace('\n', " ")))?;
        for (name, value) in table {
            let Some((key, _)) = SETTINGS.into_iter().find(|(key, _)| *key == name) else {
                return Err(unknown(&name, wrong(format!("there is no setting {name:?}"))));
            };
            if project && PERSONAL.contains(&key) {
                let hint = match user() {
                    Some(user) => format!("set it in {}, or as an argument or variable", user.display()),
                    None => String::from("set it as an argument or variable"),
                };
                let why =
                    format!("{key:?} says where requests or keys go, which is not for a project's file to decide");
                return Err(wrong(why).hint(hint));
            }
            let said = match &value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                _ => return Err(wrong(format!("{key:?} has to be a text or a number"))),
            };
            taken(key, &said).map_err(|why| wrong(format!("{key:?}: {why}")))?;
            self.values.entry(key).or_insert((said, path.clone()));
        }
        self.found.push(path);
        Ok(())
    }
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::setup(format!("{} can't be read: {error}", path.display()))
}

fn unknown(name: &str, failure: Failure) -> Failure {
    if name.contains("key") || name.contains("token") || name.contains("secret") {
        return failure.hint("keys stand in no file: api_key_env names the variable that holds one");
    }
    let near = SETTINGS.iter().map(|(key, _)| (strsim::damerau_levenshtein(key, &name.replace('-', "_")), *key)).min();
    match near {
        Some((distance, key)) if distance <= 3 => failure.hint(format!("did you mean {key:?}?")),
        _ => failure.hint(format!("settings are {}", SETTINGS.map(|(key, _)| key).join(", "))),
    }
}

/// Whether the argument's own parser takes a value.
fn taken(key: &str, value: &str) -> Result<(), String> {
    let command = asking(args::command(), key).ok_or("no command takes it")?;
    let words = [String::from("instructor"), format!("--{}={value}", key.replace('_', "-"))];
    match command.try_get_matches_from(words) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Err(String::from(line.strip_prefix("error: ").unwrap_or(line)))
        }
        _ => Ok(()),
    }
}

/// A command that has the argument, and asks.
fn asking(command: Command, key: &str) -> Option<Command> {
    let has = |command: &Command, id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
    if has(&command, key) && has(&command, ASKS) {
        return Some(command);
    }
    command.get_subcommands().cloned().find_map(|command| asking(command, key))
}

/// The nearest file of the folder and those above it, within one repository.
fn project() -> Option<PathBuf> {
    let folder = env::current_dir().ok()?;
    for folder in folder.ancestors() {
        let path = folder.join(PROJECT);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

fn user() -> Option<PathBuf> {
    let folder = secret::held("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| secret::held("HOME").map(|home| Path::new(&home).join(".config")));
    let folder = folder.or_else(|| secret::held("APPDATA").map(PathBuf::from))?;
    Some(folder.join("instructor").join("config.toml"))
}

/// The command line with variables, and with what the files say as defaults, for all commands that ask.
pub(crate) fn behind(command: Command, files: &Files) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|command| String::from(command.get_name())).collect();
    let command = names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |c| behind(c, files)));
    if !command.get_arguments().any(|arg| arg.get_id() == ASKS) {
        return command;
    }
    command.mut_args(|arg| {
        let Some((key, variable)) = SETTINGS.into_iter().find(|(key, _)| arg.get_id() == *key) else { return arg };
        // One that is empty counts as unset.
        let unset = env::var_os(variable).is_some_and(|value| value.is_empty());
        let arg = if unset { arg } else { arg.env(variable).hide_env_values(true) };
        match files.values.get(key) {
            Some((value, _)) => arg.default_value(value.clone()),
            None => arg,
        }
    })
}

/// Why there are no arguments to go by.
#[derive(Debug)]
pub(crate) enum Said {
    Clap(clap::Error),
    /// And whether it is to be told as JSON.
    Failure(Box<Failure>, bool),
}

/// The arguments, with variables and files behind them. Files are read for commands that take something of them.
pub(crate) fn matches(command: Command) -> Result<ArgMatches, Said> {
    let variables = behind(command.clone(), &Files::default());
    let matches = variables.try_get_matches().map_err(Said::Clap)?;
    if !asks(&command, &matches) {
        return Ok(matches);
    }
    let files = Files::read().map_err(|failure| Said::Failure(Box::new(failure), wants_json(&matches)))?;
    behind(command, &files).try_get_matches().map_err(Said::Clap)
}

/// Whether the command that is named asks somebody.
fn asks(command: &Command, matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((name, matches)) => command.find_subcommand(name).is_some_and(|command| asks(command, matches)),
        None => command.get_arguments().any(|arg| arg.get_id() == ASKS),
    }
}

fn leaf(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, matches)| leaf(matches))
}

/// Whether machines read what is said.
pub(crate) fn wants_json(matches: &ArgMatches) -> bool {
    leaf(matches).try_get_one::<bool>("json").ok().flatten().copied().unwrap_or_default()
}

/// `instructor config`: what holds, and from where.
pub(crate) fn run(args: &Config) -> Result<(), Failure> {
    let files = Files::read()?;
    let held = SETTINGS.map(|(key, variable)| {
        let file = files.values.get(key).map(|(value, path)| (value.clone(), path.display().to_string()));
        let said = secret::held(variable).map(|value| (value, String::from(variable))).or(file);
        let preset = || {
            let command = asking(args::command(), key)?;
            let arg = command.get_arguments().find(|arg| arg.get_id() == key)?;
            Some(arg.get_default_values().first()?.to_string_lossy().into_owned())
        };
        let (value, from) = match said {
            Some((value, from)) => (Some(value), Some(from)),
            None => (preset(), None),
        };
        (key, value, from)
    });
    let looked = [project(), user()].into_iter().flatten();
    if args.json {
        let settings: Vec<Value> = held
            .into_iter()
            .map(|(key, value, from)| json!({ "setting": key, "value": value, "from": from.unwrap_or_else(|| String::from("default")) }))
            .collect();
        let files: Vec<Value> =
            looked.map(|path| json!({ "path": path, "found": files.found.contains(&path) })).collect();
        return output::result(&format!("{:#}", json!({ "settings": settings, "files": files })));
    }
    let mut rows = vec![["SETTING", "VALUE", "FROM"].map(String::from)];
    rows.extend(held.map(|(key, value, from)| {
        [String::from(key), value.unwrap_or_else(|| String::from("-")), from.unwrap_or_else(|| String::from("default"))]
    }));
    output::result(&output::table(&rows))?;
    if files.found.is_empty() && !args.quiet {
        let mut places = vec![format!("{PROJECT} here or above")];
        places.extend(user().map(|path| path.display().to_string()));
        output::say(&format!("no file is there; looked for {}", places.join(" and ")));
    }
    Ok(())
}
