//! Writes the implementation.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{DeriveInput, Ident, WhereClause, parse_quote};

use crate::ast::Container;
use crate::check::check;
use crate::ctxt::Ctxt;

mod checks;
mod outline;
mod partial;
mod validate;

pub(crate) use self::partial::partial;

pub(crate) fn response_model(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut ctxt = Ctxt::default();
    let container = Container::read(input, &mut ctxt);
    check(&container, &mut ctxt);
    ctxt.finish()?;

    let Container { ident, generics, krate, .. } = &container;
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let bounds = bounds(&container);
    let validate = validate::method(&container);
    let validate_async = checks::method(&container);
    let outline = outline::method(&container);
    Ok(quote! {
        #[doc(hidden)]
        const _: () = {
            #[allow(unused_imports)]
            use #krate::__private as _p;

            #[automatically_derived]
            impl #impl_generics #krate::ResponseModel for #ident #ty_generics #bounds {
                #validate
                #validate_async
                #outline
            }
        };
    })
}

/// The type's own bounds, and for a generic type what makes it a response model.
fn bounds(container: &Container<'_>) -> Option<WhereClause> {
    let Container { generics, krate, .. } = container;
    let mut params = generics.type_params().map(|param| &param.ident).peekable();
    if params.peek().is_none() && generics.lifetimes().next().is_none() {
        return generics.where_clause.clone();
    }
    let mut bounds = generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where));
    // `Self` and not the parameters, because the bounds of the other two derives can be set by hand.
    bounds.predicates.push(parse_quote! {
        Self: #krate::schemars::JsonSchema
            + #krate::serde::de::DeserializeOwned
            + ::core::marker::Send
            + 'static
    });
    // Without these the validators of a field of type `T` would not be seen, and silently not run.
    bounds.predicates.extend(
        params
            .filter(|param| container.fields().any(|field| !field.skip && mentions(field.ty.to_token_stream(), param)))
            .map(|param| -> syn::WherePredicate { parse_quote!(#param: #krate::ResponseModel) }),
    );
    Some(bounds)
}

fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == *ident,
        TokenTree::Group(group) => mentions(group.stream(), ident),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
