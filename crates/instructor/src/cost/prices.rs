use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "prices")]
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Price;
use super::price::{Row, shaped};
use crate::error::Error;

/// What models cost, by provider and name; data, which is yours to change. See the [guide](crate::docs::cost) for the format
/// of its files.
///
/// A client that is told nothing has [`shipped`](Self::shipped). What is in no table is unknown, which is not nothing.
///
/// ```
/// use instructor::{Client, Money, Price, Prices};
///
/// let prices = Prices::shipped()
///     // A file of your own wins over what was there,
///     .with_all(Prices::from_json(r#"{
///         "format": 1, "as_of": "2026-11-01", "currency": "USD",
///         "providers": {"groq": {"models": [{"models": ["llama-*"], "price": {"input": 0.1, "output": 0.2}}]}}
///     }"#)?)
///     // a single price over both,
///     .with("vllm", "Qwen/Qwen3-8B", Price::new(Money::from_cents(4), Money::from_cents(4)))
///     // and an endpoint of your own may cost what another costs.
///     .with_same("gateway", "openai");
/// assert!(prices.lookup("groq", "llama-4").is_some() && prices.lookup("gateway", "gpt-5-mini").is_some());
/// assert!(prices.lookup("groq", "no-such-model").is_none());
///
/// let client = Client::builder().provider("openai/gpt-5-mini").api_key("..").prices(prices);
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// The last one wins.
    tables: Vec<Arc<Table>>,
}

impl Prices {
    /// No prices: all costs are unknown, but where a provider tells them.
    #[must_use]
    pub const fn new() -> Self {
        Self { tables: Vec::new() }
    }

    /// The table that the library comes with: a copy of public price lists, as of the day that
    /// [`as_of`](Self::as_of) tells. What its providers charge now is theirs to say.
    #[cfg(feature = "prices")]
    #[must_use]
    pub fn shipped() -> Self {
        static SHIPPED: LazyLock<Prices> =
            LazyLock::new(|| Prices::from_json(include_str!("../../data/prices.json")).unwrap_or_default());
        SHIPPED.clone()
    }

    pub(crate) fn by_default() -> Self {
        #[cfg(feature = "prices")]
        return Self::shipped();
        #[cfg(not(feature = "prices"))]
        return Self::new();
    }

    /// The prices of a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it has not the form that the [guide](crate::docs::cost) tells.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            Error::config(format!("the prices can't be read: {error}")).with_source(Some(error.into()))
        })?;
        let table = file.table().map_err(|why| Error::config(format!("the prices can't be read: {why}")))?;
        Ok(Self { tables: vec![Arc::new(table)] })
    }

    /// With a price for one model, or for all that a pattern such as `llama-*` fits. It wins over what is there.
    #[must_use]
    pub fn with(self, provider: &str, model: &str, price: Price) -> Self {
        let mut listed = Listed::default();
        listed.add([model], price);
        self.and(provider, listed)
    }

    /// With the prices of another provider for what has no price of its own, such as those of `openai` for a gateway.
    #[must_use]
    pub fn with_same(self, provider: &str, other: &str) -> Self {
        self.and(provider, Listed { also: vec![String::from(other)], ..Listed::default() })
    }

    /// With all of these too. They win over what is there.
    #[must_use]
    pub fn with_all(mut self, over: Self) -> Self {
        self.tables.extend(over.tables);
        self
    }

    fn and(mut self, provider: &str, listed: Listed) -> Self {
        let providers = HashMap::from([(String::from(provider), listed)]);
        self.tables.push(Arc::new(Table { as_of: None, providers }));
        self
    }

    /// The price of a model: by its whole name, else by the first pattern that fits, else as that of the name without
    /// its version (`-2025-08-07`, `-20250807`, `@20250807`, `-001`).
    #[must_use]
    pub fn lookup(&self, provider: &str, model: &str) -> Option<&Price> {
        self.find(provider, &[model])
    }

    /// The day of which the prices of the newest file are, as `2026-11-26`.
    #[must_use]
    pub fn as_of(&self) -> Option<&str> {
        self.tables.iter().rev().find_map(|table| table.as_of.as_deref())
    }

    /// The price of a model that has several names, the more exact first.
    pub(crate) fn find(&self, provider: &str, models: &[&str]) -> Option<&Price> {
        let mut providers = vec![provider];
        let mut next = 0;
        while let Some(&provider) = providers.get(next) {
            next += 1;
            for listed in self.tables.iter().rev().filter_map(|table| table.providers.get(provider)) {
                for also in &listed.also {
                    if !providers.contains(&also.as_str()) {
                        providers.push(also);
                    }
                }
            }
        }
        self.tables.iter().rev().find_map(|table| {
            let mut listed = providers.iter().filter_map(|provider| table.providers.get(*provider));
            listed.find_map(|listed| models.iter().find_map(|model| listed.find(model)))
        })
    }
}

/// The prices of one file.
#[derive(Debug)]
struct Table {
    as_of: Option<String>,
    providers: HashMap<String, Listed>,
}

/// The prices of one provider.
#[derive(Debug, Default)]
struct Listed {
    also: Vec<String>,
    prices: Vec<Price>,
    names: HashMap<String, usize>,
    patterns: Vec<(String, usize)>,
}

