//! What derive output may name. No stability here.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

pub use instructor_json::Kind;
use serde::de::DeserializeOwned;

use crate::ResponseModel;
use crate::future::BoxFuture;
pub use crate::stream::grow::{Grow, Part, Way};
pub use crate::validate::outline::{At, Check, Model, Outlined};
use crate::validate::{CheckError, Checks, Context, Issues, Path};

/// One step into an answer.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// To the value of a key.
    Key(&'a str),
    /// To an array element.
    Index(usize),
}

/// Adds what was found at a place inside a value. The path is built only if something was found.
fn add(found: Issues, at: &[Step<'_>], issues: &mut Issues) {
    if found.is_empty() {
        return;
    }
    issues.extend_within(&place(Path::root(), at), found);
}

fn place(base: Path, at: &[Step<'_>]) -> Path {
    at.iter().fold(base, |path, step| match *step {
        Step::Key(key) => path.key(key),
        Step::Index(index) => path.index(index),
    })
}

/// A validator function: `fn(&T) -> Result<(), E>` or `fn(&T, &Context) -> Result<(), E>` with `E: Into<Issues>`.
/// `Args` only tells the two apart.
#[diagnostic::on_unimplemented(
    message = "not a validator function",
    label = "has another signature than a validator function",
    note = "write `fn(&T) -> Result<(), E>` or `fn(&T, &Context) -> Result<(), E>`, where `T` is the type of the field \
            or of the whole value, and `E` is text, `Issue` or `Issues`"
)]
pub trait Rule<T: ?Sized, Args> {
    /// What is wrong with the value.
    fn check(&self, value: &T, context: &Context) -> Issues;
}

impl<T: ?Sized, E: Into<Issues>, F: Fn(&T) -> Result<(), E>> Rule<T, (E,)> for F {
    fn check(&self, value: &T, _: &Context) -> Issues {
        self(value).map_or_else(Into::into, |()| Issues::new())
    }
}

impl<T: ?Sized, E: Into<Issues>, F: Fn(&T, &Context) -> Result<(), E>> Rule<T, (Context, E)> for F {
    fn check(&self, value: &T, context: &Context) -> Issues {
        self(value, context).map_or_else(Into::into, |()| Issues::new())
    }
}

/// A validator function whose `T` is known before it meets a value, so that a `&String` coerces to its `&str`.
pub struct Bound<T: ?Sized, F> {
    rule: F,
    // Held and not called through `F: Rule`, because a bound on `run` would report a wrong function a second time.
    check: fn(&F, &T, &Context) -> Issues,
}

impl<T: ?Sized, F> fmt::Debug for Bound<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}

/// See [`Bound`].
#[must_use]
pub fn rule<T: ?Sized, Args, F: Rule<T, Args>>(rule: F) -> Bound<T, F> {
    Bound { rule, check: F::check }
}

impl<T: ?Sized, F: 'static> Bound<T, F> {
    /// Runs the function on the value at a place.
    pub fn run(&self, value: &T, at: &[Step<'_>], context: &Context, issues: &mut Issues) {
        let found = context.once::<F>(|path| place(path, at), || (self.check)(&self.rule, value, context));
        add(found, at, issues);
    }
}

/// An async validator function: `async fn(&T) -> Result<(), E>` or `async fn(&T, &Context) -> Result<(), E>` with
/// `E: Into<CheckError>`. `Args` only tells the two apart.
#[diagnostic::on_unimplemented(
    message = "not an async validator function",
    label = "has another signature than an async validator function",
    note = "write `async fn(&T) -> Result<(), E>` or `async fn(&T, &Context) -> Result<(), E>`, where `T` is the type of \
            the field or of the whole value, and `E` is text, `Issue`, `Issues` or `CheckError`",
    note = "its future has to be `Send`",
    note = "a function that is not async is named by `validate`"
)]
pub trait AsyncRule<'v, T: ?Sized, Args> {
    /// The future that says what is wrong with the value.
    fn begin(&self, value: &'v T, context: &'v Context) -> BoxFuture<'v, Result<(), CheckError>>;
}

impl<'v, T, E, Found, F> AsyncRule<'v, T, (Found, E)> for F
where
    T: ?Sized + 'v,
    E: Into<CheckError>,
    Found: Future<Output = Result<(), E>> + Send + 'v,
    F: Fn(&'v T) -> Found,
{
    fn begin(&self, value: &'v T, _: &'v Context) -> BoxFuture<'v, Result<(), CheckError>> {
        let found = self(value);
        Box::pin(async move { found.await.map_err(Into::into) })
    }
}

impl<'v, T, E, Found, F> AsyncRule<'v, T, (Context, Found, E)> for F
where
    T: ?Sized + 'v,
    E: Into<CheckError>,
    Found: Future<Output = Result<(), E>> + Send + 'v,
    F: Fn(&'v T, &'v Context) -> Found,
{
    fn begin(&self, value: &'v T, context: &'v Context) -> BoxFuture<'v, Result<(), CheckError>> {
        let found = self(value, context);
        Box::pin(async move { found.await.map_err(Into::into) })
    }
}

type Begin<'v, T, F> = fn(&F, &'v T, &'v Context) -> BoxFuture<'v, Result<(), CheckError>>;

