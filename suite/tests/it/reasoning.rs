//! How much a model is to think: what each server is told, what can't be said, and what becomes of forced calls.

use instructor::testing::{Reply, Script};
use instructor::{Client, Effort, ErrorKind, Mode, Profile, Reasoning};
use serde_json::{Map, Value, json};

#[instructor::model]
struct User {
    name: String,
}

const OFF: Reasoning = Reasoning::Off;
const LOW: Reasoning = Reasoning::Effort(Effort::Low);
const HIGH: Reasoning = Reasoning::Effort(Effort::High);
const MAX: Reasoning = Reasoning::Effort(Effort::Max);
const BUDGET: Reasoning = Reasoning::Budget(3000);

fn client(spec: &str) -> Client {
    Script::new().client(spec)
}

/// What a setting changes in the body, or why it can't be said.
fn told(spec: &str, reasoning: Reasoning) -> Result<Value, String> {
    let client = client(spec);
    let body = |reasoning: Option<Reasoning>| {
        let request = client.request("x");
        let request = reasoning.into_iter().fold(request, |request, reasoning| request.reasoning(reasoning));
        request.preview::<User>().map(|preview| preview.json())
    };
    let plain = body(None).unwrap();
    match body(Some(reasoning)) {
        Ok(body) => Ok(added(&plain, &body)),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            Err(error.to_string())
        }
    }
}

/// What the second has and the first has not.
fn added(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return after.clone() };
    let fields = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let fields: Map<String, Value> =
        fields.map(|(key, value)| (key.clone(), added(old.get(key).unwrap_or(&Value::Null), value))).collect();
    fields.into()
}

