//! Nothing is traced.

use std::marker::PhantomData;

use crate::hooks::Hooks;
use crate::run::Job;

pub(crate) struct Trace<'a>(PhantomData<&'a Job<'a>>);

pub(crate) struct Scope;

impl<'a> Trace<'a> {
    pub(crate) const fn new(_: &'a Job<'a>, _: u64) -> Self {
        Self(PhantomData)
    }

    pub(crate) fn resumed(_: &'a Job<'a>, _: Scope) -> Self {
        Self(PhantomData)
    }

    #[expect(clippy::unused_self, reason = "as where spans are")]
    pub(crate) const fn is_on(&self) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "as where spans are")]
    pub(crate) const fn request(&self) -> Scope {
        Scope
    }

    #[expect(clippy::unused_self, reason = "as where spans are")]
    pub(crate) const fn call(&self) -> Scope {
        Scope
    }
}

impl Hooks for Trace<'_> {}

impl Scope {
    pub(crate) fn around<F: Future>(self, future: F) -> F {
        future
    }

    pub(crate) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }
}
