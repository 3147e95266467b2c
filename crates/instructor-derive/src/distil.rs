//! `#[instructor::distil]`: a function that a model can learn.

use proc_macro2::extra::DelimSpan;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::Parser;
use syn::{
    Attribute, Block, Expr, FnArg, GenericArgument, GenericParam, Ident, ItemFn, Lit, Meta, Pat, Path, PathArguments,
    ReturnType, Safety, Signature, Type, parse_quote,
};

use crate::attr::{crate_path, rest_of_value};
use crate::ctxt::Ctxt;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let told = arguments(args, &mut ctxt);
    let beside = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => beside(&function, &told, &mut ctxt),
        Err(_) => {
            ctxt.push(syn::Error::new(
                Span::call_site(),
                "`#[instructor::distil]` goes on a function: move it to the one to be learnt",
            ));
            None
        }
    };
    // The function stays, so that calls of it elsewhere are not errors as well.
    match ctxt.finish() {
        Ok(()) => quote!(#item #beside),
        Err(errors) => {
            let errors = errors.into_compile_error();
            quote!(#item #errors)
        }
    }
}

struct Told {
    krate: Path,
    body: bool,
}

fn arguments(args: TokenStream, ctxt: &mut Ctxt) -> Told {
    let mut told = Told { krate: parse_quote!(::instructor), body: false };
    let parsed = syn::meta::parser(|meta| {
        if meta.path.is_ident("crate") {
            match crate_path(&meta) {
                Ok((path, _)) => told.krate = path,
                Err(error) => ctxt.push(error),
            }
        } else if meta.path.is_ident("body") {
            told.body = true;
        } else {
            ctxt.error(
                &meta.path,
                "unknown argument of `#[instructor::distil]`: write `body`, `crate = \"path\"` or nothing",
            );
        }
        rest_of_value(meta.input)?;
        Ok(())
    })
    .parse2(args);
    if let Err(error) = parsed {
        ctxt.push(error);
    }
    told
}

/// The type under the function's name, with its two functions. Types and functions may share a name.
fn beside(function: &ItemFn, told: &Told, ctxt: &mut Ctxt) -> Option<TokenStream> {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let Signature { ident, inputs, generics, output, asyncness, .. } = sig;
    refuse(sig, ctxt);
    let ReturnType::Type(_, returned) = output else {
        ctxt.error(ident, "this returns nothing that could be learnt: give it a result");
        return None;
    };
    let names = names(inputs, ctxt)?;
    let krate = &told.krate;
    let (params, lifetimes) = (inputs.iter().map(plain), &generics.params);
    let params: Vec<FnArg> = params.collect();
    let bounds = &generics.where_clause;
    let angled = (!lifetimes.is_empty()).then(|| quote!(<#lifetimes>));
    let (result, fails) = match inside_result(returned) {
        Some(inner) => (inner, true),
        None => (&**returned, false),
    };
    let docs: String = attrs.iter().filter_map(doc).map(|line| format!("///{line}\n")).collect();
    let code = format!("{docs}{}", code(sig, told.body.then_some(block)));
    let name = ident.to_string();
    let texts = names.iter().map(|name| unraw(name));
    let texts: Vec<String> = texts.collect();
    let wait = asyncness.map(|_| quote!(.await));
    let record = if fails {
        quote!(if let ::core::result::Result::Ok(result) = &result {
            lessons.record(&task, result);
        })
    } else {
        quote!(lessons.record(&task, &result);)
    };
    // `allow` and not `expect` in what is emitted: which of these the user's own function gives rise to is not known here.
    Some(quote! {
        #[doc = concat!("What [`", #name, "()`] teaches and asks a model.")]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, reason = "a place for functions")]
        #vis struct #ident {}

        #[allow(dead_code, clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "as the function is")]
        impl #ident {
            /// A call of the function, said to a model.
            #[must_use]
            #vis fn task #angled (#(#params),*) -> #krate::Task<#result> #bounds {
                #krate::Task::new(#name, #code, [#((#texts, #krate::serde_json::to_value(&#names))),*])
            }

            /// Runs the function and writes the call to a fine-tuning file.
            #vis #asyncness fn distil #angled (lessons: &#krate::Lessons, #(#params),*) -> #returned #bounds {
                let task = #krate::Task::<#result>::new(
                    #name,
                    #code,
                    [#((#texts, #krate::serde_json::to_value(&#names))),*],
                );
                let result = #ident(#(#names),*) #wait;
                #record
                result
            }
        }
    })
}

/// What can't be learnt.
fn refuse(sig: &Signature, ctxt: &mut Ctxt) {
    if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
        ctxt.error(receiver, "a method has a `self` that a model does not see: make it a function of what it needs");
    }
    for param in &sig.generics.params {
        if !matches!(param, GenericParam::Lifetime(_)) {
            ctxt.error(param, "a function that is learnt has one signature: name the types in place of this parameter");
        }
    }
    const WRAP: &str = "this can't be learnt: wrap it in a safe Rust function";
    if let Safety::Unsafe(word) = &sig.safety {
        ctxt.error(word, WRAP);
    }
    if let Some(abi) = &sig.abi {
        ctxt.error(abi, WRAP);
    }
}

fn names<'f>(inputs: impl IntoIterator<Item = &'f FnArg>, ctxt: &mut Ctxt) -> Option<Vec<&'f Ident>> {
    let mut names = Vec::new();
    let mut sound = true;
    for input in inputs {
        match input {
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(name) => names.push(&name.ident),
                other => {
                    ctxt.error(other, "a model is told arguments by name: give this one, and take it apart inside");
                    sound = false;
                }
            },
            FnArg::Receiver(_) => sound = false,
        }
    }
    sound.then_some(names)
}

/// An argument without `mut` and attributes, which belong to the function alone.
fn plain(input: &FnArg) -> FnArg {
    match input {
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(name) => {
                let (name, ty) = (&name.ident, &argument.ty);
                parse_quote!(#name: #ty)
            }
            _ => input.clone(),
        },
        FnArg::Receiver(_) => input.clone(),
    }
}

fn unraw(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), String::from)
}

/// `T` of a `Result<T, ..>` as it is written.
fn inside_result(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The text of a function: what is in brackets as it is written, where that is known.
fn code(sig: &Signature, body: Option<&Block>) -> String {
    let Signature { constness, asyncness, ident, generics, inputs, output, .. } = sig;
    let written = |delimiters: DelimSpan, tokens: TokenStream| {
        delimiters.join().source_text().unwrap_or_else(|| printed(&tokens))
    };
    let head = printed(&quote!(#constness #asyncness fn #ident #generics));
    let arguments = written(sig.paren_token.span, quote!((#inputs)));
    let bounds = &generics.where_clause;
    let result = printed(&quote!(#output #bounds));
    let body = body.map(|block| written(block.brace_token.span, quote!(#block)));
    let body = body.map_or_else(String::new, |body| format!(" {body}"));
    format!("{head}{arguments} {result}{body}")
}

/// Tokens as one would write them: what prints them puts spaces between all.
fn printed(tokens: &TokenStream) -> String {
    const CLOSER: [(&str, &str); 7] =
        [(" :: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ","), (" : ", ": "), ("& ", "&"), ("' ", "'")];
    CLOSER.iter().fold(tokens.to_string(), |text, (apart, close)| text.replace(apart, close))
}

/// A line of documentation.
fn doc(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    match &meta.value {
        Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
