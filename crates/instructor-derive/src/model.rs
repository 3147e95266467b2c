//! `#[instructor::model]`: the derives, with paths that need no dependency but `instructor`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Field, GenericArgument, Ident, LitStr, Path, PathArguments, Token, Type, parse_quote,
};

use crate::attr::{crate_path, rest_of_value};
use crate::ctxt::Ctxt;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let (krate, text, partial) = arguments(args, &mut ctxt);
    let expanded = match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(mut input) => {
            let derives = derives(&krate, &input.attrs, partial);
            let homes = homes(&text, &input.attrs);
            // A helper attribute before the derive that it belongs to is refused by the compiler.
            input.attrs.extend(homes);
            say_aliases(&mut input.data);
            quote!(#derives #input)
        }
        Err(_) => {
            ctxt.push(syn::Error::new(
                Span::call_site(),
                "`#[instructor::model]` goes on a struct or an enum: move it to the type to be answered",
            ));
            item
        }
    };
    // The item stays, so that uses of it elsewhere are not errors as well.
    let errors = ctxt.finish().err().map(syn::Error::into_compile_error);
    quote!(#errors #expanded)
}

/// Where the crate is, as a path and as text, and whether a partial is wanted.
fn arguments(args: TokenStream, ctxt: &mut Ctxt) -> (Path, String, bool) {
    let mut krate = None;
    let mut partial = false;
    let parsed = syn::meta::parser(|meta| {
        if meta.path.is_ident("crate") {
            match crate_path(&meta) {
                Ok(_) if krate.is_some() => ctxt.error(&meta.path, "`crate` is given twice: remove one"),
                Ok(path) => krate = Some(path),
                Err(error) => ctxt.push(error),
            }
        } else if meta.path.is_ident("partial") && !meta.input.peek(Token![=]) {
            partial = true;
        } else {
            ctxt.error(
                &meta.path,
                "unknown argument of `#[instructor::model]`: write `partial`, `crate = \"path\"` or nothing; \
                 validators go in `#[response(validate = path)]` below",
            );
        }
        rest_of_value(meta.input)?;
        Ok(())
    })
    .parse2(args);
    if let Err(error) = parsed {
        const WRITE: &str = "write `#[instructor::model]` or `#[instructor::model(crate = \"path\")]`";
        ctxt.push(syn::Error::new(error.span(), format!("{error}: {WRITE}")));
    }
    let (krate, text) = krate.unwrap_or_else(|| (parse_quote!(::instructor), String::from("::instructor")));
    (krate, text, partial)
}

/// The derives that the item does not have yet.
fn derives(krate: &Path, attrs: &[Attribute], partial: bool) -> TokenStream {
    let mut present = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        // What cannot be read, the compiler reports.
        if let Ok(paths) = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated) {
            present
                .extend(paths.into_iter().filter_map(|path| path.segments.last().map(|last| last.ident.to_string())));
        }
    }
    let wanted: [Path; 6] = [
        parse_quote!(::core::fmt::Debug),
        parse_quote!(::core::clone::Clone),
        parse_quote!(#krate::serde::Serialize),
        parse_quote!(#krate::serde::Deserialize),
        parse_quote!(#krate::schemars::JsonSchema),
        parse_quote!(#krate::ResponseModel),
    ];
    let partial: Option<Path> = partial.then(|| parse_quote!(#krate::Partial));
    let missing = wanted
        .into_iter()
        .chain(partial)
        .filter(|path| path.segments.last().is_some_and(|last| !present.iter().any(|name| last.ident == name)));
    quote!(#[derive(#(#missing),*)])
}

/// Where each derive finds its crate, unless the item says so itself.
fn homes(krate: &str, attrs: &[Attribute]) -> Vec<Attribute> {
    [("serde", "::serde"), ("schemars", "::schemars"), ("response", "")]
        .into_iter()
        .filter(|(owner, _)| !attrs.iter().any(|attr| attr.path().is_ident(owner) && has_crate(attr)))
        .map(|(owner, inside)| {
            let owner = Ident::new(owner, Span::call_site());
            let path = format!("{krate}{inside}");
            parse_quote!(#[#owner(crate = #path)])
        })
        .collect()
}

/// Says serde's aliases in the schema too, where the reader of answers looks for them: schemars leaves them out.
fn say_aliases(data: &mut Data) {
    match data {
        Data::Struct(data) => data.fields.iter_mut().for_each(say_field_aliases),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                let names = aliases(&variant.attrs);
                if !names.is_empty() {
                    variant.attrs.push(parse_quote!(#[schemars(extend("x-enum" = [#({ "alias": #names }),*]))]));
                }
                variant.fields.iter_mut().for_each(say_field_aliases);
            }
        }
        Data::Union(_) => {}
    }
}

fn say_field_aliases(field: &mut Field) {
    let names = aliases(&field.attrs);
    if !names.is_empty() {
        field.attrs.push(parse_quote!(#[schemars(extend("x-alias" = [#(#names),*]))]));
    }
    if is_double_option(&field.ty) {
        // Absent and null are two values of such a field, which its schema alone does not tell.
        field.attrs.push(parse_quote!(#[schemars(extend("x-exact" = true))]));
    }
}

/// `Option<Option<T>>` as it is written.
fn is_double_option(ty: &Type) -> bool {
    inside_option(ty).and_then(inside_option).is_some()
}

fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

fn aliases(attrs: &[Attribute]) -> Vec<LitStr> {
    let mut names = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // Only a look: what cannot be read, serde's derive reports.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("alias") {
                names.push(meta.value()?.parse()?);
            } else {
                rest_of_value(meta.input)?;
            }
            Ok(())
        });
    }
    names
}

fn has_crate(attr: &Attribute) -> bool {
    let mut found = false;
    // Only a look ahead: the derive that the attribute belongs to reports what cannot be read.
    let _ = attr.parse_nested_meta(|meta| {
        found |= meta.path.is_ident("crate");
        rest_of_value(meta.input)?;
        Ok(())
    });
    found
}
