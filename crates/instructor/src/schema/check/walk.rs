//! The walk over the answer: one code for the verdict and for the issues.

use std::collections::HashMap;

use instructor_json::{Kind, Node};

use super::explain;
use super::report::{Frame, Report, Verdict};
use super::rules::{Applied, Id, Plan, Schema, Strings, Union};

/// A walk may be inside this many schemas at a time, so that no answer overflows the stack.
const DEEPEST: u32 = 1024;

/// Steps that a walk may take without notes: some for every byte of the answer and these.
const FREE: usize = 10_000;

#[derive(Debug)]
pub(super) struct Walk<'c> {
    pub(super) schemas: &'c [Schema],
    depth: u32,
    /// Schemas that may still be applied before [`Self::notes`] are taken.
    free: usize,
    /// Verdicts by schema and place in the answer. Schemas that try the same thing in several ways at every level of a
    /// deep answer take exponential time without; all others never come to need it.
    notes: HashMap<(Id, usize), bool>,
    /// Unions whose branches are being compared, each inside another.
    pub(super) fits: u32,
}

impl<'c> Walk<'c> {
    pub(super) fn new(schemas: &'c [Schema], root: Node<'_>) -> Self {
        let free = root.source().len().saturating_mul(16).saturating_add(FREE);
        Self { schemas, depth: 0, free, notes: HashMap::new(), fits: 0 }
    }

    /// Whether the schema accepts the value; what is wrong goes to the report.
    #[inline]
    pub(super) fn value<R: Report>(&mut self, id: Id, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let schemas = self.schemas;
        let Some(schema) = schemas.get(id as usize) else { return true };
        (schema.direct && is_good_scalar(schema, node)) || self.whole(id, schema, node, at, out)
    }

