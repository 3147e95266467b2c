//! The body that the library writes for a recorded job is the recorded one, but for differences that are listed here.

mod bedrock;
mod cohere;
mod ollama;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::bedrock::BEDROCK;
use self::cohere::COHERE;
use self::ollama::OLLAMA;
use super::convert::Asked;
use super::convert_gemini::GEMINI;
use super::corpus::{Dialect, all};
use super::media;
use super::responses::RESPONSES;
use crate::provider::{Profile, Quirks};

/// A way in which bodies may differ, and what takes it out of both.
pub(super) struct Difference {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    /// Gets the recorded body and ours.
    pub(super) level: fn(&mut Value, &mut Value),
}

const OPENAI: &[Difference] = &[
    Difference {
        what: "ttl: 5m of a mark",
        why: "it is the default",
        level: |recorded, _| {
            each(recorded, "messages", |message| each(message, "content", short));
        },
    },
    Difference {
        what: "max_completion_tokens and max_tokens",
        why: "a profile has one name for it, clients choose",
        level: |recorded, ours| {
            for body in [recorded, ours] {
                if let Some(limit) = body.as_object_mut().unwrap().remove("max_completion_tokens") {
                    body["max_tokens"] = limit;
                }
            }
        },
    },
    Difference {
        what: "a list of one text",
        why: "it says what the string says, and every server takes the string",
        level: |recorded, _| each(recorded, "messages", |message| one_text(&mut message["content"])),
    },
    Difference {
        what: "no content, or an empty text, beside tool calls",
        why: "null is the form of the protocol",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                let silent = message["content"].as_str().unwrap_or_default().is_empty();
                if message["role"] == "assistant" && silent && !message["tool_calls"].is_null() {
                    message["content"] = Value::Null;
                }
            });
        },
    },
    Difference {
        what: "null fields of a message",
        why: "they say nothing",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                message.as_object_mut().unwrap().retain(|key, value| key == "content" || !value.is_null());
            });
        },
    },
    Difference {
        what: "null fields of a part",
        why: "they say nothing",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                each(message, "content", |part| part.as_object_mut().unwrap().retain(|_, value| !value.is_null()));
            });
        },
    },
    Difference {
        what: "prefix: false",
        why: "it is the default",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                if message["prefix"] == false {
                    message.as_object_mut().unwrap().remove("prefix");
                }
            });
        },
    },
    Difference {
        what: "the index of a call",
        why: "some clients send it back; it belongs to streams",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                each(message, "tool_calls", |call| _ = call.as_object_mut().unwrap().remove("index"));
            });
        },
    },
    Difference {
        what: "no tool_choice",
        why: "it means auto",
        level: |recorded, ours| {
            if recorded["tool_choice"].is_null() && ours["tool_choice"] == "auto" {
                recorded["tool_choice"] = json!("auto");
            }
        },
    },
    Difference {
        what: "no strict in a format",
        why: "it means false",
        level: |recorded, _| {
            let format = &mut recorded["response_format"];
            if format["type"] == "json_schema" && format["json_schema"]["strict"].is_null() {
                format["json_schema"]["strict"] = json!(false);
            }
        },
    },
];

const ANTHROPIC: &[Difference] = &[
    Difference {
        what: "a list of one text",
        why: "it says what the string says",
        level: |recorded, _| {
            if !recorded["system"].is_null() {
                one_text(&mut recorded["system"]);
            }
            each(recorded, "messages", |message| {
                one_text(&mut message["content"]);
                each(message, "content", |block| {
                    if block["type"] == "tool_result" {
                        one_text(&mut block["content"]);
                    }
                });
            });
        },
    },
    Difference {
        what: "is_error: false",
        why: "it is the default",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                each(message, "content", |block| {
                    if block["is_error"] == false {
                        block.as_object_mut().unwrap().remove("is_error");
                    }
                });
            });
        },
    },
    Difference {
        what: "disable_parallel_tool_use",
        why: "one value is wanted, so one call",
        level: |recorded, ours| {
            if recorded["tool_choice"]["disable_parallel_tool_use"].is_null() && !ours["tool_choice"].is_null() {
                ours["tool_choice"].as_object_mut().unwrap().remove("disable_parallel_tool_use");
            }
        },
    },
    Difference {
        what: "no tool_choice",
        why: "it means auto",
        level: |recorded, ours| {
            if recorded["tool_choice"].is_null() && ours["tool_choice"]["type"] == "auto" {
                recorded["tool_choice"] = json!({"type": "auto"});
            }
        },
    },
];

/// Does something to each item of a list, if there is one.
pub(super) fn each(of: &mut Value, key: &str, mut f: impl FnMut(&mut Value)) {
    if let Some(items) = of.get_mut(key).and_then(Value::as_array_mut) {
        items.iter_mut().for_each(&mut f);
    }
}

