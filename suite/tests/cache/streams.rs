//! Streamed answers: stored at their end, and shown again without a call.

use instructor::BadItems;
use instructor::cache::{CacheEvent, Uncached};

use super::*;

fn users() -> Value {
    json!([ada(), { "name": "Eve", "age": 40 }])
}

async fn items(client: &Client, bad: BadItems) -> (Vec<Result<User, String>>, Report) {
    let mut stream = client.request("Who?").bad_items(bad).create_iterable::<User>().await.unwrap();
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item.map_err(|e| e.kind().as_str().to_owned()));
    }
    (items, stream.completion().unwrap().report.clone())
}

#[test]
fn partials_of_a_stored_answer() {
    let script = script([ada()]);
    let client = client(&script, MemoryCache::new());
    script.block_on(async {
        for (most, word) in [(99, "stored"), (1, "hit")] {
            let mut partials = client.request("x").create_partial::<User>().await.unwrap();
            let (mut seen, mut last) = (0, String::new());
            while let Some(user) = partials.next().await {
                seen += 1;
                last = user.name.get().cloned().unwrap_or_default();
            }
            let (user, completion) = partials.finish_with_completion().await.unwrap();
            assert_eq!((last.as_str(), user.age), ("Ada", 36));
            assert!((1..=most).contains(&seen), "{seen}");
            assert_eq!(words(&completion.report).last(), Some(&word));
        }
    });
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn items_of_a_stored_list() {
    let script = script([users()]);
    let client = client(&script, MemoryCache::new());
    script.block_on(async {
        let (first, report) = items(&client, BadItems::Show).await;
        assert_eq!(words(&report), ["miss", "stored"], "{report}");
        let (second, report) = items(&client, BadItems::Show).await;
        assert_eq!((words(&report), &second), (vec!["hit"], &first));
        assert_eq!(second.len(), 2);
        // It is the same list as a whole.
        let (all, completion) = client.create_with_completion::<Vec<User>>("Who?").await.unwrap();
        assert_eq!((all.len(), completion.report.is_cached()), (2, true));
    });
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn an_empty_list_is_a_list() {
    let script = script([json!([])]);
    let client = client(&script, MemoryCache::new());
    script.block_on(async {
        assert_eq!(words(&items(&client, BadItems::Show).await.1), ["miss", "stored"]);
        assert_eq!(words(&items(&client, BadItems::Show).await.1), ["hit"]);
    });
}

#[test]
fn a_list_with_bad_items_is_not_stored() {
    let bad = json!([ada(), { "name": "Eve", "age": 400 }]);
    for how in [BadItems::Show, BadItems::Drop] {
        let script = always(bad.clone());
        let glass = Glass::default();
        let client = client(&script, glass.clone());
        let (_, report) = script.block_on(items(&client, how));
        assert!(matches!(report.cache().last(), Some(CacheEvent::Unused(_))), "{report}");
        assert!(glass.entries().is_empty());
    }
    let script = script([bad, json!([{ "name": "Eve", "age": 40 }])]);
    let glass = Glass::default();
    let client = client(&script, glass.clone());
    let (got, report) = script.block_on(items(&client, BadItems::ReAsk));
    assert_eq!((got.len(), report.cache().last()), (2, Some(&CacheEvent::Unused(Uncached::Pieces))));
    assert!(glass.entries().is_empty());
}

#[test]
fn a_stored_list_is_taken_as_a_whole_or_not_at_all() {
    for context in [|| Context::new().with(From(39)), || Context::new().with(To(39))] {
        let script = always(users());
        let client = client(&script, MemoryCache::new());
        script.block_on(async {
            items(&client, BadItems::Show).await;
            let mut stream = client.request("Who?").context(context()).create_iterable::<User>().await.unwrap();
            let (mut good, mut bad) = (0, 0);
            while let Some(item) = stream.next().await {
                if item.is_ok() { good += 1 } else { bad += 1 }
            }
            assert_eq!((good, bad), (1, 1));
            let report = &stream.completion().unwrap().report;
            assert_eq!(words(report)[0], "invalid", "{report}");
        });
        assert_eq!(script.sent().len(), 2);
    }
}

#[test]
fn a_stream_that_is_left_stores_nothing() {
    let script = Script::new().when(|_| true, Reply::value(ada()).pieces(9));
    let glass = Glass::default();
    let client = client(&script, glass.clone());
    script.block_on(async {
        let mut partials = client.request("x").create_partial::<User>().await.unwrap();
        assert!(partials.next().await.is_some());
    });
    assert!(glass.entries().is_empty());
    // Nor does it keep others from asking.
    let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
    assert_eq!(words(&completion.report), ["miss", "stored"]);
}