    fn whole<R: Report>(&mut self, id: Id, schema: &'c Schema, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        if self.free == 0 {
            return self.noted(id, schema, node, at, out);
        }
        self.free -= 1;
        self.enter(schema, node, at, out)
    }

    /// Whether the schema accepts the value.
    pub(super) fn accepts(&mut self, id: Id, node: Node<'_>) -> bool {
        self.value(id, node, &Frame::ROOT, &mut Verdict)
    }

    #[cold]
    fn noted<R: Report>(&mut self, id: Id, schema: &'c Schema, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let key = (id, node.span().start);
        if let Some(verdict) = self.notes.get(&key) {
            // What was wrong was told when it was first seen, or the union that only tried it says something.
            return *verdict;
        }
        let verdict = self.enter(schema, node, at, out);
        if self.notes.len() < 1 << 20 {
            self.notes.insert(key, verdict);
        }
        verdict
    }

    fn enter<R: Report>(&mut self, schema: &'c Schema, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        if self.depth >= DEEPEST {
            if let Some(out) = out.collected() {
                explain::too_deep(node, at, out);
            }
            return false;
        }
        self.depth += 1;
        let verdict = self.rules(schema, node, at, out);
        self.depth -= 1;
        verdict
    }

    fn rules<R: Report>(&mut self, schema: &'c Schema, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let kind = node.kind();
        let fits = !schema.never
            && schema.values.iter().all(|values| values.allow(node, kind))
            && schema.kinds.admit(node, kind);
        if !fits {
            // Whatever else it says is about other values than this one.
            if let Some(out) = out.collected() {
                explain::misfit(schema, node, at, out);
            }
            return false;
        }
        let mut good = match kind {
            Kind::Null | Kind::Bool => true,
            Kind::Number | Kind::String => {
                let good = is_good_text(schema, node, kind);
                if let Some(out) = out.collected()
                    && !good
                {
                    explain::text(schema, node, at, out);
                }
                good
            }
            Kind::Array => match &schema.arrays {
                Some(arrays) => self.array(arrays, node, at, out),
                None => true,
            },
            Kind::Object => match &schema.objects {
                Some(objects) => self.object(objects, node, at, out),
                None => true,
            },
        };
        if let Some(target) = schema.reference
            && (good || R::ALL)
        {
            good &= self.value(target, node, at, out);
        }
        if let Some(applied) = &schema.applied
            && (good || R::ALL)
        {
            good &= self.applied(applied, node, at, out);
        }
        // Leftovers can be told only when everything else is right.
        good && match kind {
            Kind::Array => match &schema.arrays {
                Some(arrays) if arrays.unevaluated.is_some() => self.leftover_items(schema, arrays, node, at, out),
                _ => true,
            },
            Kind::Object => match &schema.objects {
                Some(objects) if objects.unevaluated.is_some() => self.leftover_keys(schema, objects, node, at, out),
                _ => true,
            },
            _ => true,
        }
    }

    fn applied<R: Report>(&mut self, applied: &Applied, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let mut good = true;
        for id in &applied.all {
            good &= self.value(*id, node, at, out);
            if !good && !R::ALL {
                return false;
            }
        }
        for union in &applied.unions {
            if !self.union(union, node) {
                good = false;
                match out.collected() {
                    Some(out) => explain::union(self, union, node, at, out),
                    None => return false,
                }
            }
        }
        if let Some(id) = applied.not
            && self.accepts(id, node)
        {
            good = false;
            match out.collected() {
                Some(out) => explain::not(self, id, node, at, out),
                None => return false,
            }
        }
        if let Some(condition) = applied.condition {
            let next = if self.accepts(condition.test, node) { condition.then } else { condition.otherwise };
            if let Some(id) = next {
                good &= self.value(id, node, at, out);
            }
        }
        good
    }

    /// Whether the union accepts the value.
    fn union(&mut self, union: &Union, node: Node<'_>) -> bool {
        let kind = node.kind();
        if kind == Kind::Object {
            match &union.plan {
                Plan::Tag(tag) => {
                    let Some(value) = node.get(&tag.key).and_then(Node::as_str) else { return false };
                    let Some(branch) = tag.values.find(&value).and_then(|at| tag.branches.get(at)) else {
                        return false;
                    };
                    return self.accepts(*branch, node);
                }
                Plan::Variant(variants) => {
                    let Some(key) = node.entries().next().and_then(|(key, _)| key.as_str()) else { return false };
                    let Some(branch) = variants.keys.find(&key).and_then(|at| variants.branches.get(at)) else {
                        return false;
                    };
                    return self.accepts(*branch, node);
                }
                Plan::Try => {}
            }
        }
        let mut matches = 0;
        for branch in union.branches.iter().filter(|branch| branch.kinds.may_be(kind)) {
            if self.accepts(branch.id, node) {
                matches += 1;
                if !union.exactly_one || matches > 1 {
                    break;
                }
            }
        }
        if union.exactly_one { matches == 1 } else { matches > 0 }
    }
}

/// Lengths count characters, which are counted only when the bytes leave it open.
pub(super) fn fits_length(strings: &Strings, text: &str) -> bool {
    let bytes = text.len() as u64;
    // A character is one to four bytes.
    let sure = bytes >= strings.min.saturating_mul(4) && strings.max.is_none_or(|max| bytes <= max);
    sure || {
        let count = text.chars().count() as u64;
        count >= strings.min && strings.max.is_none_or(|max| count <= max)
    }
}

/// Whether the value is a scalar that a schema without references and the like accepts.
#[inline]
fn is_good_scalar(schema: &Schema, node: Node<'_>) -> bool {
    let kind = node.kind();
    !matches!(kind, Kind::Array | Kind::Object) && schema.kinds.admit(node, kind) && is_good_text(schema, node, kind)
}

/// What the schema says about numbers and strings.
#[inline]
fn is_good_text(schema: &Schema, node: Node<'_>, kind: Kind) -> bool {
    match (kind, &schema.numbers, &schema.strings) {
        (Kind::Number, Some(numbers), _) => node.as_number().is_some_and(|text| numbers.hold(text)),
        (Kind::String, _, Some(strings)) => node.as_str().is_some_and(|text| fits_string(strings, &text)),
        _ => true,
    }
}

fn fits_string(strings: &Strings, text: &str) -> bool {
    fits_length(strings, text)
        && strings.format.is_none_or(|format| format.holds(text))
        && strings.pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
}
