use std::collections::HashMap;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Message, Part, Template, ToolCall};
use serde_json::json;

use crate::{MODES, SPECS};

/// A person, {{ who }}, {% raw
#[instructor::model]
#[derive(PartialEq)]
struct Person {
    /// {{ who }} again, {% endif %}
    name: String,
}

#[test]
fn a_template_is_rendered_for_every_provider_and_the_schema_is_not() {
    let messages = [Message::system("Speak {{ language }}."), Message::user("Who is {{ who }}?")];
    let template = Template::new(messages).unwrap();
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new()
                .reply(Reply::value(json!({ "name": ["{{ who }}", 1] })))
                .reply(Reply::value(json!({ "name": "{{ who }}" })));
            let client = script.client(spec);
            let messages = template.render(json!({ "language": "Klingon", "who": "Worf {{ who }}" })).unwrap();
            let person: Person = script.block_on(client.request(messages).mode(*mode).create()).unwrap();
            assert_eq!(person.name, "{{ who }}", "{spec} {mode:?}");
            assert_eq!(script.sent().len(), 2);
            for sent in script.sent() {
                let sent = String::from_utf8(sent.body().to_vec()).unwrap();
                assert!(sent.contains("Speak Klingon."), "{spec} {mode:?}: {sent}");
                assert!(sent.contains("Who is Worf {{ who }}?"), "{spec} {mode:?}: {sent}");
                assert!(sent.contains("{{ who }} again, {% endif %}"), "{spec} {mode:?}: {sent}");
            }
        }
    }
}

#[test]
fn what_is_not_there_is_an_error_with_its_place() {
    let variables = json!({ "user": { "name": "SECRET", "age": 3 }, "tags": ["a"] });
    for (template, says) in [
        ("{{ nmae }}", "message 1, line 1: `nmae` is undefined; the variables have user, tags."),
        ("a\n\n{{ user.nmae }}", "message 1, line 3: `user.nmae` is undefined; `user` has name, age."),
        ("\n    a\n    {{ user.x.y }}\n", "message 1, line 3: `user.x` is undefined; `user` has name, age."),
        ("{{ user.nmae | upper }}", "`user.nmae` is undefined; `user` has name, age."),
        ("{% if nmae %}{% endif %}", "`nmae` is undefined"),
        ("{% for t in tags %}{{ t.x }}{% endfor %}", "`t.x` is undefined; the variables have user, tags."),
        ("{{ nmae }}", "has a default: {{ nmae | default(\"\") }}"),
        ("{{ user | nosuch }}", "filter nosuch is unknown"),
        ("{{ user.name + 1 }}", "line 1: tried to use + operator"),
    ] {
        let error = Template::new(template).unwrap().render(&variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(says), "{template}: {error}");
        assert!(!format!("{error} {error:?} {error:#}").contains("SECRET"), "{error:?}");
    }
    let missing = Template::new("{{ nmae | default('nobody') }}{% if nmae is defined %}!{% endif %}").unwrap();
    assert_eq!(missing.render(&variables).unwrap()[0].text(), "nobody");
}

#[test]
fn what_is_no_template_is_refused_when_it_is_made() {
    let error = Template::new([Message::system("fine"), Message::user("\n  a\n  {{ user")]).unwrap_err();
    assert!(error.to_string().contains("message 2, line 3: unexpected end of input"), "{error}");
    let error = Template::new("{{ x }}").unwrap().render(["no", "map"]).unwrap_err();
    assert!(error.to_string().contains("are a map or a struct; this is a sequence"), "{error}");
    assert_eq!(Template::new("plain").unwrap().render(()).unwrap()[0].text(), "plain");
}

#[test]
fn values_are_data_and_nothing_is_escaped() {
    let template = "{{ a }}|{{ b | tojson }}|<d>{{ c | xml }}</d>\n{{ d | fence('md') }}\n{{ e | fence }}";
    let variables = json!({
        "a": "{{ b }} {% raw %} <&> \"q\"",
        "b": { "z": 1, "a": ["<", null] },
        "c": "</d> & more",
        "d": "code ``` ends",
        "e": 7,
    });
    assert_eq!(
        Template::new(template).unwrap().render(variables).unwrap()[0].text(),
        "{{ b }} {% raw %} <&> \"q\"|{\"z\":1,\"a\":[\"<\",null]}|<d>&lt;/d&gt; &amp; more</d>\n\
         ````md\ncode ``` ends\n````\n```\n7\n```"
    );
}

#[test]
fn indentation_of_the_code_and_lines_of_blocks_are_left_out() {
    let template = Template::new(
        "
        Items:
          {% for item in items %}
          - {{ item }}
          {% endfor %}

        End.
        ",
    );
    let items = HashMap::from([("items", ["a\n        b", "c"])]);
    assert_eq!(template.unwrap().render(items).unwrap()[0].text(), "Items:\n  - a\n        b\n  - c\n\nEnd.");
}

#[test]
fn what_was_said_is_no_template() {
    let call = ToolCall::new("1", "look", r#"{"a": "{{ x }}"}"#);
    let messages = [
        Message::user("{{ x }}").with("{{ x }}!"),
        Message::assistant("{{ x }}").with(Part::ToolCall(call)),
        Message::tool("1", "{{ x }}"),
    ];
    let rendered = Template::new(messages).unwrap().render(json!({ "x": 1 })).unwrap();
    assert_eq!(rendered[0].text(), "1\n1!");
    assert_eq!(rendered[1].text(), "{{ x }}");
    assert!(format!("{:?}", rendered[2]).contains("{{ x }}"));
}

#[test]
fn a_template_that_runs_away_is_stopped() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    for template in [endless, "{{ 'x' * 1000000000 }}"] {
        let error = Template::new(template).unwrap().render(()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    let loops = Template::new("{% for a in range(100) %}x{% endfor %}").unwrap();
    assert_eq!(loops.render(()).unwrap()[0].text().len(), 100);
    let error = loops.with_fuel(50).render(()).unwrap_err();
    assert!(error.to_string().contains("with_fuel(..) lets it do more"), "{error}");
    assert!(Template::new("{% include 'x' %}").is_err());
}

#[test]
fn one_template_makes_the_messages_of_many_requests() {
    let script = (0..3).fold(Script::new(), |script, n| script.reply(Reply::value(n)));
    let client = script.client("openai/gpt-5-mini");
    let template = Template::new("What is {{ n }}?").unwrap();
    let messages: Vec<_> = (0..3).map(|n| template.render(json!({ "n": n })).unwrap()).collect();
    for (n, messages) in messages.into_iter().enumerate() {
        let answer: usize = script.block_on(client.create(messages)).unwrap();
        assert_eq!(answer, n);
        assert!(script.sent()[n].json()["messages"].to_string().contains(&format!("What is {n}?")));
    }
}
