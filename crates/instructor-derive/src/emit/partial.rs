//! What a type is while it arrives: a struct or enum like it, with a `Field` for each value.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, DeriveInput, Fields, GenericParam, Generics, Ident, Path, Type, Visibility, WherePredicate, parse_quote,
};

use super::mentions;
use crate::ast::{Container, Data, Field, Variant};
use crate::ctxt::Ctxt;

pub(crate) fn partial(input: &DeriveInput) -> syn::Result<TokenStream> {
    // What is wrong with attributes, the derive of the response model tells.
    let container = Container::read(input, &mut Ctxt::default());
    let Container { ident, krate, .. } = &container;
    let mut ctxt = Ctxt::default();
    for field in container.fields().filter(|field| field.shown.required) {
        if field.flatten || field.names.is_empty() {
            ctxt.error(
                field.ty,
                "only a field with a key of its own can be required in a stream: remove `required`, or write it on a \
                 field of a struct with named fields",
            );
        }
    }
    ctxt.finish()?;
    let maker = Maker { container: &container, vis: &input.vis, name: format_ident!("Partial{ident}") };
    let Made { definition, ty, implementation, owned } = maker.make(&input.data)?;

    let mut generics = container.generics.clone();
    maker.bind(&mut generics, owned);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = container.generics.split_for_impl();
    Ok(quote! {
        #definition

        #[doc(hidden)]
        const _: () = {
            #[allow(unused_imports)]
            use #krate::__private as _p;

            #implementation

            #[automatically_derived]
            impl #impl_generics #krate::Partial for #ident #ty_generics #where_clause {
                type Partial = #ty;
            }
        };
    })
}

/// A type that shows another.
struct Made {
    /// New types.
    definition: TokenStream,
    ty: TokenStream,
    /// What new types do.
    implementation: TokenStream,
    /// It needs the type itself to be read.
    owned: bool,
}

struct Maker<'m> {
    container: &'m Container<'m>,
    vis: &'m Visibility,
    name: Ident,
}

