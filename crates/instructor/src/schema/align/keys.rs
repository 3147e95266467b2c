//! Objects: keys as models write them, and keys that nobody asked for.

use std::cell::Cell;

use instructor_json::{Kind, Node, Step};
use serde_json::Value;

use super::view::View;
use super::{Fit, Fitter, words};
use crate::repair::Severity;

/// What a key of the answer is.
enum Meant<'s> {
    Property {
        name: &'s str,
        schema: &'s Value,
        how: Option<(&'static str, Severity)>,
    },
    /// One of a map's entries, or a key that the schema leaves open.
    Other,
}

impl<'s> Fitter<'s> {
    pub(super) fn object(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        let mut fit = Fit::PERFECT;
        let mut seen: Vec<&str> = Vec::new();
        let present = present(view, node);
        let first = Cell::new(true);
        let mut comma = |fitter: &mut Self| {
            if !first.replace(false) {
                fitter.out.push(',');
            }
        };
        self.out.push('{');
        for (key, value) in node.entries() {
            let text = key.as_str().unwrap_or_default();
            match self.meant(view, &present, &text) {
                Meant::Property { name, how: Some(_), .. } if seen.contains(&name) => {
                    // Two keys that could both be meant: neither is preferred.
                    let name = Step::Key(String::from(name).into());
                    let refused = |fitter: &mut Self| fitter.object_refused(value, "one key that can be meant by it");
                    fit = fit.and(self.at(name, refused));
                }
                Meant::Property { name, schema, how } => {
                    if optional_null(view, name, schema, value, self.root) {
                        self.at(Step::Key(String::from(name).into()), |fitter| {
                            fitter.log("NullForOptional", Severity::Lossless, value, "");
                        });
                        fit = fit.and(Fit::step(Severity::Lossless));
                        continue;
                    }
                    let mark = self.mark();
                    comma(self);
                    let mut entry = Fit::PERFECT;
                    if let Some((kind, severity)) = how {
                        self.log(kind, severity, key, name);
                        entry = Fit::step(severity);
                    }
                    self.write_string(name);
                    self.out.push(':');
                    let step = Step::Key(String::from(name).into());
                    entry = entry.and(self.at(step, |fitter| fitter.fit(schema, value, depth + 1)));
                    let required = view.required.contains(&name);
                    if how.is_some_and(|(_, severity)| severity > Severity::Lossless) && entry.misfits > 0 && !required
                    {
                        // Another key after all: as a guess it would turn an answer that fits into one that does not.
                        let began = mark.out == self.out.len() || self.out.get(mark.out..mark.out + 1) != Some(",");
                        self.back(&mark);
                        first.set(began);
                        fit = fit.and(self.other(view, key, value, depth, &mut comma));
                        continue;
                    }
                    seen.push(name);
                    fit = fit.and(entry);
                }
                Meant::Other => fit = fit.and(self.other(view, key, value, depth, &mut comma)),
            }
        }
        self.out.push('}');
        let missing = view.required.iter().filter(|name| !seen.contains(name)).count();
        let unused = view.properties.iter().filter(|(name, _)| !seen.contains(name)).count();
        fit.and(Fit { misfits: missing as u32, unused: unused as u32, ..Fit::PERFECT })
    }

    /// Says what is wrong with an entry that is left out.
    fn object_refused(&mut self, value: Node<'_>, wanted: &str) -> Fit {
        let mark = self.out.len();
        let fit = self.refuse(value, wanted);
        self.out.truncate(mark);
        fit
    }

