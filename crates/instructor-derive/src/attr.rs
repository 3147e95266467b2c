//! Reads attributes: `#[response(..)]` strictly, and from `#[serde(..)]` what decides where a field is in an answer.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ExprPath, Ident, LitStr, Path, Token, token};

use crate::case::Case;
use crate::ctxt::Ctxt;

/// What an attribute is written on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Type,
    Variant,
    Field,
}

/// All `#[response(..)]` of one place.
#[derive(Default)]
pub(crate) struct Response {
    pub(crate) krate: Option<Path>,
    pub(crate) rules: Vec<ExprPath>,
    /// Async rules.
    pub(crate) checks: Vec<ExprPath>,
    pub(crate) shown: Shown,
}

/// When a field of a partial shows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown {
    /// When it is complete, made by serde: its type needs no partial.
    pub(crate) whole: bool,
    /// When it is complete.
    pub(crate) done: bool,
    /// What is beside it shows when it is complete.
    pub(crate) required: bool,
}

impl Response {
    pub(crate) fn read(attrs: &[Attribute], place: Place, ctxt: &mut Ctxt) -> Self {
        let mut read = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("response")) {
            if place == Place::Variant {
                ctxt.error(
                    attr,
                    "`#[response(..)]` has no meaning on a variant: put it on the enum, or on a field of the variant",
                );
                continue;
            }
            let Ok(list) = attr.meta.require_list() else {
                ctxt.error(&attr.meta, "a `response` attribute needs content: write `#[response(validate = path)]`");
                continue;
            };
            let parsed = list.parse_args_with(syn::meta::parser(|meta| {
                read.key(&meta, place, ctxt);
                // Whatever a refused key left behind is passed over, so that the keys after it are read as well.
                rest_of_value(meta.input)?;
                Ok(())
            }));
            if let Err(error) = parsed {
                ctxt.push(syn::Error::new(error.span(), format!("{error}: write `#[response(validate = path)]`")));
            }
        }
        read
    }

    fn key(&mut self, meta: &ParseNestedMeta<'_>, place: Place, ctxt: &mut Ctxt) {
        if meta.path.is_ident("validate") {
            match function(meta, "validate") {
                Ok(rule) => self.rules.push(rule),
                Err(error) => ctxt.push(error),
            }
        } else if meta.path.is_ident("validate_async") {
            match function(meta, "validate_async") {
                Ok(check) => self.checks.push(check),
                Err(error) => ctxt.push(error),
            }
        } else if meta.path.is_ident("crate") && place == Place::Type {
            match crate_path(meta) {
                Ok(_) if self.krate.is_some() => ctxt.error(&meta.path, "`crate` is given twice: remove one"),
                Ok((path, _)) => self.krate = Some(path),
                Err(error) => ctxt.push(error),
            }
        } else if let Some(shown) = self.shown.key(&meta.path) {
            *shown = true;
            if place == Place::Type {
                ctxt.error(&meta.path, "this tells when a field shows in a stream: move it to the field");
            }
            if meta.input.peek(Token![=]) || meta.input.peek(token::Paren) {
                ctxt.error(&meta.path, "this has no value: write the word alone");
            }
        } else if meta.path.is_ident("crate") {
            ctxt.error(&meta.path, "`crate` belongs to the whole type: move `#[response(crate = \"..\")]` there");
        } else {
            let allowed = match place {
                Place::Type => "on a type, write `validate = path`, `validate_async = path` or `crate = \"path\"`",
                Place::Variant | Place::Field => {
                    "on a field, write `validate = path` or `validate_async = path`, or `whole`, `done` or `required` \
                     for what it is in a stream"
                }
            };
            ctxt.error(&meta.path, format!("unknown key in `#[response(..)]`: {allowed}"));
        }
    }
}

impl Shown {
    fn key(&mut self, path: &Path) -> Option<&mut bool> {
        match path.get_ident()?.to_string().as_str() {
            "whole" => Some(&mut self.whole),
            "done" => Some(&mut self.done),
            "required" => Some(&mut self.required),
            _ => None,
        }
    }
}

