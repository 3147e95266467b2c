//! What is said to a client of how to ask: from arguments to its settings.

use instructor::cache::{Caching, DiskCache};
use instructor::{Budget, Client, ClientBuilder, Ledger, Message, Prices};

use crate::args::{Asking, Costs, Limits};
use crate::failure::Failure;
use crate::input;

/// A client's settings, all but whom it asks. What it used goes into the ledger.
pub(crate) fn builder(
    asking: &Asking,
    limits: &Limits,
    costs: &Costs,
    ledger: &Ledger,
) -> Result<ClientBuilder, Failure> {
    let mut builder = Client::builder().mode(asking.mode).ledger(ledger).budget(budget(limits));
    if let Some(label) = &costs.label {
        builder = builder.label(label.as_str());
    }
    if let Some(file) = &costs.prices {
        let prices = Prices::from_json(&input::text(Some(file))?);
        let prices = prices.map_err(|e| Failure::from_kind(e.kind(), format!("{}: {e}", file.display())))?;
        builder = builder.prices(Prices::shipped().with_all(prices));
    }
    if let Some(model) = &asking.shape_model {
        builder = builder.shape_model(model);
    }
    if let Some(temperature) = asking.temperature {
        builder = builder.temperature(temperature);
    }
    if let Some(tokens) = asking.max_tokens {
        builder = builder.max_tokens(tokens);
    }
    if let Some(reasoning) = asking.reasoning {
        builder = builder.reasoning(reasoning);
    }
    if let Some(retries) = limits.max_retries {
        builder = builder.max_retries(retries);
    }
    if let Some(timeout) = limits.timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(folder) = &costs.cache {
        let cache = DiskCache::open(folder).map_err(|e| Failure::from_kind(e.kind(), e.to_string()))?;
        // Whoever names the folder means it, whatever the key is today.
        builder = builder.cache(cache).cache_namespace("instructor-cli");
    }
    if let Some(ttl) = costs.cache_ttl {
        builder = builder.cache_ttl(ttl);
    }
    if costs.refresh {
        builder = builder.caching(Caching::Refresh);
    }
    Ok(asking.extra.iter().fold(builder, |builder, (key, value)| builder.extra(key, value.clone())))
}

/// What one request may take.
pub(crate) fn budget(limits: &Limits) -> Budget {
    limits.deadline.map_or_else(Budget::new, |deadline| Budget::new().with_deadline(deadline))
}

/// The system message, and the text after its instruction.
pub(crate) fn messages(asking: &Asking, text: String) -> Vec<Message> {
    let asked = match &asking.prompt {
        Some(prompt) => format!("{prompt}\n\n{text}"),
        None => text,
    };
    asking.system.iter().map(Message::system).chain([Message::user(asked)]).collect()
}
