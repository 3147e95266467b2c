//! The canonical schema of a response model and what becomes of it on the way to a provider and back.

mod align;
mod check;
mod dialect;
mod lift;
mod lower;
mod read;
mod render;

pub(crate) use self::check::Checker;
pub(crate) use self::check::nearest::nearest;
pub(crate) use self::dialect::Dialect;
pub(crate) use self::lift::Lift;
pub(crate) use self::lower::{Lowered, Unlowerable, lower};
pub(crate) use self::read::{Found, Reader};
pub(crate) use self::render::prompt;
