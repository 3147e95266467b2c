//! Answers without a model: values out of a seed that fit what is asked for, said in the protocol of the request.

mod answer;
mod asked;
mod calls;
mod frames;
mod model;
pub(crate) mod streams;

use instructor_json::Step;
use serde_json::Value;

#[cfg(feature = "testing")]
pub use self::answer::fake_body;
pub(crate) use self::answer::{Said, answer};
#[cfg(test)]
pub(crate) use self::frames::framed;
#[cfg(feature = "testing")]
pub(crate) use self::frames::message;
pub use self::model::FakeModel;
use crate::error::{Error, ErrorKind};
use crate::model::{Contract, ResponseModel};
use crate::schema::{Random, broken, word};
use crate::validate::{Context, Issue, Issues};

/// Values out of a seed, for any response model and any schema: the same seed gives the same value, on every machine, as
/// long as the version of this crate and the schema are the same.
///
/// Numbers keep their bounds, texts their formats, lengths and patterns, lists their sizes; recursion ends. Texts are
/// words that go with the name of their field and mean nothing. Every value is checked in full before it is given, and drawn again if
/// it does not fit.
///
/// ```
/// use instructor::Fake;
///
/// #[instructor::model]
/// struct Order {
///     email: String,
///     #[schemars(range(min = 1, max = 20))]
///     pieces: u8,
///     tags: Vec<String>,
/// }
///
/// let order: Order = Fake::new(42).value()?;
/// assert!((1..=20).contains(&order.pieces));
/// assert!(order.email.contains('@'));
/// // Many at once, each another:
/// let orders: Vec<Order> = (0..10).map(|seed| Fake::new(seed).value()).collect::<Result<_, _>>()?;
/// # assert_eq!(orders.len(), 10);
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fake {
    seed: u64,
}

/// How often a value is drawn until it fits.
const ATTEMPTS: u32 = 200;

/// How often what is missing is added to one of them.
const MENDS: u32 = 3;

/// Of how many values each change is tried until exactly one thing is wrong.
const VALUES: u64 = 12;

impl Fake {
    /// Values out of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A value of a response model, which its schema, its type and its validator functions take. Async functions are not run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if none of 200 values fits, with what was wrong with the last
    /// one.
    pub fn value<T: ResponseModel>(self) -> Result<T, Error> {
        let mut found = None;
        self.draw(&T::contract(), |value| {
            let typed: T = serde_json::from_value(value.clone())
                .map_err(|error| Issues::from(Issue::new(format!("a value of the type: {error}"))))?;
            let mut issues = Issues::new();
            typed.validate(&Context::new(), &mut issues);
            issues.into_result()?;
            found = Some(typed);
            Ok(())
        })?;
        found.ok_or_else(|| Error::unsupported("no value was drawn"))
    }

    /// A value of a contract, as JSON.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    pub fn json(self, contract: &Contract) -> Result<Value, Error> {
        self.draw(contract, |_| Ok(()))
    }

    /// A value that breaks exactly one constraint of a contract.
    ///
    /// ```
    /// use instructor::{Fake, ResponseModel};
    ///
    /// #[instructor::model]
    /// struct Order {
    ///     #[schemars(range(min = 1, max = 20))]
    ///     pieces: u8,
    /// }
    ///
    /// let wrong = Fake::new(1).invalid(&Order::contract())?;
    /// let issues = Order::contract().check(wrong.value()).unwrap_err();
    /// assert_eq!(issues.as_slice(), [wrong.issue().clone()]);
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if there is none, as for a schema that takes everything.
    pub fn invalid(self, contract: &Contract) -> Result<Invalid, Error> {
        let mut random = Random::new(self.seed);
        for _ in 0..VALUES {
            let value = Self::new(random.next()).json(contract)?;
            for value in broken(&value, &mut random) {
                let Err(issues) = contract.check(&value) else { continue };
                if let [issue] = issues.as_slice() {
                    return Ok(Invalid { issue: issue.clone(), value });
                }
            }
        }
        Err(Error::unsupported(format!("no value was found that breaks one constraint of {} alone", contract.name())))
    }

    /// The first value that fits, and is taken.
    fn draw(self, contract: &Contract, mut take: impl FnMut(&Value) -> Result<(), Issues>) -> Result<Value, Error> {
        contract.checkable()?;
        let samples = contract.samples();
        let mut random = Random::new(self.seed);
        let mut wrong = Issues::new();
        for attempt in 0..ATTEMPTS {
            let Some(mut value) = samples.draw(self.seed, attempt) else {
                return Err(Error::unsupported(format!("the schema of {} has no value that ends", contract.name())));
            };
            for _ in 0..=MENDS {
                match contract.check(&value).and_then(|()| take(&value)) {
                    Ok(()) => return Ok(value),
                    Err(issues) => wrong = issues,
                }
                if !mended(&mut value, &wrong, &mut random) {
                    break;
                }
            }
        }
        let first = wrong.as_slice().first().map(Issue::to_string).unwrap_or_default();
        let message = format!(
            "none of {ATTEMPTS} values that were drawn is one of {}; the last: {first}. Give values of your own with testing::Reply::value",
            contract.name()
        );
        Err(Error::new(ErrorKind::Unsupported, message).with_issues(wrong))
    }
}

/// Adds the properties that are missing although no part of the schema names them with their type; whether there are any.
fn mended(value: &mut Value, issues: &Issues, random: &mut Random) -> bool {
    let mut added = false;
    for issue in issues.as_slice() {
        let steps = issue.path().steps();
        let Some((Step::Key(last), way)) = steps.split_last() else { continue };
        let parent = way.iter().try_fold(&mut *value, |value, step| match step {
            Step::Key(key) => value.get_mut(key.as_ref()),
            Step::Index(index) => value.get_mut(index),
        });
        if let Some(fields) = parent.and_then(Value::as_object_mut).filter(|fields| !fields.contains_key(last.as_ref()))
        {
            fields.insert(String::from(last.as_ref()), Value::from(word(random)));
            added = true;
        }
    }
    added
}

/// A value that breaks one constraint; see [`Fake::invalid`].
#[derive(Clone, Debug)]
pub struct Invalid {
    value: Value,
    issue: Issue,
}

impl Invalid {
    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// What is wrong with it, and where.
    #[must_use]
    pub const fn issue(&self) -> &Issue {
        &self.issue
    }

    /// The value itself.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }
}