#[test]
fn every_server_is_told_in_its_own_words() {
    let thinking = |budget: u64| json!({ "type": "enabled", "budget_tokens": budget });
    let levels = |config: Value| json!({ "generationConfig": { "thinkingConfig": config } });
    let within = |fields: Value| json!({ "additionalModelRequestFields": fields });
    let cases = [
        ("openai/gpt-5-mini", LOW, json!({ "reasoning_effort": "low" })),
        ("openai/gpt-5.1", OFF, json!({ "reasoning_effort": "none" })),
        ("openai/gpt-4o", OFF, json!({})),
        ("openai_responses/gpt-5.6", MAX, json!({ "reasoning": { "effort": "max" } })),
        ("azure_openai/my-deployment", HIGH, json!({ "reasoning_effort": "high" })),
        (
            "anthropic/claude-opus-4-7",
            HIGH,
            json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": "high" } }),
        ),
        ("anthropic/claude-opus-5", OFF, json!({ "thinking": { "type": "disabled" } })),
        ("gemini/gemini-2.5-flash", OFF, levels(json!({ "thinkingBudget": 0 }))),
        ("gemini/gemini-2.5-flash", LOW, levels(json!({ "thinkingBudget": 2048 }))),
        ("gemini/gemini-2.5-pro", BUDGET, levels(json!({ "thinkingBudget": 3000 }))),
        ("gemini/gemini-3-flash-preview", HIGH, levels(json!({ "thinkingLevel": "high" }))),
        ("vertexai/gemini-3-pro-preview", LOW, levels(json!({ "thinkingLevel": "low" }))),
        (
            "bedrock/us.anthropic.claude-opus-4-8-v1:0",
            MAX,
            within(json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": "max" } })),
        ),
        ("bedrock/openai.gpt-oss-120b-1:0", LOW, within(json!({ "reasoning_effort": "low" }))),
        ("bedrock/qwen.qwen3-32b-v1:0", HIGH, within(json!({ "reasoning_config": "high" }))),
        (
            "bedrock/us.amazon.nova-2-lite-v1:0",
            LOW,
            within(json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "low" } })),
        ),
        (
            "cohere/command-a-reasoning-08-2025",
            BUDGET,
            json!({ "thinking": { "type": "enabled", "token_budget": 3000 } }),
        ),
        ("cohere/command-a-reasoning-08-2025", OFF, json!({ "thinking": { "type": "disabled" } })),
        ("openrouter/openai/gpt-5.2", HIGH, json!({ "reasoning": { "effort": "high" } })),
        ("openrouter/anthropic/claude-haiku-4.5", BUDGET, json!({ "reasoning": { "max_tokens": 3000 } })),
        // A router translates, whatever the model behind it takes.
        ("openrouter/anthropic/claude-sonnet-4.5", HIGH, json!({ "reasoning": { "effort": "high" } })),
        ("openrouter/openai/gpt-5.2", BUDGET, json!({ "reasoning": { "max_tokens": 3000 } })),
        ("openrouter/anthropic/claude-opus-4.7", HIGH, json!({ "reasoning": { "effort": "high" } })),
        ("openrouter/qwen/qwen3-32b", OFF, json!({ "reasoning": { "enabled": false } })),
        ("groq/openai/gpt-oss-120b", LOW, json!({ "reasoning_effort": "low" })),
        ("groq/qwen/qwen3-32b", OFF, json!({ "reasoning_effort": "none" })),
        ("deepseek/deepseek-v4-flash", HIGH, json!({ "thinking": { "type": "enabled" }, "reasoning_effort": "high" })),
        ("moonshot/kimi-k3", MAX, json!({ "reasoning_effort": "max" })),
        ("moonshot/kimi-k2.6", OFF, json!({ "thinking": { "type": "disabled" } })),
        ("zai/glm-5.3", MAX, json!({ "reasoning_effort": "max" })),
        ("xai/grok-3-mini", HIGH, json!({ "reasoning_effort": "high" })),
        ("ollama_chat/qwen3:4b", OFF, json!({ "think": false })),
        ("ollama_chat/gpt-oss:20b", HIGH, json!({ "think": "high" })),
        ("vllm/Qwen/Qwen3-8B", OFF, json!({ "chat_template_kwargs": { "enable_thinking": false } })),
        ("litellm/claude", BUDGET, json!({ "thinking": thinking(3000) })),
        ("my-own/model", LOW, json!({ "reasoning_effort": "low" })),
    ];
    for (spec, reasoning, wanted) in cases {
        let told = match spec.strip_prefix("my-own/") {
            None => told(spec, reasoning),
            Some(model) => {
                let profile = Profile::openai_compatible("my-own", "http://localhost:8000/v1");
                let client = Script::new().builder("openai/m").profile(profile).model(model).build().unwrap();
                let body = client.request("x").reasoning(reasoning).preview::<User>().unwrap().json();
                Ok(json!({ "reasoning_effort": body["reasoning_effort"] }))
            }
        };
        assert_eq!(told.as_ref(), Ok(&wanted), "{spec} {reasoning}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_with_what_can() {
    let cases = [
        ("openai/gpt-5-mini", OFF, "always thinks; it takes an effort (minimal, low, medium, high)"),
        ("openai/gpt-5-mini", MAX, "it takes an effort (minimal, low, medium, high)"),
        ("openai/gpt-5-mini", BUDGET, "it takes an effort (minimal, low, medium, high)"),
        ("openai/gpt-4o", LOW, "the model does not think"),
        ("openai_responses/gpt-5.6", Reasoning::Effort(Effort::Minimal), "an effort (low, medium, high, xhigh, max)"),
        ("anthropic/claude-opus-4-7", BUDGET, "it takes an effort (low, medium, high, xhigh, max)"),
        ("anthropic/claude-haiku-4-5", Reasoning::Budget(1000), "it takes a budget of 1024 tokens or more"),
        ("anthropic/claude-haiku-4-5", MAX, "it takes a budget of 1024 tokens or more"),
        ("gemini/gemini-2.5-pro", OFF, "always thinks; it takes a budget from 128 to 32768 tokens"),
        ("gemini/gemini-2.5-flash", Reasoning::Effort(Effort::XHigh), "it takes a budget from 1 to 24576 tokens"),
        ("gemini/gemini-2.0-flash", LOW, "the model does not think"),
        ("gemini/gemini-3-pro-preview", BUDGET, "it takes an effort (low, medium, high)"),
        ("bedrock/meta.llama3-1-8b-instruct-v1:0", LOW, "it takes nothing that can be set"),
        ("groq/qwen/qwen3-32b", LOW, "it takes nothing that can be set"),
        ("xai/grok-3-mini", OFF, "can't be turned off there; it takes an effort (low, high)"),
        ("xai/grok-4-fast", LOW, "it takes nothing that can be set"),
        ("writer/palmyra-x5", LOW, "it takes nothing that can be set"),
        ("cohere/command-a-03-2025", BUDGET, "the model does not think"),
    ];
    for (spec, reasoning, wanted) in cases {
        let error = told(spec, reasoning).unwrap_err();
        assert!(error.contains(wanted), "{spec} {reasoning}: {error}");
    }
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    let client = client("anthropic/claude-haiku-4-5");
    // The API has no default limit: ours is on top of the budget.
    let body = client.request("x").reasoning(BUDGET).preview::<User>().unwrap().json();
    assert_eq!(body["max_tokens"], 8192 + 3000);
    let body = client.request("x").reasoning(BUDGET).max_tokens(3001).preview::<User>().unwrap().json();
    assert_eq!(body["max_tokens"], 3001);
    for (spec, reasoning) in [
        ("anthropic/claude-haiku-4-5", BUDGET),
        ("anthropic/claude-haiku-4-5", HIGH),
        ("gemini/gemini-2.5-flash", BUDGET),
        ("bedrock/anthropic.claude-haiku-4-5-v1:0", BUDGET),
    ] {
        let error =
            self::client(spec).request("x").reasoning(reasoning).max_tokens(3000).preview::<User>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("max_tokens 3000 leaves no room"), "{spec}: {error}");
    }
}

