//! The canonical schema of a response model and what becomes of it on the way to a provider and back.

mod check;
mod dialect;
mod lift;
mod lower;
mod read;
mod render;

pub(crate) use self::check::Checker;
pub(crate) use self::check::nearest::nearest;
pub(crate) use self::dialect::Dialect;
pub(crate) use self::lower::{Lowered, Unlowerable, lower};
pub(crate) use self::read::{Fit, read};
pub(crate) use self::render::prompt;
