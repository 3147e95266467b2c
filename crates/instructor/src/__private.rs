//! What derive output may name. No stability here.

use crate::validate::{Context, Issues, Path};
use crate::{Contract, ResponseModel};

pub use schemars::JsonSchema;
pub use serde::de::DeserializeOwned;

/// The contract of a type, built once per type and cached.
#[must_use]
pub fn contract<T: JsonSchema + 'static>() -> Contract {
    Contract::of::<T>()
}

/// A validator function: `fn(&T) -> Result<(), E>` or `fn(&T, &Context) -> Result<(), E>` with `E: Into<Issues>`.
/// `Args` only tells the two apart.
pub trait Rule<T: ?Sized, Args> {
    /// Runs it.
    fn run(&self, value: &T, context: &Context, issues: &mut Issues);
}

impl<T: ?Sized, E: Into<Issues>, F: Fn(&T) -> Result<(), E>> Rule<T, (E,)> for F {
    fn run(&self, value: &T, _: &Context, issues: &mut Issues) {
        if let Err(found) = self(value) {
            issues.extend(found.into());
        }
    }
}

impl<T: ?Sized, E: Into<Issues>, F: Fn(&T, &Context) -> Result<(), E>> Rule<T, (Context, E)> for F {
    fn run(&self, value: &T, context: &Context, issues: &mut Issues) {
        if let Err(found) = self(value, context) {
            issues.extend(found.into());
        }
    }
}

/// Runs one rule of a container or, with a path, of a field.
pub fn rule<T: ?Sized, Args>(rule: &impl Rule<T, Args>, value: &T, at: Option<&str>, context: &Context, issues: &mut Issues) {
    let mut found = Issues::new();
    rule.run(value, context, &mut found);
    match at {
        Some(key) => issues.extend_within(&Path::root().key(key), found),
        None => issues.extend(found),
    }
}

/// Reaches a field's own validators where its type has them and nothing where it has not: method resolution takes
/// [`Nested`] for `&Field<T>` with `T: ResponseModel` before it takes [`Plain`] for any other.
#[derive(Debug)]
pub struct Field<'a, T: ?Sized>(pub &'a T);

/// See [`Field`].
pub trait Nested {
    /// Runs the field's own validators.
    fn validate_field(&self, key: &str, context: &Context, issues: &mut Issues);
}

/// See [`Field`].
pub trait Plain {
    /// Does nothing.
    fn validate_field(&self, key: &str, context: &Context, issues: &mut Issues);
}

impl<T: ResponseModel> Nested for Field<'_, T> {
    fn validate_field(&self, key: &str, context: &Context, issues: &mut Issues) {
        let mut found = Issues::new();
        self.0.validate(context, &mut found);
        if !found.is_empty() {
            issues.extend_within(&Path::root().key(key), found);
        }
    }
}

impl<T: ?Sized> Plain for &Field<'_, T> {
    fn validate_field(&self, _: &str, _: &Context, _: &mut Issues) {}
}