/// The path after `validate =` or `validate_async =`.
fn function(meta: &ParseNestedMeta<'_>, key: &str) -> syn::Result<ExprPath> {
    let what = if key == "validate" { "a function" } else { "an async function" };
    let write = format!("write `{key} = path` with the path of {what}");

    if !meta.input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(&meta.path, format!("`{key}` has no value: {write}")));
    }
    let input = meta.value()?;
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let message = match text.parse::<ExprPath>() {
            Ok(_) => format!("the function is a path, not a string: write `{key} = {}`", text.value().trim()),
            Err(_) => format!("the function is a path, not a string: {write}"),
        };
        return Err(syn::Error::new_spanned(&text, message));
    }
    let ahead = input.fork();
    if ahead.parse::<ExprPath>().is_ok() && at_end_of_value(&ahead) {
        return input.parse();
    }
    let value = rest_of_value(input)?;
    if value.is_empty() {
        return Err(syn::Error::new_spanned(&meta.path, format!("`{key}` has no value: {write}")));
    }
    Err(syn::Error::new_spanned(value, format!("not the path of a function: {write}")))
}

/// The path after `crate =`, and its text.
pub(crate) fn crate_path(meta: &ParseNestedMeta<'_>) -> syn::Result<(Path, String)> {
    const WRITE: &str = "write `crate = \"path\"` with the path of the `instructor` crate";

    if !meta.input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(&meta.path, format!("`crate` has no value: {WRITE}")));
    }
    let input = meta.value()?;
    if !input.peek(LitStr) {
        let value = rest_of_value(input)?;
        let message = format!("the path is in quotes here: {WRITE}");
        return Err(if value.is_empty() {
            syn::Error::new_spanned(&meta.path, message)
        } else {
            syn::Error::new_spanned(value, message)
        });
    }
    let text: LitStr = input.parse()?;
    match text.parse_with(Path::parse_mod_style) {
        Ok(path) => Ok((path, String::from(text.value().trim()))),
        Err(_) => {
            Err(syn::Error::new_spanned(&text, format!("not a path: {WRITE}, such as \"::my_crate::instructor\"")))
        }
    }
}

fn at_end_of_value(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Passes over tokens up to the comma before the next key.
pub(crate) fn rest_of_value(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut rest = TokenStream::new();
    while !at_end_of_value(input) {
        rest.extend([input.parse::<TokenTree>()?]);
    }
    Ok(rest)
}

/// What `#[serde(..)]` says about deserialization, of a type, a variant or a field; each has only some of it.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) untagged: bool,
    pub(crate) transparent: bool,
    pub(crate) flatten: bool,
    pub(crate) skip: bool,
    /// Any other name.
    pub(crate) other: bool,
    /// A function reads it.
    pub(crate) with: bool,
    /// The answer is read as another type and converted.
    pub(crate) converted: bool,
}

impl Serde {
    pub(crate) fn read(attrs: &[Attribute]) -> Self {
        let mut read = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            if let Ok(list) = attr.meta.require_list() {
                // serde's own derive reports what cannot be read, and does it better.
                let _ = syn::meta::parser(|meta| read.key(&meta)).parse2(list.tokens.clone());
            }
        }
        read
    }

    fn key(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match meta.path.get_ident().map(Ident::to_string).as_deref() {
            Some("rename") => self.rename = deserialize_name(meta)?,
            Some("rename_all") => self.rename_all = deserialize_name(meta)?.as_deref().and_then(Case::from_name),
            Some("rename_all_fields") => {
                self.rename_all_fields = deserialize_name(meta)?.as_deref().and_then(Case::from_name);
            }
            Some("alias") => self.aliases.push(meta.value()?.parse::<LitStr>()?.value()),
            Some("tag") => self.tag = deserialize_name(meta)?,
            Some("content") => self.content = deserialize_name(meta)?,
            Some("untagged") => self.untagged = true,
            Some("transparent") => self.transparent = true,
            Some("flatten") => self.flatten = true,
            Some("skip" | "skip_deserializing") => self.skip = true,
            Some("other") => self.other = true,
            Some("with" | "deserialize_with") => self.with = true,
            Some("from" | "try_from") => self.converted = true,
            _ => {}
        }
        rest_of_value(meta.input)?;
        Ok(())
    }
}

/// The name in `key = "name"` or `key(deserialize = "name")`.
fn deserialize_name(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if !meta.input.peek(token::Paren) {
        return Ok(Some(meta.value()?.parse::<LitStr>()?.value()));
    }
    let mut name = None;
    meta.parse_nested_meta(|inner| {
        let value: LitStr = inner.value()?.parse()?;
        // Further names for deserialization are aliases; the first is the name.
        if inner.path.is_ident("deserialize") && name.is_none() {
            name = Some(value.value());
        }
        Ok(())
    })?;
    Ok(name)
}

/// The name that serde sees: without `r#`.
pub(crate) fn plain_name(ident: &Ident) -> String {
    ident.unraw().to_string()
}