impl Listed {
    fn add<'n>(&mut self, models: impl IntoIterator<Item = &'n str>, price: Price) {
        for model in models {
            let model = model.to_lowercase();
            if model.contains('*') {
                self.patterns.push((model, self.prices.len()));
            } else {
                self.names.entry(model).or_insert(self.prices.len());
            }
        }
        self.prices.push(price);
    }

    fn find(&self, model: &str) -> Option<&Price> {
        let model = model.to_lowercase();
        let named = |name: &str| {
            let fitting = || self.patterns.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, index)| index);
            self.names.get(name).or_else(fitting)
        };
        let index = named(&model).or_else(|| named(unversioned(&model)?))?;
        self.prices.get(*index)
    }
}

/// Whether a name is what a pattern says, with anything for each star.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(first) else { return false };
    rest == "*" || rest.is_empty() || name.char_indices().any(|(at, _)| fits(rest, name.get(at..).unwrap_or_default()))
}

/// A name without a version at its end.
fn unversioned(name: &str) -> Option<&str> {
    ["-0000-00-00", "-00000000", "@00000000", "-000"].iter().find_map(|form| {
        let (base, version) = name.split_at_checked(name.len().checked_sub(form.len())?)?;
        shaped(version, form).then_some(base)
    })
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    as_of: String,
    currency: String,
    /// For those who read the file.
    #[serde(default, rename = "source")]
    _source: IgnoredAny,
    providers: HashMap<String, Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    models: Vec<Row>,
}

impl File {
    fn table(self) -> Result<Table, String> {
        if self.format != 1 {
            return Err(format!("they are of format {}, this version reads 1", self.format));
        }
        if self.currency != "USD" {
            return Err(format!("they are in {:?}, all money here is in \"USD\"", self.currency));
        }
        if !shaped(&self.as_of, "0000-00-00") {
            return Err(format!("as_of is {:?}, wanted a day such as \"2026-11-26\"", self.as_of));
        }
        let providers = self.providers.into_iter().map(|(id, Provider { also, models })| {
            let mut listed = Listed { also, ..Listed::default() };
            for row in models {
                let (models, price) = row.split();
                listed.add(models.iter().map(String::as_str), price);
            }
            (id, listed)
        });
        Ok(Table { as_of: Some(self.as_of), providers: providers.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Money;

    #[test]
    fn stars_stand_for_anything() {
        let cases = [
            ("gpt-*", "gpt-5", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "xgpt-5", false),
            ("*sonnet*", "claude-sonnet-5", true),
            ("*-mini", "gpt-5-mini", true),
            ("*-mini", "gpt-5-mini-x", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
        ];
        for (pattern, name, wanted) in cases {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn a_version_is_no_part_of_a_name() {
        for name in ["m-2025-08-07", "m-20250807", "m@20250807", "m-001"] {
            assert_eq!(unversioned(name), Some("m"));
        }
        for name in ["m", "m-0613", "m-2503", "m-1", "-5", "é", ""] {
            assert_eq!(unversioned(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_said_last_wins() {
        let price = |cents| Price::new(Money::from_cents(cents), Money::from_cents(cents));
        let prices = Prices::new()
            .with("a", "m*", price(1))
            .with("a", "m1", price(2))
            .with_same("b", "a")
            .with("b", "own", price(3))
            .with_same("c", "b")
            .with_same("a", "c");
        let cents = |provider, model: &str| prices.lookup(provider, model).cloned();
        assert_eq!(cents("a", "M1-2025-08-07"), Some(price(2)));
        assert_eq!(cents("a", "m2"), Some(price(1)));
        // Of others, also in a ring.
        assert_eq!((cents("c", "m1"), cents("c", "own")), (Some(price(2)), Some(price(3))));
        assert_eq!((cents("a", "x"), cents("d", "m1")), (None, None));
        // The name that was answered is the more exact one; what the caller set is not lost for it.
        let over = prices.clone().with("a", "deployment", price(9));
        assert_eq!(over.find("a", &["m1", "deployment"]), Some(&price(9)));
        assert_eq!(over.find("a", &["m1", "other"]), Some(&price(2)));
    }

    #[test]
    fn a_file_that_is_wrong_is_told_why() {
        let file = |head: &str, row: &str| {
            let text = format!(r#"{{{head}, "providers": {{"a": {{"models": [{row}]}}}}}}"#);
            Prices::from_json(&text).map_err(|error| error.to_string())
        };
        const HEAD: &str = r#""format": 1, "as_of": "2026-11-26", "currency": "USD""#;
        let right = file(HEAD, r#"{"models": ["m"], "price": {"input": 1, "output": 0.000001}}"#).unwrap();
        assert_eq!(right.as_of(), Some("2026-11-26"));
        let cases = [
            (r#""format": 2, "as_of": "2026-11-26", "currency": "USD""#, "", "format 2"),
            (r#""format": 1, "as_of": "2026-11-26", "currency": "EUR""#, "", "EUR"),
            (r#""format": 1, "as_of": "today", "currency": "USD""#, "", "as_of"),
            (HEAD, r#"{"models": ["m"], "price": {"input": 1}}"#, "output"),
            (HEAD, r#"{"models": ["m"], "price": {"input": -1, "output": 1}}"#, "price of -1"),
            (HEAD, r#"{"models": ["m"], "price": {"input": 0.0000001, "output": 1}}"#, "6 decimals"),
            (HEAD, r#"{"models": ["m"], "price": {"input": 1, "output": 1, "cache": 1}}"#, "cache"),
            (HEAD, r#"{"models": ["m"], "price": {"input": 1, "output": 1}, "hours": []}"#, "hours"),
        ];
        for (head, row, wanted) in cases {
            let error = file(head, row).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
