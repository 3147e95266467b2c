//! Response types for what comes up again and again: an answer that may not be there, one that is thought about first,
//! quotes that show it, labels, values that nobody is to see.

mod cite;
mod labels;
mod maybe;
mod reasoned;
mod secret;

pub use self::cite::{Cited, Likeness, MissingQuotes, PartialCited, Quote, QuoteMatch, Source};
pub use self::labels::{Label, Labels};
pub use self::maybe::{Maybe, NoResult, PartialMaybe};
pub use self::reasoned::{PartialReasoned, Reasoned};
pub(crate) use self::secret::MASK;
pub use self::secret::Secret;

/// What an object with these keys is while it arrives.
macro_rules! partial_object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident<$part:ident> {
            $($(#[$about:meta])* $slot:literal $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize)]
        #[non_exhaustive]
        pub struct $name<$part> {
            $(
                $(#[$about])*
                #[serde(skip_serializing_if = "crate::Field::is_pending")]
                pub $field: crate::Field<$type>,
            )+
        }

        impl<$part: crate::stream::grow::Part> crate::stream::grow::Part for $name<$part> {
            fn way(kind: instructor_json::Kind) -> crate::stream::grow::Way {
                use crate::stream::grow::Way;
                if kind == instructor_json::Kind::Object { Way::Inside(&[]) } else { Way::Never }
            }

            fn begin(kind: instructor_json::Kind) -> Option<Self> {
                (kind == instructor_json::Kind::Object).then(|| Self { $($field: crate::Field::Pending),+ })
            }

            fn key(&mut self, key: &str) -> Option<usize> {
                match key {
                    $(stringify!($field) => Some($slot),)+
                    _ => None,
                }
            }

            fn child(&mut self, slot: usize) -> Option<&mut dyn crate::stream::grow::Grow> {
                match slot {
                    $($slot => Some(&mut self.$field),)+
                    _ => None,
                }
            }
        }
    };
}
use partial_object;