#[test]
fn the_callers_own_fields_win() {
    let client = client("anthropic/claude-haiku-4-5");
    let own = json!({ "type": "disabled" });
    let body = client.request("x").reasoning(HIGH).extra("thinking", &own).preview::<User>().unwrap().json();
    assert_eq!((&body["thinking"], &body["max_tokens"]), (&own, &json!(8192)));
    // Beside what they do not say it stands.
    let shown = json!({ "display": "omitted" });
    let body = client.request("x").reasoning(LOW).extra("thinking", &shown).preview::<User>().unwrap().json();
    assert_eq!(body["thinking"], json!({ "display": "omitted", "type": "enabled", "budget_tokens": 2048 }));
    let summary = json!({ "summary": "auto" });
    let responses = self::client("openai_responses/gpt-5");
    let body = responses.request("x").reasoning(LOW).extra("reasoning", &summary).preview::<User>().unwrap().json();
    assert_eq!(body["reasoning"], json!({ "summary": "auto", "effort": "low" }));
    let config = json!({ "topP": 0.5 });
    let gemini = self::client("gemini/gemini-2.5-flash");
    let body = gemini.request("x").reasoning(OFF).extra("generationConfig", &config).preview::<User>().unwrap().json();
    assert_eq!(
        (&body["generationConfig"]["topP"], &body["generationConfig"]["thinkingConfig"]),
        (&json!(0.5), &json!({ "thinkingBudget": 0 }))
    );
    // The effort stands beside the schema, also the caller's own.
    let opus = self::client("anthropic/claude-opus-4-7");
    for request in
        [opus.request("x").reasoning(HIGH), opus.request("x").extra("output_config", json!({ "effort": "high" }))]
    {
        let body = request.mode(Mode::Schema).preview::<User>().unwrap().json();
        assert_eq!(body["output_config"]["effort"], "high");
        assert_eq!(body["output_config"]["format"]["type"], "json_schema");
    }
}

