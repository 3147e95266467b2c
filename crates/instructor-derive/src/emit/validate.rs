//! The `validate` method: fields in order, then the type's own rules.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Ident};

use crate::ast::{Container, Data, Field, Step, Variant};

/// Nothing for a type that has nothing to validate: the trait's own method does that.
pub(crate) fn method(container: &Container<'_>) -> Option<TokenStream> {
    let visited = container.fields().any(|field| !field.skip);
    if !visited && container.rules.is_empty() {
        return None;
    }
    let krate = &container.krate;
    let names = Names::new();
    let Names { context, issues } = &names;
    let fields = visited.then(|| each_field(&container.data, |field, value| names.field(field, value)));
    let itself = quote!(self);
    let rules = container.rules.iter().map(|rule| names.rule(rule, &itself, &[]));
    Some(quote! {
        fn validate(&self, #context: &#krate::Context, #issues: &mut #krate::Issues) {
            #[allow(unused_imports)]
            use _p::{Nested as _, Plain as _};

            #fields
            #(#rules)*
        }
    })
}

/// The parameters, under names that a path of the user cannot mean.
pub(super) struct Names {
    pub(super) context: Ident,
    pub(super) issues: Ident,
}

impl Names {
    pub(super) fn new() -> Self {
        let name = |name| Ident::new(name, Span::mixed_site());
        Self { context: name("context"), issues: name("issues") }
    }

    fn field(&self, field: &Field<'_>, value: &TokenStream) -> TokenStream {
        let Self { context, issues } = self;
        let at = steps(&field.at);
        let rules = field.rules.iter().map(|rule| self.rule(rule, value, &field.at));
        quote! {
            (&_p::Field(#value)).validate_field(&[#at], #context, #issues);
            #(#rules)*
        }
    }

    /// Located at the function's path, because what the compiler refuses is that function.
    pub(super) fn rule(&self, rule: &ExprPath, value: &TokenStream, at: &[Step]) -> TokenStream {
        let Self { context, issues } = self;
        let span = rule.span().resolved_at(Span::call_site());
        let value = value.clone().into_iter().map(|mut token| {
            token.set_span(span.resolved_at(token.span()));
            token
        });
        let value: TokenStream = value.collect();
        let at = steps(at);
        quote_spanned!(span=> _p::rule(#rule).run(#value, &[#at], #context, #issues);)
    }
}

/// What is done with each field of a value that is in an answer.
pub(super) fn each_field(data: &Data<'_>, run: impl Fn(&Field<'_>, &TokenStream) -> TokenStream) -> TokenStream {
    match data {
        Data::Struct(fields) => of_struct(fields, run),
        Data::Enum(variants) => of_enum(variants, run),
    }
}

fn of_struct(fields: &[Field<'_>], run: impl Fn(&Field<'_>, &TokenStream) -> TokenStream) -> TokenStream {
    let checks = fields.iter().filter(|field| !field.skip).map(|field| {
        let member = &field.member;
        run(field, &quote!(&self.#member))
    });
    quote!(#(#checks)*)
}

fn of_enum(variants: &[Variant<'_>], run: impl Fn(&Field<'_>, &TokenStream) -> TokenStream) -> TokenStream {
    let visited = |variant: &&Variant<'_>| variant.fields.iter().any(|field| !field.skip);
    let arms = variants.iter().filter(visited).map(|variant| {
        let (patterns, checks): (Vec<_>, Vec<_>) = variant
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.skip)
            .map(|(at, field)| {
                let member = &field.member;
                let bound = format_ident!("field{at}", span = Span::mixed_site());
                (quote!(#member: #bound), run(field, &quote!(#bound)))
            })
            .unzip();
        let ident = variant.ident;
        quote! { Self::#ident { #(#patterns,)* .. } => { #(#checks)* } }
    });
    let others = (!variants.iter().all(|variant| visited(&variant))).then(|| quote!(_ => {}));
    quote! { match self { #(#arms)* #others } }
}

pub(super) fn steps(at: &[Step]) -> TokenStream {
    let steps = at.iter().map(|step| match step {
        Step::Key(key) => quote!(_p::Step::Key(#key)),
        Step::Index(index) => quote!(_p::Step::Index(#index)),
    });
    quote!(#(#steps),*)
}