/// Without the time of a mark that is the default.
fn short(block: &mut Value) {
    if block["cache_control"]["ttl"] == "5m" {
        block["cache_control"].as_object_mut().unwrap().remove("ttl");
    }
}

fn one_text(content: &mut Value) {
    if let Some([block]) = content.as_array().map(Vec::as_slice)
        && block["type"] == "text"
        && block.get("cache_control").is_none()
    {
        *content = block["text"].clone();
    }
}

/// Without null fields at the top and with whole numbers as such: `1.0` is `1`.
fn settle(body: &mut Value) {
    let map = body.as_object_mut().unwrap();
    map.retain(|_, value| !value.is_null());
    for value in map.values_mut() {
        if let Some(n) = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15) {
            *value = json!(n as i64);
        }
    }
}

#[test]
fn the_body_is_the_recorded_one() {
    let mut compared: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut skipped: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut used: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut differ = Vec::new();
    let (mut with_media, mut refused) = (0, 0);
    for exchange in all() {
        let (dialect, differences) = match exchange.dialect {
            Dialect::OpenAiChat => ("openai_chat", OPENAI),
            Dialect::Anthropic => ("anthropic", ANTHROPIC),
            Dialect::Gemini => ("gemini", GEMINI),
            Dialect::Cohere => ("cohere", COHERE),
            Dialect::Bedrock => ("bedrock", BEDROCK),
            Dialect::OpenAiResponses => ("openai_responses", RESPONSES),
            Dialect::Ollama => ("ollama", OLLAMA),
        };
        let asked = match Asked::read(exchange.dialect, exchange.request()) {
            Ok(asked) => asked,
            Err(why) => {
                *skipped.entry((dialect, why)).or_default() += 1;
                continue;
            }
        };
        let profile = exchange.profile().with_quirks(Quirks::ECHO_REASONING);
        if media::is_refused(&asked, &profile) {
            assert!(exchange.status() >= 400, "{}: the server took what is refused here", exchange.name);
            refused += 1;
            continue;
        }
        let body = asked.with(|call| profile.wire().encode(call, &profile)).unwrap();
        let mut ours: Value = serde_json::from_slice(&body).unwrap();
        let mut recorded = exchange.request().clone();
        settle(&mut recorded);
        settle(&mut ours);
        for Difference { what, level, .. } in differences {
            let before = (recorded.clone(), ours.clone());
            level(&mut recorded, &mut ours);
            settle(&mut recorded);
            settle(&mut ours);
            if before != (recorded.clone(), ours.clone()) {
                *used.entry((dialect, *what)).or_default() += 1;
            }
        }
        if recorded == ours {
            *compared.entry((dialect, asked.output())).or_default() += 1;
            with_media += usize::from(media::is_in(&asked));
        } else {
            differ.push(format!("{}:\n  {ours}\n  {recorded}", exchange.name));
        }
    }
    println!("compared: {compared:?}\nskipped: {skipped:?}\ndiffering in: {used:?}");
    println!("with media: {with_media}, refused here and there: {refused}");
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    if all().is_empty() {
        return;
    }
    let floors = [
        ("openai_chat", 640),
        ("anthropic", 136),
        ("gemini", 178),
        ("cohere", 19),
        ("bedrock", 84),
        ("openai_responses", 189),
        ("ollama", 20),
    ];
    for (dialect, floor) in floors {
        let sum: usize = compared.iter().filter(|((d, _), _)| *d == dialect).map(|(_, n)| n).sum();
        assert!(sum >= floor, "{dialect}: {sum} of {floor}");
    }
    let tables = [
        ("openai_chat", OPENAI),
        ("anthropic", ANTHROPIC),
        ("gemini", GEMINI),
        ("cohere", COHERE),
        ("bedrock", BEDROCK),
        ("openai_responses", RESPONSES),
        ("ollama", OLLAMA),
    ];
    for (dialect, differences) in tables {
        for Difference { what, why, .. } in differences {
            assert!(used.contains_key(&(dialect, *what)), "nothing differs in {what} ({why})");
        }
    }
}

#[test]
fn servers_that_take_only_words_are_told_that_some_tool_has_to_be_called() {
    let body = json!({
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "max_tokens": 7,
    });
    let asked = Asked::read(Dialect::OpenAiChat, &body).unwrap();
    let any = Profile::openai_compatible("any", "http://localhost/v1");
    let encoded = |profile: &Profile| -> Value {
        serde_json::from_slice(&asked.with(|call| profile.wire().encode(call, profile)).unwrap()).unwrap()
    };
    assert_eq!(encoded(&any), body);
    let words = encoded(&any.with_quirks(Quirks::CHOICE_IS_WORD).with_max_tokens_field("max_completion_tokens"));
    assert_eq!(words["tool_choice"], "required");
    assert_eq!((&words["max_tokens"], &words["max_completion_tokens"]), (&Value::Null, &json!(7)));
}