/// As [`Bound`], of an async function.
pub struct BoundAsync<'v, T: ?Sized, F> {
    rule: F,
    begin: Begin<'v, T, F>,
}

impl<T: ?Sized, F> fmt::Debug for BoundAsync<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoundAsync")
    }
}

/// See [`BoundAsync`].
#[must_use]
pub fn check<'v, T: ?Sized, Args, F: AsyncRule<'v, T, Args>>(rule: F) -> BoundAsync<'v, T, F> {
    BoundAsync { rule, begin: F::begin }
}

impl<'v, T: ?Sized, F> BoundAsync<'v, T, F> {
    /// Adds the function's future for the value at a place.
    pub fn begin(&self, value: &'v T, at: &[Step<'v>], checks: &mut Checks<'v>) {
        inside(at, checks, &mut |checks| checks.add(|context| (self.begin)(&self.rule, value, context)));
    }
}

fn inside<'v>(at: &[Step<'v>], checks: &mut Checks<'v>, add: &mut dyn FnMut(&mut Checks<'v>)) {
    match at {
        [] => add(checks),
        [Step::Key(key), at @ ..] => checks.key(key, |checks| inside(at, checks, add)),
        [Step::Index(index), at @ ..] => checks.index(*index, |checks| inside(at, checks, add)),
    }
}

/// Reaches a field's own async validators: as [`Nested`].
pub trait Awaits<'v> {
    /// Adds the field's own async validators.
    fn check_field(&self, at: &[Step<'v>], checks: &mut Checks<'v>);
}

/// See [`Awaits`].
pub trait Idles<'v> {
    /// Does nothing.
    fn check_field(&self, at: &[Step<'v>], checks: &mut Checks<'v>);
}

impl<'v, T: ResponseModel> Awaits<'v> for Field<'v, T> {
    fn check_field(&self, at: &[Step<'v>], checks: &mut Checks<'v>) {
        let value = self.0;
        inside(at, checks, &mut |checks| value.validate_async(checks));
    }
}

impl<'v, T: ?Sized> Idles<'v> for &Field<'v, T> {
    fn check_field(&self, _: &[Step<'v>], _: &mut Checks<'v>) {}
}

/// Reaches a field's own validators where its type has them and nothing where it has not: method resolution takes
/// [`Nested`] for `&Field<T>` with `T: ResponseModel` before it takes [`Plain`] for any other.
#[derive(Debug)]
pub struct Field<'a, T: ?Sized>(pub &'a T);

/// See [`Field`].
pub trait Nested {
    /// Runs the field's own validators.
    fn validate_field(&self, at: &[Step<'_>], context: &Context, issues: &mut Issues);
}

/// See [`Field`].
pub trait Plain {
    /// Does nothing.
    fn validate_field(&self, at: &[Step<'_>], context: &Context, issues: &mut Issues);
}

impl<T: ResponseModel> Nested for Field<'_, T> {
    fn validate_field(&self, at: &[Step<'_>], context: &Context, issues: &mut Issues) {
        let mut found = Issues::new();
        context.within(|path| place(path, at), || self.0.validate(context, &mut found));
        add(found, at, issues);
    }
}

impl<T: ?Sized> Plain for &Field<'_, T> {
    fn validate_field(&self, _: &[Step<'_>], _: &Context, _: &mut Issues) {}
}

/// Finds the functions of a type: as [`Field`], without a value.
#[derive(Debug)]
pub struct Type<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Type<T> {
    /// The type.
    pub const NEW: Self = Self(PhantomData);
}

/// See [`Type`].
pub trait Known {
    /// The type, if it can have functions.
    fn model(&self) -> Option<Model>;
}

/// See [`Type`].
pub trait Unknown {
    /// Nothing.
    fn model(&self) -> Option<Model>;
}

impl<T: ResponseModel> Known for Type<T> {
    fn model(&self) -> Option<Model> {
        Some(Model::of::<T>())
    }
}

impl<T: ?Sized> Unknown for &Type<T> {
    fn model(&self) -> Option<Model> {
        None
    }
}

/// Runs something on the value that JSON text stands for, if it is one of the type.
pub fn read<T: DeserializeOwned>(json: &str, run: impl FnOnce(&T)) {
    if let Ok(value) = serde_json::from_str(json) {
        run(&value);
    }
}

/// A variant without content, of which the name is the whole value.
#[must_use]
pub fn unit<P: Part>(json: &str) -> Option<P> {
    let mut variant = P::choose(&serde_json::from_str::<String>(json).ok()?)?;
    variant.child(0).is_none().then_some(variant)
}

/// The slot of a key in flattened fields, which share the numbers from `first` on.
pub fn flat_key<const N: usize>(first: usize, key: &str, flat: [&mut dyn Grow; N]) -> Option<usize> {
    flat.into_iter().enumerate().find_map(|(index, field)| Some(first + index + N * field.key(key)?))
}

/// What a slot of flattened fields stands for.
pub fn flat_child<const N: usize>(first: usize, slot: usize, flat: [&mut dyn Grow; N]) -> Option<&mut dyn Grow> {
    let slot = slot.checked_sub(first)?;
    flat.into_iter().nth(slot.checked_rem(N)?)?.child(slot.checked_div(N)?)
}
