//! The `outline` method: where in an answer the functions are that `validate` runs.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use super::validate::Names;
use crate::ast::{Container, Data, Field, Step};

pub(crate) fn method(container: &Container<'_>) -> TokenStream {
    let fields: Vec<&Field<'_>> = container.fields().filter(|field| !field.skip).collect();
    let names = Names::new();
    let in_place = matches!(container.data, Data::Struct(_)) && !container.serde.converted;
    let parts: Vec<TokenStream> = fields.iter().map(|field| part(field, in_place, &names)).collect();
    let told = |field: &&Field<'_>| field.rules.is_empty() || in_place && has_place(field);
    let own = !container.rules.is_empty() || !fields.iter().all(told);
    let own = own.then(|| quote!(outlined.own();));
    if own.is_none() && parts.is_empty() {
        return quote!(
            fn outline(_: &mut _p::Outlined) {}
        );
    }
    quote! {
        fn outline(outlined: &mut _p::Outlined) {
            #[allow(unused_imports)]
            use _p::{Known as _, Unknown as _};

            #own
            #(#parts)*
        }
    }
}

/// Whether the value of a field stands by itself in an answer, in its type's own form.
fn has_place(field: &Field<'_>) -> bool {
    field.at.len() == 1 && !field.with && !field.flatten
}

fn part(field: &Field<'_>, in_place: bool, names: &Names) -> TokenStream {
    let ty = field.ty;
    let model = quote!((&_p::Type::<#ty>::NEW).model());
    let at = match field.at.as_slice() {
        [Step::Key(key)] if in_place && has_place(field) => quote!(_p::At::Key(#key)),
        [Step::Index(index)] if in_place && has_place(field) => quote!(_p::At::Index(#index)),
        [] if in_place && !field.with && !field.flatten => return quote!(outlined.same(#model);),
        _ => return quote!(outlined.hidden(#model);),
    };
    if field.rules.is_empty() {
        return quote!(outlined.part(#at, #model););
    }
    let json = Ident::new("json", Span::mixed_site());
    // As `self` in `validate`, so that the compiler refuses a function once and not in either place.
    let value = quote!(__value);
    let rules = field.rules.iter().map(|rule| names.rule(rule, &value, &[]));
    let Names { context, issues } = names;
    quote! {
        outlined.ruled(#at, #model, |#json, #context, #issues| _p::read::<#ty>(#json, |#value| { #(#rules)* }));
    }
}