    fn other(
        &mut self,
        view: &View<'s>,
        key: Node<'_>,
        value: Node<'_>,
        depth: usize,
        comma: &mut impl FnMut(&mut Self),
    ) -> Fit {
        let text = key.as_str().unwrap_or_default();
        let inner = view.additional.filter(|schema| schema.is_object());
        let open = inner.is_some() || view.patterns || view.additional == Some(&Value::Bool(true));
        let unknown = Fit { unknown: 1, ..Fit::PERFECT };
        let closed = view.additional == Some(&Value::Bool(false));
        if !open && !closed && !view.properties.is_empty() {
            // The schema names its keys and says nothing of others: this one is left out, and said to be.
            self.at(Step::Key(text.into_owned().into()), |fitter| {
                fitter.log("ExtraKey", Severity::Lossless, value, "");
            });
            return unknown;
        }
        comma(self);
        self.write_source(key);
        self.out.push(':');
        let fit = self.at(Step::Key(text.into_owned().into()), |fitter| match inner {
            Some(schema) => fitter.fit(schema, value, depth + 1),
            None => fitter.as_it_is(value),
        });
        match (inner.is_some(), closed) {
            (true, _) => fit,
            (false, true) => fit.and(Fit { misfits: 1, ..unknown }),
            (false, false) => fit.and(unknown),
        }
    }

    fn meant(&self, view: &View<'s>, present: &[bool], key: &str) -> Meant<'s> {
        let property = |name: &'s str, schema, how| Meant::Property { name, schema, how };
        if let Some((name, schema)) = view.properties.iter().find(|(name, _)| *name == key) {
            return property(name, schema, None);
        }
        // A property that is there under its own name is not meant by another key too.
        let free = || view.properties.iter().zip(present).filter(|(_, there)| !**there).map(|(property, _)| property);
        let one = |fits: &dyn Fn(&str, &Value) -> bool| {
            let mut found = free().filter(|(name, schema)| fits(name, schema));
            found.next().filter(|_| found.next().is_none())
        };
        if let Some((name, schema)) = one(&|_, schema| aliases(schema).any(|alias| alias == key)) {
            return property(name, schema, Some(("KeyAlias", Severity::Lossless)));
        }
        if let Some((name, schema)) = one(&|name, _| name == key.trim()) {
            return property(name, schema, Some(("KeyTrim", Severity::Lossless)));
        }
        let map = view.additional.is_some_and(Value::is_object) || view.patterns;
        let letters = words::letters(key);
        if self.allows(Severity::Guess)
            && !map
            && !letters.is_empty()
            && let Some((name, schema)) = one(&|name, schema| {
                words::letters(name) == letters || aliases(schema).any(|alias| words::letters(alias) == letters)
            })
        {
            return property(name, schema, Some(("KeyFuzzy", Severity::Guess)));
        }
        Meant::Other
    }
}

/// Which properties are there under their own names.
fn present(view: &View<'_>, node: Node<'_>) -> Vec<bool> {
    let mut present = vec![false; view.properties.len()];
    for (key, _) in node.entries() {
        for (there, (name, _)) in present.iter_mut().zip(&view.properties) {
            *there |= key.is_str(name);
        }
    }
    present
}

/// The other names of a property.
pub(super) fn aliases(schema: &Value) -> impl Iterator<Item = &str> {
    let alias = schema.get("x-alias");
    let one = alias.and_then(Value::as_str);
    one.into_iter().chain(alias.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str))
}

/// A null for a property that may be left out but takes no null: it says that there is nothing.
fn optional_null(view: &View<'_>, name: &str, schema: &Value, value: Node<'_>, root: &Value) -> bool {
    value.is_null() && !view.required.contains(&name) && !takes_null(&View::of(schema, root), root)
}

fn takes_null(view: &View<'_>, root: &Value) -> bool {
    view.anything()
        || view.takes("null")
        || view.values.iter().any(|v| v.is_null())
        || view.branches.iter().any(|branch| takes_null(&View::of(branch, root), root))
}

/// The value inside an object that has one key, if that key is the type's name or a word for a wrap.
pub(super) fn wrapped<'d>(view: &View<'_>, node: Node<'d>) -> Option<Node<'d>> {
    const WRAPS: &[&str] = &[
        "properties",
        "result",
        "results",
        "data",
        "answer",
        "output",
        "response",
        "value",
        "arguments",
        "parameters",
    ];
    if node.kind() != Kind::Object {
        return None;
    }
    let mut entries = node.entries();
    let (key, inner) = entries.next().filter(|_| entries.next().is_none())?;
    let key = words::letters(&key.as_str()?);
    let title = view.title.is_some_and(|title| words::letters(title) == key);
    (view.property(&key).is_none() && (title || WRAPS.contains(&key.as_str()))).then_some(inner)
}
