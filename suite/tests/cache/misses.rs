//! Stored answers that can't be taken, stores that fail, and answers that are not stored.

use std::future::{pending, ready};

use instructor::cache::{CacheError, CacheEvent, CacheKey, Errand, Miss, Uncached};
use instructor::testing::{Reply, Script};
use instructor::{
    BoxFuture, Budget, ErrorKind, Level, Mode, RepairKind, Salvaged, Secret, Target, TransportErrorKind, Truncated,
};

use super::*;

#[test]
fn a_damaged_entry_is_a_miss_and_is_replaced() {
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| *bytes = b"something else\n{}".to_vec(),
        |bytes| bytes.splice(0..18, *b"instructor-cache 9").for_each(drop),
    ];
    for damage in damages {
        let script = always(ada());
        let glass = Glass::default();
        let client = client(&script, glass.clone());
        ask(&script, &client);
        glass.change(damage);
        let (_, completion) = ask(&script, &client);
        assert_eq!(words(&completion.report), ["unreadable", "stored"]);
        assert_eq!(words(&ask(&script, &client).1.report), ["hit"]);
        assert_eq!(script.sent().len(), 2);
    }
}

#[test]
fn a_stored_answer_is_validated_by_the_rules_of_the_request() {
    for (context, path) in [(Context::new().with(From(40)), "older"), (Context::new().with(To(30)), "younger")] {
        let age = if path == "older" { 41 } else { 29 };
        let script = script([ada(), json!({ "name": "Ada", "age": age })]);
        let client = client(&script, MemoryCache::new());
        ask(&script, &client);
        let request = client.request("Ada is 36").context(context).create_with_completion::<User>();
        let (user, completion) = script.block_on(request).unwrap();
        assert_eq!(user.age, age);
        assert_eq!(words(&completion.report), ["invalid", "stored"]);
        let CacheEvent::Miss(Miss::Invalid(why)) = &completion.report.cache()[0] else { panic!() };
        assert!(why.contains(path) && !why.contains("36"), "{why}");
        // Each attempt is one of the request: the stored answer was none.
        assert_eq!(completion.report.attempts().len(), 1);
    }
}

/// A store that does one thing badly.
struct Broken(Errand, bool);

impl Broken {
    fn say<T: Send + 'static>(&self, errand: Errand, well: T) -> BoxFuture<'_, Result<T, CacheError>> {
        match (errand == self.0, self.1) {
            (false, _) => Box::pin(ready(Ok(well))),
            (true, false) => Box::pin(ready(Err("the disk is full".into()))),
            (true, true) => Box::pin(pending()),
        }
    }
}

impl Cache for Broken {
    fn get(&self, _: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        self.say(Errand::Get, None)
    }

    fn set(&self, _: CacheKey, _: Bytes, _: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        self.say(Errand::Set, ())
    }

    fn claim(&self, _: CacheKey, _: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        self.say(Errand::Claim, true)
    }
}

#[test]
fn a_store_that_fails_fails_no_request() {
    for errand in [Errand::Get, Errand::Claim, Errand::Set] {
        for hangs in [false, true] {
            let script = always(ada());
            let budget = Budget::new().with_deadline(Duration::from_millis(20));
            let build = || script.builder(SPEC).cache(Broken(errand, hangs)).budget(budget);
            let client = instructor::blocking::Client::build_with(build(), script.clone()).unwrap();
            let (user, completion) = client.create_with_completion::<User>("x").unwrap();
            assert_eq!(user.age, 36);
            let failed = completion.report.cache().iter().find_map(|event| match event {
                CacheEvent::Failed(errand, why) => Some((*errand, why.as_str())),
                _ => None,
            });
            let why = if hangs { "nothing came for 20ms" } else { "the disk is full" };
            assert_eq!(failed, Some((errand, why)), "{errand:?}");
        }
    }
}

fn reasons(completion: &Completion) -> Vec<Uncached> {
    let reason = |event: &CacheEvent| match event {
        CacheEvent::Unused(why) => Some(*why),
        _ => None,
    };
    completion.report.cache().iter().filter_map(reason).collect()
}

