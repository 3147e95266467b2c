//! The `validate_async` method: as `validate`, for what is to be awaited.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Ident};

use super::validate::{each_field, steps};
use crate::ast::{Container, Field, Step};

/// Nothing for a type that has nothing to validate: the trait's own method does that.
pub(crate) fn method(container: &Container<'_>) -> Option<TokenStream> {
    let visited = container.fields().any(|field| !field.skip);
    if !visited && container.checks.is_empty() {
        return None;
    }
    let krate = &container.krate;
    let checks = Ident::new("checks", Span::mixed_site());
    let fields = visited.then(|| each_field(&container.data, |field, value| of_field(field, value, &checks)));
    let itself = quote!(self);
    let own = container.checks.iter().map(|check| function(check, &itself, &[], &checks));
    Some(quote! {
        fn validate_async<'v>(&'v self, #checks: &mut #krate::Checks<'v>) {
            #[allow(unused_imports)]
            use _p::{Awaits as _, Idles as _};

            #fields
            #(#own)*
        }
    })
}

fn of_field(field: &Field<'_>, value: &TokenStream, checks: &Ident) -> TokenStream {
    let at = steps(&field.at);
    let own = field.checks.iter().map(|check| function(check, value, &field.at, checks));
    quote! {
        (&_p::Field(#value)).check_field(&[#at], #checks);
        #(#own)*
    }
}

/// Located at the function's path, because what the compiler refuses is that function.
fn function(check: &ExprPath, value: &TokenStream, at: &[Step], checks: &Ident) -> TokenStream {
    let span = check.span().resolved_at(Span::call_site());
    let value = value.clone().into_iter().map(|mut token| {
        token.set_span(span.resolved_at(token.span()));
        token
    });
    let value: TokenStream = value.collect();
    let at = steps(at);
    quote_spanned!(span=> _p::check(#check).begin(#value, &[#at], #checks);)
}
