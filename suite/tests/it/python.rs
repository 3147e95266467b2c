//! What Python Instructor 1.17 has by name: its modes, and its providers in each of them. The tables of COMPATIBILITY.md
//! are made from the same data.

use instructor::testing::{Reply, Script};
use instructor::{Mode, Profile};
use serde_json::json;

const MODES: &str = include_str!("../data/python/modes.tsv");
const PROVIDERS: &str = include_str!("../data/python/providers.tsv");

fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').take(N).collect::<Vec<_>>().try_into().unwrap())
}

#[test]
fn every_mode_of_python_parses_by_name_and_by_value() {
    let mut seen = 0;
    for [name, value, there, ours, note] in rows::<5>(MODES) {
        let ours: Mode = ours.parse().unwrap();
        for text in [name, &format!("Mode.{name}"), &name.to_lowercase().replace('_', "-")] {
            assert_eq!(text.parse::<Mode>().unwrap(), ours, "{text}");
        }
        let other = note.strip_prefix('(').and_then(|note| note.split_once(')'));
        let of_value: Mode = other.map_or(ours, |(word, _)| word.parse().unwrap());
        assert_eq!(value.parse::<Mode>().unwrap(), of_value, "{value}");
        // What a mode became there is the same here, unless the table says why not.
        let canonical = there.split([';', ' ']).next().unwrap();
        if canonical != "canonical" && canonical.parse::<Mode>().unwrap() != ours {
            let better = matches!((canonical, ours), ("MD_JSON", Mode::Json) | ("JSON", Mode::Schema));
            assert!(better || !note.is_empty(), "{name}");
        }
        seen += 1;
    }
    assert_eq!(seen, 38);
}

#[test]
fn a_mode_of_nobody_gets_a_suggestion() {
    for (text, near) in [("TOOL", "tools"), ("JSON_SCHEME", "json_schema"), ("PARALEL_TOOLS", "parallel_tools")] {
        let error = text.parse::<Mode>().unwrap_err().to_string();
        assert!(error.contains(&format!("Did you mean {near:?}?")), "{error}");
    }
}

#[test]
fn every_provider_string_of_python_is_known() {
    let mut seen = 0;
    for [python, row] in rows::<2>(PROVIDERS) {
        // Two rows of one provider, or no string of from_provider.
        if row == "openai_responses" || python.ends_with('*') {
            assert!(Profile::named(row).is_some(), "{row}");
            continue;
        }
        assert_eq!(Profile::named(python).unwrap().id(), row, "{python}");
        let client = instructor::Client::builder().provider(&format!("{python}/vendor/some-model"));
        let client = client.api_key("k").base_url("http://localhost").build().unwrap();
        assert!(format!("{client:?}").contains("vendor/some-model"), "{client:?}");
        seen += 1;
    }
    assert_eq!(seen, 23);
}

#[test]
fn names_are_known_however_they_are_spelt_and_others_get_a_suggestion() {
    for (text, row) in [
        ("Vertex-AI", "vertexai"),
        ("azure-openai", "azure_openai"),
        ("openai-responses", "openai_responses"),
        ("lm_studio", "lmstudio"),
        ("llama.cpp", "llamacpp"),
        ("Generative_AI", "gemini"),
    ] {
        assert_eq!(Profile::named(text).unwrap().id(), row, "{text}");
    }
    for (text, near) in
        [("gooogle", "google"), ("mistrall", "mistral"), ("antropic", "anthropic"), ("vertex", "vertexai")]
    {
        let error = instructor::from_provider(&format!("{text}/m")).unwrap_err().to_string();
        assert!(error.contains(&format!("Did you mean {near:?}?")), "{error}");
    }
}

#[instructor::model]
#[derive(PartialEq)]
enum Action {
    Search { query: String },
    Wait { seconds: u8 },
}

/// All of Python's modes with all of its providers, those too that it does not have together.
#[test]
fn every_provider_of_python_answers_in_every_mode() {
    const MODES: [&str; 5] = ["TOOLS", "JSON", "JSON_SCHEMA", "MD_JSON", "PARALLEL_TOOLS"];
    for [_, row, has, lacks] in rows::<4>(PROVIDERS) {
        assert!(has.split(' ').all(|mode| MODES.contains(&mode)), "{row}: {has}");
        let profile = Profile::named(row).unwrap();
        for name in MODES {
            let mode: Mode = name.parse().unwrap();
            let known = if mode == Mode::ParallelTools { Mode::Tools } else { mode };
            let lacks = lacks.split(' ').any(|lacks| lacks == name);
            assert_eq!(profile.modes().any(|mode| mode == known), !lacks, "{row} {name}");
            let action = ("Wait", json!({ "seconds": 3 }));
            let reply = match mode {
                Mode::ParallelTools => Reply::calls([action]),
                _ => Reply::value(json!([{ action.0: action.1 }])),
            };
            let script = Script::new().reply(reply);
            let client = script.client(&format!("{row}/some-model"));
            let request = client.request("Wait a bit.").mode(mode).create_with_completion::<Vec<Action>>();
            let (actions, completion) =
                script.block_on(request).unwrap_or_else(|error| panic!("{row} {name}: {error:#}"));
            assert_eq!(actions, [Action::Wait { seconds: 3 }], "{row} {name}");
            let attempts = completion.report.attempts();
            assert_eq!((attempts.len(), attempts[0].mode), (1, mode), "{row} {name}");
        }
    }
}
