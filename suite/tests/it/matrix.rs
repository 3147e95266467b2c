//! The type matrix: every shape that serde and schemars print, in every dialect and both policies. A value is encoded,
//! fits the lowered schema, and comes back equal; so does a value that a model answers in its own form.

use std::fmt::Debug;

use instructor::schema::{Dialect, Lowered, Policy, lower};
use instructor::{Contract, Foreign, ResponseModel};
use jsonschema::Validator;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

mod containers;
mod enums;
mod generated;
mod names;
mod order;
mod scalars;
mod structs;

/// One test a type: its name, the type, its values. With `told "why"` an answer in the type's own form is not asked
/// for, because the lowered form reads it as another value.
macro_rules! types {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $values:expr $(, told $why:literal)?;)*) => { $(
        $(#[$meta])*
        #[test]
        fn $name() {
            let told: Option<&str> = None $(.or(Some($why)))?;
            crate::matrix::holds(&crate::matrix::Typed::<$type>::of($values), told);
        }
    )* };
}
use types;

/// A type that is read in another form than it is written in: the values are JSON.
macro_rules! read {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $values:expr $(, told $why:literal)?;)*) => { $(
        $(#[$meta])*
        #[test]
        fn $name() {
            let told: Option<&str> = None $(.or(Some($why)))?;
            crate::matrix::holds(&crate::matrix::Typed::<$type>::read($values), told);
        }
    )* };
}
use read;

/// Two that are equal where `==` says less than a reader of the value would.
type Equal<T> = fn(&T, &T) -> bool;

/// Values of a type, each with its JSON.
struct Typed<T> {
    contract: Contract,
    values: Vec<(String, T)>,
    equal: Equal<T>,
}

impl<T: JsonSchema + DeserializeOwned + PartialEq + Debug + Send + 'static> Typed<T> {
    fn of(values: impl IntoIterator<Item = T>) -> Self
    where
        T: Serialize,
    {
        let values = values.into_iter().map(|value| (serde_json::to_string(&value).unwrap(), value));
        Self { contract: Foreign::<T>::contract(), values: values.collect(), equal: T::eq }
    }

    fn read<'j>(values: impl IntoIterator<Item = &'j str>) -> Self {
        let values = values.into_iter().map(|json| (String::from(json), serde_json::from_str(json).unwrap()));
        Self { contract: Foreign::<T>::contract(), values: values.collect(), equal: T::eq }
    }
}

/// What has no type any more: all that the walk needs.
trait Values {
    fn contract(&self) -> &Contract;
    fn len(&self) -> usize;
    fn json(&self, index: usize) -> &str;
    /// Whether a text reads as the value.
    fn reads(&self, index: usize, text: &str) -> Result<(), String>;
}

impl<T: DeserializeOwned + Debug> Values for Typed<T> {
    fn contract(&self) -> &Contract {
        &self.contract
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn json(&self, index: usize) -> &str {
        &self.values[index].0
    }

    fn reads(&self, index: usize, text: &str) -> Result<(), String> {
        match serde_json::from_str::<T>(text) {
            Ok(value) if (self.equal)(&value, &self.values[index].1) => Ok(()),
            Ok(value) => Err(format!("{text} reads as {value:?}")),
            Err(error) => Err(format!("{text} does not read: {error}")),
        }
    }
}

/// A schema in one dialect, with what judges answers in it.
struct Form {
    dialect: Dialect,
    policy: Policy,
    lowered: Lowered,
    validator: Validator,
}

impl Form {
    fn new(schema: &Value, dialect: Dialect, policy: Policy) -> Result<Self, String> {
        let lowered = lower(schema, dialect, policy).map_err(|error| format!("not lowered: {error}"))?;
        let out: Value = serde_json::from_str(lowered.schema().get()).unwrap();
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(false);
        let validator = options.build(&out).map_err(|error| format!("not a schema: {error}"))?;
        Ok(Self { dialect, policy, lowered, validator })
    }

    /// All of them, of one schema.
    fn all(schema: &Value) -> impl Iterator<Item = Result<Self, String>> {
        Dialect::ALL.iter().flat_map(|dialect| {
            [Policy::Declared, Policy::Exact].map(|policy| {
                let form = Self::new(schema, *dialect, policy);
                form.map_err(|why| format!("{dialect} {policy:?}: {why}"))
            })
        })
    }

    /// What a value is said as.
    fn said(&self, json: &str) -> Result<String, String> {
        let answer = self.lowered.encode_json(json).ok_or("not encoded")?;
        let value: Value = serde_json::from_str(&answer).map_err(|error| format!("{answer} is no JSON: {error}"))?;
        match self.validator.iter_errors(&value).next() {
            Some(error) => Err(format!("{answer} is not allowed at {}: {error}", error.instance_path())),
            None => Ok(answer),
        }
    }

    /// From a value to the answer and back to the value.
    fn round(&self, values: &dyn Values, index: usize) -> Result<(), String> {
        let answer = self.said(values.json(index))?;
        let lifted = self.lowered.lift(&answer).map_err(|issues| format!("{answer} is not lifted: {issues}"))?;
        values.reads(index, &lifted).map_err(|why| format!("{answer}: {why}"))?;
        let value: Value = serde_json::from_str(&lifted).unwrap();
        values.contract().check(&value).map_err(|issues| format!("{lifted} is not of the type: {issues}"))?;
        // What was lifted says the same again.
        match self.lowered.encode_json(&lifted) {
            Some(again) if again == answer => Ok(()),
            again => Err(format!("{answer} comes back as {lifted}, which is said as {again:?}")),
        }
    }

    /// From the type's own form to the value, although the model was shown another.
    fn own(&self, values: &dyn Values, index: usize) -> Result<(), String> {
        let json = values.json(index);
        let lifted = self.lowered.lift(json).map_err(|issues| format!("{json} is not lifted: {issues}"))?;
        values.reads(index, &lifted).map_err(|why| format!("the type's own form {json}: {why}"))
    }

    fn named(&self, json: &str, why: &str) -> String {
        format!("{} {:?} {json}: {why}\n   {}", self.dialect, self.policy, self.lowered.schema().get())
    }
}

/// That all values come back in every dialect and both policies.
fn holds(values: &dyn Values, told: Option<&str>) {
    let schema = values.contract().schema();
    let mut wrong = Vec::new();
    let mut misread = 0;
    for index in 0..values.len() {
        let value: Value = serde_json::from_str(values.json(index)).unwrap();
        if let Err(issues) = values.contract().check(&value) {
            wrong.push(format!("{value} is not of its own schema: {issues}"));
        }
    }
    for form in Form::all(schema) {
        let form = match form {
            Ok(form) => form,
            Err(why) => {
                wrong.push(why);
                continue;
            }
        };
        for loss in form.lowered.losses() {
            if schema.pointer(&loss.pointer).is_none() {
                wrong.push(format!("{} {:?}: a loss at no place: {loss}", form.dialect, form.policy));
            }
        }
        for index in 0..values.len() {
            let json = values.json(index);
            if let Err(why) = form.round(values, index) {
                wrong.push(form.named(json, &why));
            } else if let Err(why) = form.own(values, index) {
                misread += 1;
                if told.is_none() {
                    wrong.push(form.named(json, &why));
                }
            }
        }
    }
    if let Some(why) = told {
        assert!(misread > 0, "the type's own form is read everywhere, so this is not so: {why}");
    }
    assert!(wrong.is_empty(), "{} are wrong, of {schema}:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}
