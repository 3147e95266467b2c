//! The type as the derive sees it: fields with their place in an answer, and rules.

use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, ExprPath, Generics, Ident, Member, Path, Token, Type, Visibility, parse_quote};

use crate::attr::{Place, Response, Serde, Shown, plain_name};
use crate::ctxt::Ctxt;

/// A struct or an enum.
pub(crate) struct Container<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// Where the `instructor` crate is.
    pub(crate) krate: Path,
    pub(crate) rules: Vec<ExprPath>,
    /// Async rules.
    pub(crate) checks: Vec<ExprPath>,
    pub(crate) serde: Serde,
    pub(crate) data: Data<'a>,
}

pub(crate) enum Data<'a> {
    Struct(Vec<Field<'a>>),
    Enum(Vec<Variant<'a>>),
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) style: &'a syn::Fields,
    /// Its name in an answer, and others that it may have there.
    pub(crate) names: Vec<String>,
    /// Any other name is this variant's.
    pub(crate) other: bool,
    pub(crate) untagged: bool,
    pub(crate) skip: bool,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) fields: Vec<Field<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) vis: &'a Visibility,
    pub(crate) attrs: &'a [Attribute],
    /// Its key in an answer, and others that it may have there; of a field with a name.
    pub(crate) names: Vec<String>,
    pub(crate) flatten: bool,
    /// Read by a function, not as its type.
    pub(crate) with: bool,
    pub(crate) shown: Shown,
    /// From the value of the type to the field's value in an answer.
    pub(crate) at: Vec<Step>,
    pub(crate) rules: Vec<ExprPath>,
    /// Async rules.
    pub(crate) checks: Vec<ExprPath>,
    /// Not in an answer.
    pub(crate) skip: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl<'a> Container<'a> {
    /// Reads all of it; errors go to `ctxt`.
    pub(crate) fn read(input: &'a DeriveInput, ctxt: &mut Ctxt) -> Self {
        let response = Response::read(&input.attrs, Place::Type, ctxt);
        let serde = Serde::read(&input.attrs);
        let data = match &input.data {
            syn::Data::Struct(data) => Data::Struct(struct_fields(&data.fields, &serde, ctxt)),
            syn::Data::Enum(data) => Data::Enum(variants(&data.variants, &serde, ctxt)),
            syn::Data::Union(data) => {
                ctxt.error(
                    data.union_token,
                    "a union cannot be a response model, because nothing tells which field an answer fills: \
                     write an enum with one variant a field",
                );
                Data::Struct(Vec::new())
            }
        };
        Self {
            ident: &input.ident,
            generics: &input.generics,
            krate: response.krate.unwrap_or_else(|| parse_quote!(::instructor)),
            rules: response.rules,
            checks: response.checks,
            serde,
            data,
        }
    }

    /// How many variants the enum has.
    pub(crate) const fn variants(&self) -> usize {
        match &self.data {
            Data::Struct(_) => 0,
            Data::Enum(variants) => variants.len(),
        }
    }

    /// The fields of the struct or of all variants.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        let (fields, variants) = match &self.data {
            Data::Struct(fields) => (fields.as_slice(), [].as_slice()),
            Data::Enum(variants) => ([].as_slice(), variants.as_slice()),
        };
        fields.iter().chain(variants.iter().flat_map(|variant| &variant.fields))
    }
}

fn struct_fields<'a>(fields: &'a syn::Fields, serde: &Serde, ctxt: &mut Ctxt) -> Vec<Field<'a>> {
    let parent =
        Parent { at: &[], rename_all: serde.rename_all, pass: serde.transparent || serde.converted, skip: false };
    parent.fields(fields, ctxt)
}

fn variants<'a>(variants: &'a Punctuated<syn::Variant, Token![,]>, serde: &Serde, ctxt: &mut Ctxt) -> Vec<Variant<'a>> {
    variants
        .iter()
        .map(|variant| {
            Response::read(&variant.attrs, Place::Variant, ctxt);
            let own = Serde::read(&variant.attrs);
            let plain = plain_name(&variant.ident);
            let name =
                own.rename.clone().unwrap_or_else(|| serde.rename_all.map_or(plain.clone(), |c| c.of_variant(&plain)));
            let at = if serde.untagged || own.untagged || serde.converted {
                None
            } else if serde.tag.is_some() {
                serde.content.clone()
            } else {
                Some(name.clone())
            };
            let parent = Parent {
                at: &at.map(Step::Key).into_iter().collect::<Vec<_>>(),
                rename_all: own.rename_all.or(serde.rename_all_fields),
                pass: serde.converted,
                skip: own.skip,
            };
            Variant {
                ident: &variant.ident,
                style: &variant.fields,
                names: std::iter::once(name).chain(own.aliases).collect(),
                other: own.other,
                untagged: own.untagged,
                skip: own.skip,
                attrs: &variant.attrs,
                fields: parent.fields(&variant.fields, ctxt),
            }
        })
        .collect()
}

/// What fields take over from their struct or variant.
struct Parent<'p> {
    at: &'p [Step],
    rename_all: Option<crate::case::Case>,
    /// Fields add no step of their own.
    pass: bool,
    skip: bool,
}

impl Parent<'_> {
    fn fields<'a>(&self, fields: &'a syn::Fields, ctxt: &mut Ctxt) -> Vec<Field<'a>> {
        let newtype = matches!(fields, syn::Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1);
        // A skipped field of a tuple has no element in the array, so the ones after it move up.
        let mut index = 0;
        fields
            .iter()
            .zip(fields.members())
            .map(|(field, member)| {
                let response = Response::read(&field.attrs, Place::Field, ctxt);
                let serde = Serde::read(&field.attrs);
                let skip = self.skip || serde.skip;
                let mut at = self.at.to_vec();
                match &field.ident {
                    _ if self.pass || newtype || serde.flatten => {}
                    Some(ident) => at.push(Step::Key(self.key(ident, serde.rename.clone()))),
                    None => at.push(Step::Index(index)),
                }
                index += usize::from(!skip);
                let name = field.ident.as_ref().map(|ident| self.key(ident, serde.rename));
                Field {
                    member,
                    ty: &field.ty,
                    vis: &field.vis,
                    attrs: &field.attrs,
                    names: name.into_iter().chain(serde.aliases).collect(),
                    flatten: serde.flatten,
                    with: serde.with,
                    shown: response.shown,
                    at,
                    rules: response.rules,
                    checks: response.checks,
                    skip,
                }
            })
            .collect()
    }

    fn key(&self, ident: &Ident, rename: Option<String>) -> String {
        rename.unwrap_or_else(|| {
            let name = plain_name(ident);
            self.rename_all.map_or(name.clone(), |case| case.of_field(&name))
        })
    }
}