#[test]
fn nothing_is_stored_of_what_is_no_value() {
    let said = |message: Value, finish: &str| {
        Reply::json(json!({ "choices": [{ "message": message, "finish_reason": finish }] }))
    };
    let refused = said(json!({ "refusal": "no" }), "stop");
    let cut = said(json!({ "content": "{\"name\":\"Ada\"," }), "length");
    let filtered = said(json!({ "content": "" }), "content_filter");
    let wrong = Reply::value(json!({ "name": "Ada", "age": 900 }));
    for (reply, kind) in [
        (refused, ErrorKind::Refused),
        (cut, ErrorKind::Truncated),
        (filtered, ErrorKind::Filtered),
        (wrong, ErrorKind::SchemaMismatch),
        (Reply::status(401), ErrorKind::Auth),
    ] {
        let script = Script::new().when(|_| true, reply);
        let glass = Glass::default();
        let client = client(&script, glass.clone());
        let error = script.block_on(client.request("x").max_retries(0).create::<User>()).unwrap_err();
        assert_eq!((error.kind(), words(error.report())), (kind, vec!["miss"]));
        let streamed = async { client.request("x").max_retries(0).create_partial::<User>().await?.finish().await };
        assert_eq!(script.block_on(streamed).unwrap_err().kind(), kind);
        assert!(glass.entries().is_empty());
    }
}

#[instructor::model]
struct List {
    users: Salvaged<User>,
}

#[instructor::model]
struct Account {
    owner: String,
    number: Secret<String>,
}

#[test]
fn secrets_are_not_stored() {
    let script = always(json!({ "owner": "Ada", "number": "DE75512108001245126199" }));
    let glass = Glass::default();
    let client = client(&script, glass.clone());
    for _ in 0..2 {
        let (account, completion) = script.block_on(client.create_with_completion::<Account>("x")).unwrap();
        assert_eq!((account.owner.as_str(), account.number.expose().len()), ("Ada", 22));
        assert_eq!(reasons(&completion), [Uncached::Secret]);
    }
    assert!(glass.entries().is_empty());
}

#[test]
fn what_lost_something_is_not_stored_and_what_was_mended_is() {
    let glass = Glass::default();
    // An item was given up.
    let script = always(json!({ "users": [ada(), { "name": "Eve", "age": 900 }] }));
    let salvaging = client(&script, glass.clone());
    let (list, completion) = script.block_on(salvaging.create_with_completion::<List>("x")).unwrap();
    assert_eq!((list.users.ok().len(), reasons(&completion)), (1, vec![Uncached::Lossy]));
    // So was something of the text.
    let script = Script::new().when(|_| true, Reply::text("{\"name\": \"Ada\", \"age\": 36, ...}"));
    let lossy = client(&script, glass.clone());
    let request = lossy.request("x").mode(Mode::Json).level(Level::Salvage).salvage(RepairKind::Ellipsis);
    let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
    assert_eq!(reasons(&completion), [Uncached::Lossy], "{}", completion.report);
    assert!(glass.entries().is_empty());
    // What was repaired without loss, asked for again, or continued after a cut is as good as any.
    let said = |text: &str, finish: &str| {
        Reply::json(json!({ "choices": [{ "message": { "content": text }, "finish_reason": finish }] }))
    };
    let mended = [
        vec![said("{'name': 'Ada', \"age\": 36,}", "stop")],
        vec![said("no JSON", "stop"), said(&ada().to_string(), "stop")],
        vec![said("{\"name\": \"Ada\", ", "length"), said("{\"rest_1\": 36}", "stop")],
    ];
    for replies in mended {
        let script = replies.into_iter().fold(Script::new(), Script::reply);
        let client = client(&script, MemoryCache::new());
        let ask = || {
            let request = client.request("Ada is 36").mode(Mode::Json).truncated(Truncated::Continue { rounds: 1 });
            script.block_on(request.create_with_completion::<User>()).unwrap()
        };
        assert_eq!(words(&ask().1.report), ["miss", "stored"]);
        assert_eq!((ask().0.age, words(&ask().1.report)), (36, vec!["hit"]));
    }
}

#[test]
fn another_targets_answer_is_not_stored_but_a_stored_one_needs_no_target() {
    let down = Script::new().when(|_| true, Reply::fault(TransportErrorKind::Connect));
    let (up, cache) = (always(ada()), Arc::new(MemoryCache::new()));
    let chain = |first: &Script| {
        let builder = first.builder(SPEC).cache(Arc::clone(&cache)).max_retries(0);
        builder.build().unwrap().with_fallback(Target::new(up.client("anthropic/claude-haiku-4-5")))
    };
    let client = chain(&down);
    for _ in 0..8 {
        // After some of them the first is left alone, which changes nothing.
        let (_, completion) = ask(&down, &client);
        assert_eq!(completion.report.attempts().last().unwrap().provider, "anthropic");
        assert_eq!(reasons(&completion), [Uncached::OtherTarget]);
        assert_eq!(words(&completion.report), ["miss", "unused"]);
    }
    assert!(cache.is_empty());
    let (sent, first) = (up.sent().len(), always(ada()));
    ask(&first, &chain(&first));
    let (_, completion) = ask(&down, &client);
    assert!(completion.report.is_cached() && completion.report.hops().len() <= 1, "{}", completion.report);
    assert_eq!(up.sent().len(), sent);
}