impl Maker<'_> {
    fn make(&self, data: &syn::Data) -> syn::Result<Made> {
        let Container { ident, generics, krate, serde, data: read, .. } = self.container;
        let (_, ty_generics, _) = generics.split_for_impl();
        let whole = Made { owned: true, ..Made::of(quote!(#krate::Whole<#ident #ty_generics>)) };
        Ok(match (data, read) {
            (syn::Data::Union(data), _) => {
                return Err(syn::Error::new_spanned(data.union_token, "a union has no partial: write an enum"));
            }
            _ if serde.converted => whole,
            (syn::Data::Struct(data), Data::Struct(fields)) => match (&data.fields, single(fields)) {
                (Fields::Unnamed(all), Some(only)) if all.unnamed.len() == 1 => Made::of(self.shown(only)),
                (_, Some(only)) if serde.transparent => Made::of(self.shown(only)),
                (Fields::Unit, _) => whole,
                (Fields::Unnamed(all), _) if all.unnamed.is_empty() => whole,
                (style, _) => self.structure(&self.name, style, fields, false),
            },
            (_, Data::Enum(variants)) => {
                let plain = |variant: &Variant<'_>| matches!(variant.style, Fields::Unit);
                if variants.iter().all(plain) || (!serde.untagged && variants.iter().any(|v| v.untagged)) {
                    whole
                } else {
                    self.enumeration(variants)
                }
            }
            (_, Data::Struct(_)) => whole,
        })
    }

    /// The type that shows a field.
    fn shown(&self, field: &Field<'_>) -> TokenStream {
        let Container { ident, generics, .. } = self.container;
        let (_, ty_generics, _) = generics.split_for_impl();
        let ty = named(field.ty.to_token_stream(), &quote!(#ident #ty_generics));
        let (krate, span) = self.krate_at(field.ty);
        if field.shown.whole {
            quote_spanned!(span=> #krate::Whole<#ty>)
        } else if field.with {
            quote_spanned!(span=> #krate::PartialValue)
        } else {
            quote_spanned!(span=> <#ty as #krate::Partial>::Partial)
        }
    }

    /// The crate, located at a type, because what the compiler refuses is that it has no partial. The type's own tokens
    /// stay where they are: a macro's `$crate` is what its span says.
    fn krate_at(&self, ty: &Type) -> (TokenStream, Span) {
        let span = ty.span().resolved_at(Span::call_site());
        let located = self.container.krate.to_token_stream().into_iter().map(|mut token| {
            token.set_span(span);
            token
        });
        (located.collect(), span)
    }

    /// A struct with a `Field` for each field. The fields of a variant are as visible as the enum.
    fn structure(&self, name: &Ident, style: &Fields, fields: &[Field<'_>], of_variant: bool) -> Made {
        let krate = &self.container.krate;
        let fields: Vec<&Field<'_>> = fields.iter().filter(|field| !field.skip).collect();
        let generics = self.generics(&fields);
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let named = matches!(style, Fields::Named(_));

        let members = fields.iter().map(|field| {
            let docs = docs(field.attrs);
            let vis = if of_variant { self.vis } else { field.vis };
            let ty = self.shown(field);
            let serde = named.then(|| {
                let pending = format!("{}::Field::is_pending", text(krate));
                let place = match field.names.first() {
                    Some(name) if !field.flatten => quote!(rename = #name),
                    _ => quote!(flatten),
                };
                quote!(#[serde(#place, skip_serializing_if = #pending)])
            });
            let member = named.then(|| {
                let member = &field.member;
                quote!(#member:)
            });
            let (krate, span) = self.krate_at(field.ty);
            let ty = quote_spanned!(span=> #krate::Field<#ty>);
            quote!(#(#docs)* #serde #vis #member #ty)
        });
        let body = if named { quote!(#where_clause { #(#members,)* }) } else { quote!((#(#members,)*) #where_clause;) };
        let attrs = self.attrs();
        let vis = self.vis;
        let doc =
            if of_variant { "What is in the variant, while it arrives." } else { "What the type is while it arrives." };
        let definition = quote! {
            #[doc = #doc]
            #attrs
            #vis struct #name #impl_generics #body
        };

        let (flat, own): (Vec<&Field<'_>>, Vec<&Field<'_>>) = fields.iter().partition(|field| named && field.flatten);
        let methods = if named { object(&own, &flat) } else { array(own.len()) };
        let required = fields.iter().filter(|field| field.shown.required).filter_map(|field| field.names.first());
        let kind = if named { quote!(Object) } else { quote!(Array) };
        // A struct of a tuple has the places of those that are left.
        let place = |(at, field): (usize, &&Field<'_>)| {
            if named { field.member.to_token_stream() } else { syn::Index::from(at).to_token_stream() }
        };
        let members: Vec<TokenStream> = own.iter().enumerate().map(place).collect();
        let all: Vec<TokenStream> = fields.iter().enumerate().map(place).collect();
        let slots = 0..own.len();
        let rest = if flat.is_empty() {
            quote!(_ => None)
        } else {
            let first = own.len();
            let flat = flat.iter().map(|field| &field.member);
            quote!(_ => _p::flat_child(#first, slot, [#(&mut self.#flat),*]))
        };
        let done =
            own.iter().enumerate().filter(|(_, field)| field.shown.done).map(|(slot, _)| slot).collect::<Vec<_>>();
        let waits = (!done.is_empty()).then(|| {
            quote! {
                fn waits(&self, slot: usize) -> bool {
                    [#(#done),*].contains(&slot)
                }
            }
        });
        let implementation = quote! {
            #[automatically_derived]
            impl #impl_generics _p::Part for #name #ty_generics #where_clause {
                fn way(kind: _p::Kind) -> _p::Way {
                    if kind == _p::Kind::#kind { _p::Way::Inside(&[#(#required),*]) } else { _p::Way::Never }
                }

                fn begin(kind: _p::Kind) -> ::core::option::Option<Self> {
                    (kind == _p::Kind::#kind).then(|| Self { #(#all: #krate::Field::Pending),* })
                }

                #methods

                fn child(&mut self, slot: usize) -> ::core::option::Option<&mut dyn _p::Grow> {
                    match slot {
                        #(#slots => ::core::option::Option::Some(&mut self.#members),)*
                        #rest,
                    }
                }

                #waits
            }
        };
        Made { definition, ty: quote!(#name #ty_generics), implementation, owned: false }
    }

    fn enumeration(&self, variants: &[Variant<'_>]) -> Made {
        let Container { ident, krate, serde, .. } = self.container;
        let name = &self.name;
        let variants: Vec<&Variant<'_>> = variants.iter().filter(|variant| !variant.skip).collect();
        let fields: Vec<&Field<'_>> = variants.iter().flat_map(|variant| &variant.fields).collect();
        let generics = self.generics(&fields);
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();

        let mut definition = TokenStream::new();
        let mut implementation = TokenStream::new();
        let mut content = Vec::new();
        for variant in &variants {
            let made = match (variant.style, single(&variant.fields)) {
                (Fields::Unit, _) => None,
                (Fields::Unnamed(all), Some(only)) if all.unnamed.len() == 1 => Some(Made::of(self.shown(only))),
                (style, _) => {
                    let name = format_ident!("{name}{}", variant.ident);
                    Some(self.structure(&name, style, &variant.fields, true))
                }
            };
            content.push(made.map(|made| {
                definition.extend(made.definition);
                implementation.extend(made.implementation);
                made.ty
            }));
        }

        let shapes = variants.iter().zip(&content).map(|(variant, content)| {
            let Variant { ident, names, attrs, .. } = variant;
            let docs = docs(attrs);
            let rename = names.first().map(|name| quote!(#[serde(rename = #name)]));
            let content = content.as_ref().map(|ty| quote!((#krate::Field<#ty>)));
            quote!(#(#docs)* #rename #ident #content)
        });
        let attrs = self.attrs();
        let vis = self.vis;
        let tagging = match (&serde.tag, &serde.content) {
            _ if serde.untagged => Some(quote!(#[serde(untagged)])),
            (Some(tag), Some(content)) => Some(quote!(#[serde(tag = #tag, content = #content)])),
            (Some(tag), None) => Some(quote!(#[serde(tag = #tag)])),
            (None, _) => None,
        };
        definition.extend(quote! {
            #[doc = "What the type is while it arrives."]
            #attrs
            #tagging
            #vis enum #name #impl_generics #where_clause { #(#shapes,)* }
        });

        let empty = |variant: &Variant<'_>, content: &Option<TokenStream>| {
            let ident = variant.ident;
            let content = content.as_ref().map(|_| quote!((#krate::Field::Pending)));
            quote!(Self::#ident #content)
        };
        let some = |what: TokenStream| quote!(::core::option::Option::Some(#what));
        let choices = variants.iter().zip(&content).map(|(variant, content)| {
            let names = &variant.names;
            let chosen = some(empty(variant, content));
            let pattern = if variant.other { quote!(_) } else { quote!(#(#names)|*) };
            quote!(#pattern => #chosen)
        });
        let none = quote!(::core::option::Option::None);
        let unknown = (!variants.iter().any(|variant| variant.other)).then(|| quote!(_ => #none));
        let children = variants.iter().zip(&content).map(|(variant, content)| {
            let ident = variant.ident;
            match content {
                Some(_) => quote!(Self::#ident(inner) => ::core::option::Option::Some(inner)),
                None => quote!(Self::#ident => #none),
            }
        });
        let way = match (&serde.tag, &serde.content) {
            _ if serde.untagged => quote!(_ => _p::Way::Whole),
            (Some(tag), content) => {
                let content = content.as_ref().map_or(none.clone(), |key| some(quote!(#key)));
                quote!(_p::Kind::Object => _p::Way::Tag { tag: #tag, content: #content }, _ => _p::Way::Never)
            }
            (None, _) => {
                quote!(_p::Kind::Object => _p::Way::Key, _p::Kind::String => _p::Way::Whole, _ => _p::Way::Never)
            }
        };
        let whole = if serde.untagged {
            let (_, of, _) = self.container.generics.split_for_impl();
            let arms = variants.iter().zip(&content).map(|(variant, content)| {
                let name = variant.ident;
                let chosen = some(empty(variant, content));
                quote!(#ident::#name { .. } => #chosen)
            });
            let skipped = (variants.len() < self.container.variants()).then(|| quote!(_ => #none));
            let read = quote!(#krate::serde_json::from_str::<#ident #of>(json));
            Some(quote! {
                match #read.ok()? { #(#arms,)* #skipped }
            })
        } else {
            serde.tag.is_none().then(|| quote!(_p::unit(json)))
        };
        let whole = whole.map(|whole| {
            quote! {
                fn whole(json: &str) -> ::core::option::Option<Self> {
                    #whole
                }
            }
        });
        let key = serde.content.as_ref().filter(|_| serde.tag.is_some()).map(|content| {
            quote! {
                fn key(&mut self, key: &str) -> ::core::option::Option<usize> {
                    (key == #content).then_some(0)
                }
            }
        });
        implementation.extend(quote! {
            #[automatically_derived]
            impl #impl_generics _p::Part for #name #ty_generics #where_clause {
                fn way(kind: _p::Kind) -> _p::Way {
                    match kind { #way }
                }

                fn choose(name: &str) -> ::core::option::Option<Self> {
                    match name { #(#choices,)* #unknown }
                }

                #whole

                #key

                fn child(&mut self, _: usize) -> ::core::option::Option<&mut dyn _p::Grow> {
                    match self { #(#children,)* }
                }
            }
        });
        Made { definition, ty: quote!(#name #ty_generics), implementation, owned: serde.untagged }
    }

    /// What every new type has. Where serde is found.
    fn attrs(&self) -> TokenStream {
        let krate = &self.container.krate;
        let serde = format!("{}::serde", text(krate));
        quote! {
            #[derive(::core::clone::Clone, ::core::fmt::Debug, #krate::serde::Serialize)]
            #[serde(crate = #serde, bound = "")]
            #[allow(missing_docs)]
        }
    }

    /// The parameters that some fields mention, with what a partial needs of them.
    fn generics(&self, fields: &[&Field<'_>]) -> Generics {
        let mut generics = self.container.generics.clone();
        let ident = |param: &GenericParam| match param {
            GenericParam::Type(param) => param.ident.clone(),
            GenericParam::Const(param) => param.ident.clone(),
            GenericParam::Lifetime(param) => param.lifetime.ident.clone(),
        };
        let itself = format_ident!("Self");
        let mentioned = |name: &Ident| {
            let types = fields.iter().filter(|field| !field.skip).map(|field| field.ty.to_token_stream());
            types.into_iter().any(|ty| mentions(ty.clone(), name) || mentions(ty, &itself))
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = generics.params.into_iter().partition(|param| mentioned(&ident(param)));
        let dropped: Vec<Ident> = dropped.iter().map(ident).collect();
        generics.params = kept.into_iter().collect();
        if let Some(clause) = generics.where_clause.take() {
            let about_kept =
                |predicate: &WherePredicate| !dropped.iter().any(|name| mentions(predicate.to_token_stream(), name));
            generics.make_where_clause().predicates.extend(clause.predicates.into_iter().filter(about_kept));
        }
        self.bind(&mut generics, self.container.serde.untagged);
        generics
    }

    /// Asks of parameters what a type with them needs to have a partial.
    fn bind(&self, generics: &mut Generics, owned: bool) {
        let krate = &self.container.krate;
        let params: Vec<Ident> = generics.type_params().map(|param| param.ident.clone()).collect();
        for param in params {
            let fields = || self.container.fields().filter(|field| !field.skip && !field.with);
            let mentioned = |field: &Field<'_>| mentions(field.ty.to_token_stream(), &param);
            let predicates = &mut generics.make_where_clause().predicates;
            predicates.push(parse_quote!(#param: ::core::clone::Clone + ::core::fmt::Debug + 'static));
            if fields().any(|field| !field.shown.whole && mentioned(field)) {
                predicates.push(parse_quote!(#param: #krate::Partial));
            }
            if owned || fields().any(|field| field.shown.whole && mentioned(field)) {
                let read = quote!(#krate::serde::de::DeserializeOwned);
                predicates.push(parse_quote!(#param: #read + ::core::marker::Send + ::core::marker::Sync));
            }
        }
    }
}

impl Made {
    /// A type that is there already.
    fn of(ty: TokenStream) -> Self {
        Self { definition: TokenStream::new(), ty, implementation: TokenStream::new(), owned: false }
    }
}

/// The keys of an object.
fn object(own: &[&Field<'_>], flat: &[&Field<'_>]) -> TokenStream {
    let none = quote!(::core::option::Option::None);
    let keys = own.iter().enumerate().map(|(slot, field)| {
        let names = &field.names;
        quote!(#(#names)|* => ::core::option::Option::Some(#slot))
    });
    let first = own.len();
    let members: Vec<_> = flat.iter().map(|field| &field.member).collect();
    let rest =
        if flat.is_empty() { none.clone() } else { quote!(_p::flat_key(#first, key, [#(&mut self.#members),*])) };
    let index = 0..flat.len();
    let flat = (!flat.is_empty()).then(|| {
        quote! {
            fn flat(&mut self, index: usize) -> ::core::option::Option<&mut dyn _p::Grow> {
                match index {
                    #(#index => ::core::option::Option::Some(&mut self.#members),)*
                    _ => #none,
                }
            }

            fn end(&mut self) {
                #(_p::Grow::end(&mut self.#members);)*
            }
        }
    });
    quote! {
        fn key(&mut self, key: &str) -> ::core::option::Option<usize> {
            match key {
                #(#keys,)*
                _ => #rest,
            }
        }

        #flat
    }
}

/// The items of an array that has so many.
fn array(len: usize) -> TokenStream {
    quote! {
        fn item(&mut self, index: usize) -> ::core::option::Option<usize> {
            (index < #len).then_some(index)
        }
    }
}

/// The only field that is in an answer.
fn single<'f, 'a>(fields: &'f [Field<'a>]) -> Option<&'f Field<'a>> {
    let mut visible = fields.iter().filter(|field| !field.skip);
    visible.next().filter(|_| visible.next().is_none())
}

/// A type with the name of the one that it is written in, since `Self` is another in its partial.
fn named(ty: TokenStream, itself: &TokenStream) -> TokenStream {
    let token = |token: TokenTree| match token {
        TokenTree::Ident(ident) if ident == "Self" => itself.clone(),
        TokenTree::Group(group) => {
            let mut inside = Group::new(group.delimiter(), named(group.stream(), itself));
            inside.set_span(group.span());
            TokenTree::from(inside).into()
        }
        other => other.into(),
    };
    ty.into_iter().map(token).collect()
}

fn docs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("doc"))
}

fn text(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