/// What `Auto` starts with, and whether a call is forced in mode tools: the table at `Mode`.
#[test]
fn no_call_is_forced_where_it_is_refused() {
    let enabled = json!({ "type": "enabled", "budget_tokens": 2000 });
    // model, setting, own field, mode of Auto, forced in mode tools
    let cases = [
        ("anthropic/claude-haiku-4-5", None, None, Mode::Tools, true),
        ("anthropic/claude-haiku-4-5", Some(BUDGET), None, Mode::Schema, false),
        ("anthropic/claude-haiku-4-5", None, Some(("thinking", &enabled)), Mode::Schema, false),
        ("anthropic/claude-haiku-4-5", Some(OFF), None, Mode::Tools, true),
        ("anthropic/claude-opus-4-7", Some(HIGH), None, Mode::Tools, true),
        ("anthropic/claude-fable-5", None, None, Mode::Schema, false),
        ("bedrock/anthropic.claude-haiku-4-5-v1:0", Some(BUDGET), None, Mode::Schema, false),
        ("bedrock/anthropic.claude-haiku-4-5-v1:0", None, None, Mode::Tools, true),
        ("deepseek/deepseek-v4-flash", None, None, Mode::Tools, false),
        ("deepseek/deepseek-v4-flash", Some(OFF), None, Mode::Tools, true),
        ("deepseek/deepseek-chat", None, None, Mode::Tools, true),
        ("dashscope/qwen-plus", Some(BUDGET), None, Mode::Schema, false),
        ("dashscope/qwen-plus", None, None, Mode::Tools, true),
        ("openai/gpt-5-mini", Some(LOW), None, Mode::Schema, true),
        ("gemini/gemini-2.5-flash", Some(LOW), None, Mode::Schema, true),
    ];
    for (spec, reasoning, own, auto, forced) in cases {
        let client = client(spec);
        let preview = |mode: Mode| {
            let request = client.request("x").mode(mode);
            let request = reasoning.into_iter().fold(request, |request, reasoning| request.reasoning(reasoning));
            let request = own.into_iter().fold(request, |request, (key, value)| request.extra(key, value));
            request.preview::<User>().unwrap()
        };
        assert_eq!(preview(Mode::Auto).mode(), auto, "{spec} {reasoning:?}");
        let body = preview(Mode::Tools).json();
        let choice =
            [&body["tool_choice"], &body["toolConfig"]["toolChoice"], &body["toolConfig"]["functionCallingConfig"]];
        let choice = format!("{choice:?}");
        let is_forced = ["tool\"", "function\"", "ANY"].iter().any(|word| choice.contains(word));
        assert_eq!(is_forced, forced, "{spec} {reasoning:?}: {choice}");
        // Where it can't be forced the model is asked for it.
        assert_eq!(body.to_string().contains("Answer with a call of the tool"), !forced, "{spec} {reasoning:?}");
    }
}

#[test]
fn tools_that_are_refused_while_a_model_reasons_are_not_sent() {
    let client = client("openai/gpt-5.5");
    let tools = |reasoning| client.request("x").mode(Mode::Tools).reasoning(reasoning).preview::<User>();
    let error = tools(LOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("takes no tools on this protocol while it reasons"), "{error}");
    assert_eq!(tools(OFF).unwrap().mode(), Mode::Tools);
    let responses = self::client("openai_responses/gpt-5.5");
    assert_eq!(responses.request("x").mode(Mode::Tools).reasoning(LOW).preview::<User>().unwrap().mode(), Mode::Tools);
}

#[test]
fn it_is_said_to_the_call_that_thinks() {
    let script = Script::new().reply(Reply::text("It is Ada.")).reply(Reply::value(json!({ "name": "Ada" })));
    let client = script.client("anthropic/claude-haiku-4-5");
    let request = client.request("x").mode(Mode::ThinkThenShape).reasoning(LOW);
    let user: User = script.block_on(request.create()).unwrap();
    assert_eq!(user.name, "Ada");
    let [first, second] = &script.sent()[..] else { panic!("two calls") };
    assert_eq!(first.json()["thinking"]["budget_tokens"], 2048);
    assert_eq!((&second.json()["thinking"], &second.json()["tool_choice"]["type"]), (&Value::Null, &json!("tool")));
}

#[test]
fn it_is_read_as_people_write_it() {
    for (text, wanted) in [("off", OFF), ("none", OFF), (" Low", LOW), ("high", HIGH), ("3000", BUDGET), ("max", MAX)] {
        assert_eq!(text.parse::<Reasoning>().unwrap(), wanted);
        assert_eq!(wanted.to_string().parse::<Reasoning>().unwrap(), wanted);
    }
    let error = "hard".parse::<Reasoning>().unwrap_err().to_string();
    assert!(error.contains("write off, minimal, low"), "{error}");
}
