//! Settings out of files and variables, and what holds for all commands.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A project and a home, which are gone at the end of the test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("instructor-settings-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("project/deep")).unwrap();
        fs::create_dir_all(path.join("project/.git")).unwrap();
        fs::create_dir_all(path.join("home/instructor")).unwrap();
        Self(path)
    }

    fn project(&self, text: &str) {
        fs::write(self.0.join("project/instructor.toml"), text).unwrap();
    }

    fn user(&self, text: &str) {
        fs::write(self.0.join("home/instructor/config.toml"), text).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn instructor(folder: &Path, home: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(args).env_clear().envs(variables.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let output = command.env("XDG_CONFIG_HOME", home).output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Place {
    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        instructor(&self.0.join("project/deep"), &self.0.join("home"), args, variables)
    }

    /// What a setting is, and where from, as `instructor config` tells it.
    fn told(&self, setting: &str, variables: &[(&str, &str)]) -> (Value, String) {
        let ran = self.run(&["config", "--json"], variables);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        let all: Value = serde_json::from_str(&ran.stdout).unwrap();
        let found = all["settings"].as_array().unwrap().iter().find(|one| one["setting"] == setting).unwrap();
        let from = Path::new(found["from"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        (found["value"].clone(), String::from(from))
    }

    /// What goes out.
    fn body(&self, args: &[&str], variables: &[(&str, &str)]) -> Value {
        fs::write(self.0.join("project/deep/text"), "Ada").unwrap();
        let all = [&["extract", "text", "--schema", "{\"type\": \"string\"}", "--dry-run", "--json"], args].concat();
        let ran = self.run(&all, variables);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["body"].clone()
    }
}

#[test]
fn the_nearest_says_what_holds() {
    let place = Place::new("order");
    let variable = [("INSTRUCTOR_TEMPERATURE", "0.3")];
    // Each is over the one before it.
    assert_eq!(place.told("temperature", &[]), (Value::Null, String::from("default")));
    assert_eq!(place.told("mode", &[]), (json!("auto"), String::from("default")));
    place.user("temperature = 0.1\nprovider = \"openai/user\"\nbase_url = \"http://localhost:1/v1\"\n");
    assert_eq!(place.body(&[], &[])["temperature"], 0.1);
    assert_eq!(place.told("temperature", &[]), (json!("0.1"), String::from("config.toml")));
    place.project("temperature = 0.2\n");
    assert_eq!(place.body(&[], &[])["temperature"], 0.2);
    assert_eq!(place.told("temperature", &[]), (json!("0.2"), String::from("instructor.toml")));
    assert_eq!(place.body(&[], &variable)["temperature"], 0.3);
    assert_eq!(place.told("temperature", &variable), (json!("0.3"), String::from("INSTRUCTOR_TEMPERATURE")));
    assert_eq!(place.body(&["--temperature", "0.4"], &variable)["temperature"], 0.4);
    // What is empty says nothing.
    assert_eq!(place.told("temperature", &[("INSTRUCTOR_TEMPERATURE", "")]).0, json!("0.2"));
    assert_eq!(place.body(&[], &[("INSTRUCTOR_TEMPERATURE", "")])["temperature"], 0.2);
    // A setting that only one of them has comes through, and the variable that was there first too.
    assert_eq!(place.body(&[], &[])["model"], "user");
    assert_eq!(place.body(&[], &[("INSTRUCTOR_MODEL", "openai/variable")])["model"], "variable");
    let table = place.run(&["config"], &[]).stdout;
    assert!(table.lines().any(|line| line.starts_with("temperature  0.2  ")), "{table}");
}

#[test]
fn what_a_file_says_wrong_is_told_with_what_to_do() {
    let place = Place::new("wrong");
    let secret = "sk-0123456789abcdef";
    let long = format!("openai_api_key = \"{secret}\"");
    let cases = [
        ("tiemout = 30", "did you mean \"timeout\"?"),
        ("max-retries = 3", "did you mean \"max_retries\"?"),
        ("colour = \"red\"", "settings are provider, "),
        ("timeout = \"soon\"", "\"timeout\": invalid value 'soon'"),
        ("mode = 5", "\"mode\": invalid value '5'"),
        ("temperature = true", "has to be a text or a number"),
        ("[extract]\ntimeout = 3", "there is no setting \"extract\""),
        ("timeout = ", "instructor.toml: "),
        (&long, "api_key_env names the variable"),
        ("base_url = \"http://elsewhere/v1\"", "not for a project's file to decide"),
        ("api_key_env = \"OTHER\"", "not for a project's file to decide"),
    ];
    for (text, said) in cases {
        place.project(text);
        for args in [&["config"][..], &["extract", "--schema", "{}", "--dry-run"]] {
            let ran = place.run(args, &[]);
            assert_eq!(ran.exit, 2, "{text}");
            assert!(ran.stderr.contains(said) && !ran.stderr.contains(secret), "{text}: {}", ran.stderr);
        }
        // What needs none of it is not held up.
        assert_eq!(place.run(&["providers"], &[]).exit, 0);
        assert_eq!(place.run(&["extract", "--help"], &[]).exit, 0);
    }
    // For a user they are his own.
    place.project("");
    place.user("base_url = \"http://elsewhere/v1\"\napi_key_env = \"OTHER\"\nprotocol = \"anthropic\"\n");
    assert_eq!(place.run(&["config"], &[]).exit, 0);
}

/// The words of all commands, those within commands too.
fn commands(place: &Place, within: &[String]) -> Vec<Vec<String>> {
    let words: Vec<&str> = within.iter().map(String::as_str).chain(["--help"]).collect();
    let help = place.run(&words, &[]).stdout;
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return vec![within.to_vec()] };
    let mut found = Vec::new();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        // A description that goes on stands further to the right.
        let name =
            line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split(' ').next());
        let Some(name) = name.filter(|name| *name != "help") else { continue };
        found.extend(commands(place, &[within, &[String::from(name)]].concat()));
    }
    found
}

#[test]
fn every_command_has_an_example_and_speaks_json() {
    let place = Place::new("all");
    let all = commands(&place, &[]);
    assert!(all.len() >= 11, "{all:?}");
    let readme = include_str!("../README.md");
    for words in &all {
        let name = words.join(" ");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = place.run(&[&words[..], &["--help"]].concat(), &[]).stdout;
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has no example"));
        assert!(examples.contains(&format!("instructor {name}")), "{name} has no example of its own");
        assert!(help.contains("--json"), "{name} does not speak JSON");
        assert!(readme.contains(&format!("`instructor {}", words[0])), "README has nothing on {name}");
    }
}

#[test]
fn what_goes_well_and_what_fails_is_json() {
    let place = Place::new("json");
    let schema = "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\"}}}";
    fs::write(place.0.join("project/deep/schema.json"), schema).unwrap();
    fs::write(place.0.join("project/deep/answer.txt"), "So: {'a': 1.50,").unwrap();
    let good: [(&[&str], &str); 9] = [
        (&["config", "--json"], "/settings/0/setting"),
        (&["providers", "--json"], "/0/id"),
        (&["schema", "--json", "--for", "openai", "schema.json"], "/schema/type"),
        (&["parse", "--json", "answer.txt", "--level", "salvage"], "/repairs/0/kind"),
        (&["parse", "--json", "answer.txt", "--level", "salvage"], "/truncated"),
        (&["decode", "--json", "--provider", "openai", "schema.json"], "/kind"),
        (&["completions", "--json", "zsh"], "/script"),
        (&["man", "--json", "run"], "/page"),
        (&["man", "--json", "--dir", "pages"], "/pages/0"),
    ];
    for (args, pointer) in good {
        let ran = place.run(args, &[]);
        assert_eq!(ran.exit, 0, "{args:?}: {}", ran.stderr);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(value.pointer(pointer).is_some(), "{args:?}: {value}");
    }
    let bad: [&[&str]; 5] = [
        &["extract", "--json", "--schema", "absent.json"],
        &["run", "--json", "absent.jsonl", "--schema", "{}", "-o", "out.jsonl", "--provider", "ollama/qwen3"],
        &["parse", "--json", "absent.txt"],
        &["usage", "--json", "absent.jsonl"],
        &["man", "--json", "absent"],
    ];
    for args in bad {
        let ran = place.run(args, &[]);
        assert!(ran.exit > 0 && ran.stdout.is_empty(), "{args:?}");
        let told: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(told["exit"], ran.exit, "{args:?}: {told}");
        assert!(told["error"].as_str().unwrap().contains("absent"), "{args:?}: {told}");
    }
}

#[test]
fn shells_and_readers_of_manuals_get_all_commands() {
    let place = Place::new("shell");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = place.run(&["completions", shell], &[]);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.contains("retry-errors"), "{shell}");
    }
    let page = place.run(&["man", "run"], &[]).stdout;
    assert!(
        page.contains(".SH NAME") && page.contains("retry\\-errors") && page.contains("instructor run tickets"),
        "{page}"
    );
    assert_eq!(place.run(&["man", "--dir", "pages"], &[]).exit, 0);
    let pages: Vec<String> = fs::read_dir(place.0.join("project/deep/pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        ["instructor.1", "instructor-run.1", "instructor-man.1"]
            .iter()
            .all(|page| pages.contains(&String::from(*page))),
        "{pages:?}"
    );
}
