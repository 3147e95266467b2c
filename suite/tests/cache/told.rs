//! What hooks and spans are told of a cache.

use std::fmt;

use instructor::cache::Caching;
use instructor::hooks::{self, Hooks};
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};

use super::*;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Hooks for Heard {
    fn on_cache(&self, event: &hooks::Cache<'_>) {
        self.0.lock().unwrap().push(format!("{} {} {}", event.about.id, event.about.contract, event.event.as_str()));
    }

    fn on_request(&self, event: &hooks::Request<'_>) {
        self.0.lock().unwrap().push(format!("{} request", event.about.id));
    }

    fn on_done(&self, event: &hooks::Done<'_>) {
        let cached = event.report().is_cached();
        self.0.lock().unwrap().push(format!("{} done {cached}", event.about.id));
    }
}

#[test]
fn hooks_are_told_in_order() {
    let script = always(ada());
    let heard = Arc::new(Heard::default());
    let client = script.builder(SPEC).cache(MemoryCache::new()).hooks(Arc::clone(&heard)).build().unwrap();
    let told = |caching| {
        script.block_on(client.request("x").caching(caching).create::<User>()).unwrap();
        let all = std::mem::take(&mut *heard.0.lock().unwrap());
        let id = all[0].split_once(' ').unwrap().0.to_owned();
        all.into_iter().map(|line| line.strip_prefix(&id).unwrap().trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(Caching::Use), ["User miss", "request", "User stored", "done false"]);
    assert_eq!(told(Caching::Use), ["User hit", "done true"]);
    assert_eq!(told(Caching::Refresh), ["User refresh", "request", "User stored", "done false"]);
    assert_eq!(told(Caching::Bypass), ["request", "done false"]);
}

/// The values of `instructor.cache`, and the events of that name.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<String>>>);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "detail" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "instructor.cache" {
            self.0.lock().unwrap().push(String::from(value));
        }
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Words {
    fn on_record(&self, _: &Id, values: &Record<'_>, _: LayerContext<'_, S>) {
        values.record(&mut self.clone());
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        event.record(&mut self.clone());
    }
}

#[test]
fn spans_say_what_came_of_it() {
    let script = always(ada());
    let client = client(&script, MemoryCache::new());
    let words = Words::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(words.clone()), || {
        ask(&script, &client);
        ask(&script, &client);
    });
    let words = words.0.lock().unwrap().clone();
    let short: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.contains(' ')).collect();
    assert_eq!(short, ["miss", "stored", "hit"]);
    assert!(words.iter().any(|word| word.starts_with("from the cache: openai/gpt-5-mini")), "{words:?}");
}
