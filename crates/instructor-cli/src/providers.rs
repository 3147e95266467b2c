//! `instructor providers`: who is known by name.

use instructor::{Mode, Profile};
use serde_json::{Value, json};

use crate::args::Providers;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(args: &Providers) -> Result<(), Failure> {
    let text = if args.json {
        let list: Vec<Value> = Profile::all().map(|profile| described(&profile)).collect();
        format!("{:#}", Value::from(list))
    } else if args.markdown {
        markdown()
    } else {
        table()
    };
    output::result(&text)
}

fn described(profile: &Profile) -> Value {
    json!({
        "id": profile.id(),
        "protocol": profile.protocol(),
        "base_url": profile.base_url(),
        "base_url_env": profile.base_url_env(),
        "key_env": profile.key_env().collect::<Vec<_>>(),
        "key_required": !profile.is_keyless() && profile.login_name().is_none(),
        "login": profile.login_name(),
        "mode": profile.mode().as_str(),
        "modes": profile.modes().map(Mode::as_str).collect::<Vec<_>>(),
        "dialect": profile.dialect().as_str(),
        "default_model": profile.default_model(),
        "docs": profile.docs(),
    })
}

/// The table of README.
fn markdown() -> String {
    let mut lines = vec![String::from("| provider | protocol | mode | key |"), String::from("|---|---|---|---|")];
    lines.extend(Profile::all().map(|profile| {
        let keys = profile.key_env().map(|name| format!("`{name}`"));
        let keys: Vec<String> = keys.chain(profile.login_name().map(login)).collect();
        let keys = if profile.is_keyless() { String::from("none needed") } else { keys.join(" or ") };
        let name = format!("`{}`", profile.id());
        let name = profile.docs().map_or(name.clone(), |docs| format!("[{name}]({docs})"));
        format!("| {name} | {} | {} | {keys} |", profile.protocol(), profile.mode())
    }));
    lines.join("\n")
}

const HEAD: [&str; 6] = ["PROVIDER", "PROTOCOL", "MODE", "KEY", "DEFAULT MODEL", "BASE URL"];

fn table() -> String {
    let mut rows = vec![HEAD.map(String::from)];
    rows.extend(Profile::all().map(|profile| row(&profile)));
    output::table(&rows)
}

fn row(profile: &Profile) -> [String; HEAD.len()] {
    let keys =
        profile.key_env().map(String::from).chain(profile.login_name().map(login)).collect::<Vec<_>>().join(" or ");
    let optional = if profile.is_keyless() { " (optional)" } else { "" };
    [
        String::from(profile.id()),
        String::from(profile.protocol()),
        profile.mode().to_string(),
        format!("{keys}{optional}"),
        String::from(profile.default_model().unwrap_or("-")),
        String::from(profile.base_url()),
    ]
}

/// What does in place of a key.
fn login(name: &str) -> String {
    format!("{name} credentials")
}
