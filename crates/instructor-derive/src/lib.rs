//! Macros of instructor-rs: `#[derive(ResponseModel)]`, `#[derive(Partial)]` and `#[instructor::model]`.
//!
//! Use them through the `instructor` crate, which re-exports them; what they emit names that crate.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod ast;
mod attr;
mod case;
mod check;
mod ctxt;
#[cfg(feature = "distil")]
mod distil;
mod emit;
mod model;

/// Makes a struct or an enum a response model: a type that can be asked for, with the validators that an answer has
/// to pass.
///
/// The type also has to implement serde's `Deserialize` and schemars' `JsonSchema`; deriving those is the usual way.
/// What the type may be (its schema) comes from them. This macro adds what a schema cannot say:
///
/// 1. The validators of each field's own type run, where that type is a response model.
/// 2. The validators of each field run.
/// 3. The validators of the type run.
/// 4. Once nothing is wrong by then, the async validators of all of them run, at once.
///
/// | Attribute | On | Meaning |
/// |---|---|---|
/// | `#[response(validate = path)]` | a field | calls the function with a reference to the field |
/// | `#[response(validate = path)]` | the type | calls the function with a reference to the whole value |
/// | `#[response(validate_async = path)]` | either | as `validate`, with an async function |
/// | `#[response(crate = "path")]` | the type | where the `instructor` crate is, if a crate re-exports it; `::instructor` otherwise |
///
/// `validate` and `validate_async` may be given many times, in one attribute with commas or in several; the functions run in that order.
///
/// # Validator functions
///
/// A function is `fn(&T) -> Result<(), E>` or `fn(&T, &Context) -> Result<(), E>`, where `E` is anything that turns
/// into `Issues`: a text that tells what was wanted, an `Issue`, several. `T` is the type of the field, or what a
/// reference to it derefs to: a `String` may be checked by a function of `&str`, a `Vec<u8>` by one of `&[u8]`. A
/// path may name a method too, such as `Self::dates_in_order`.
///
/// An async function is `async fn(&T) -> Result<(), E>` or `async fn(&T, &Context) -> Result<(), E>`, where `E` turns into
/// `CheckError`: all of the above, or that the check itself failed. Its future has to be `Send`.
///
/// # Paths of issues
///
/// An issue of a field is reported at the key that the field has in the answer. That is serde's name for it:
///
/// | serde | Path of an issue |
/// |---|---|
/// | `rename`, `rename(deserialize = ..)`, `rename_all`, `rename_all_fields` | the name for deserialization |
/// | `flatten`, `transparent`, a newtype struct | that of the value around it |
/// | a tuple struct or tuple variant | its index |
/// | an enum with the default tagging | the variant's name, then the field |
/// | an enum with `tag` and `content` | the content key, then the field |
/// | an enum with `tag` only, or `untagged` | the field |
/// | `from`, `try_from` | that of the whole value, because the answer has the keys of another type |
/// | `skip`, `skip_deserializing` | none: the field is not in the answer and is not visited |
///
/// # Generic types
///
/// A type parameter that occurs in a visited field has to be a response model itself, as the derived traits of the
/// standard library do it.
#[proc_macro_derive(ResponseModel, attributes(response, serde))]
pub fn derive_response_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    emit::response_model(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes what a struct or an enum is while it arrives: for `User`, a type `PartialUser`.
///
/// Of a struct, it has the same fields, each of them a `Field` of what the field's own type is while it arrives. Of an
/// enum, it has the same variants, each with a `Field` of what is in it; one with several fields has them in a struct
/// `PartialEnumVariant`. The variant shows as soon as it is known. A newtype struct has no type of its own: it shows as
/// what is in it; an enum without content, and a type that is read `from` another, as `Whole<Self>`.
///
/// | Attribute | On | Meaning |
/// |---|---|---|
/// | `#[response(whole)]` | a field | shows when it is complete, as `Whole<T>`; its type needs no partial |
/// | `#[response(done)]` | a field | shows when it is complete |
/// | `#[response(required)]` | a field | nothing of the struct shows before this is complete |
/// | `#[response(crate = "path")]` | the type | where the `instructor` crate is, if a crate re-exports it |
///
/// A field that serde reads `with` a function is shown as the JSON that it is read from.
#[proc_macro_derive(Partial, attributes(response, serde))]
pub fn derive_partial(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    emit::partial(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct or an enum a response model in one line, without serde or schemars among the app's own
/// dependencies.
///
/// It adds the derives `Debug`, `Clone`, `Serialize`, `Deserialize`, `JsonSchema` and `ResponseModel`, and tells
/// serde and schemars to find themselves inside the `instructor` crate. A derive that the item already has in a
/// `#[derive(..)]` below this attribute is left out, so that more derives can be written there.
///
/// | Argument | Meaning |
/// |---|---|
/// | none | the `instructor` crate is at `::instructor` |
/// | `crate = "path"` | where the `instructor` crate is, if a crate re-exports it |
/// | `partial` | the type can be shown while it arrives: derives `Partial` too |
///
/// The attributes of the derives, `#[serde(..)]`, `#[schemars(..)]` and `#[response(..)]`, are written on the item as
/// ever. An item with its own `impl Deserialize` cannot use this macro; it derives `ResponseModel` alone.
#[proc_macro_attribute]
pub fn model(args: TokenStream, item: TokenStream) -> TokenStream {
    model::expand(args.into(), item.into()).into()
}

/// Makes a function something that a model can learn, and stand in for.
///
/// The function stays as it is. Beside it, under its name, are two more:
///
/// | | |
/// |---|---|
/// | `multiply::distil(&lessons, a, b)` | runs it and writes the call and its result to `Lessons`, a fine-tuning file |
/// | `multiply::task(a, b)` | the call as a `Task`: the messages that were trained, to ask the tuned model |
///
/// The model is told the function's documentation, its signature and its arguments. They have to be `Serialize`; what it
/// returns, `Serialize` and a `ResponseModel`, or a `Result` of that: an `Err` teaches nothing and is not written. The
/// function may be `async` and may have lifetimes; it has no `self` and no type parameters.
///
/// | Argument | Meaning |
/// |---|---|
/// | none | the signature is told |
/// | `body` | the whole code is told |
/// | `crate = "path"` | where the `instructor` crate is, if a crate re-exports it |
#[cfg(feature = "distil")]
#[proc_macro_attribute]
pub fn distil(args: TokenStream, item: TokenStream) -> TokenStream {
    distil::expand(args.into(), item.into()).into()
}
