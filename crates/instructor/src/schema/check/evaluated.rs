//! `unevaluatedProperties` and `unevaluatedItems`: what no other schema for the same value has looked at.

use instructor_json::{Kind, Node};

use super::explain;
use super::report::{Frame, Report};
use super::rules::{Arrays, Id, Objects, Schema};
use super::walk::Walk;

impl<'c> Walk<'c> {
    pub(super) fn leftover_keys<R: Report>(
        &mut self,
        schema: &'c Schema,
        rules: &Objects,
        node: Node<'_>,
        at: &Frame<'_>,
        out: &mut R,
    ) -> bool {
        let Some(id) = rules.unevaluated else { return true };
        let never = self.schemas.get(id as usize).is_some_and(|schema| schema.never);
        let looked = self.looked_at(schema, node);
        let others = || looked.iter().filter_map(|schema| schema.objects.as_deref());
        // A schema's own leftovers are what is asked for here; those of the others have been taken.
        let all = others().any(|o| o.closed || o.additional.is_some())
            || others().any(|o| o.unevaluated.is_some() && !std::ptr::eq(o, rules));
        let mut good = true;
        for (key, value) in node.entries() {
            let Some(name) = key.as_str() else { continue };
            let known = all
                || others().any(|objects| {
                    let named = objects.names.find(&name).and_then(|at| objects.properties.get(at));
                    named.is_some_and(Option::is_some)
                        || objects.patterns.iter().any(|(pattern, _)| pattern.matches(&name))
                });
            if known {
                continue;
            }
            let inner = at.key(key);
            match out.collected() {
                Some(out) if never => {
                    good = false;
                    let allowed: Vec<&str> = others().flat_map(declared).collect();
                    explain::leftover_key(&allowed, node, &name, value, at, &inner, out);
                }
                _ => good &= self.value(id, value, &inner, out),
            }
            if !good && !R::ALL {
                return false;
            }
        }
        good
    }

    pub(super) fn leftover_items<R: Report>(
        &mut self,
        schema: &'c Schema,
        rules: &Arrays,
        node: Node<'_>,
        at: &Frame<'_>,
        out: &mut R,
    ) -> bool {
        let Some(id) = rules.unevaluated else { return true };
        let looked = self.looked_at(schema, node);
        let others = || looked.iter().filter_map(|schema| schema.arrays.as_deref());
        if others().any(|a| a.items.is_some() || (a.unevaluated.is_some() && !std::ptr::eq(a, rules))) {
            return true;
        }
        let first = others().map(|arrays| arrays.prefix.len()).max().unwrap_or(0);
        let finds: Vec<Id> =
            others().filter_map(|arrays| arrays.contains).filter(|c| c.evaluates).map(|c| c.item).collect();
        let mut good = true;
        for (index, item) in node.items().enumerate().skip(first) {
            if finds.iter().any(|id| self.accepts(*id, item)) {
                continue;
            }
            good &= self.value(id, item, &at.index(index), out);
            if !good && !R::ALL {
                return false;
            }
        }
        good
    }

    /// The schema and all others that it applies to this value and that accept it.
    fn looked_at(&mut self, schema: &'c Schema, node: Node<'_>) -> Vec<&'c Schema> {
        let mut looked: Vec<&'c Schema> = vec![schema];
        let mut at = 0;
        while let Some(schema) = looked.get(at).copied() {
            at += 1;
            let mut ids: Vec<Id> = schema.reference.into_iter().collect();
            if let Some(applied) = &schema.applied {
                ids.extend(&applied.all);
                for branch in applied.unions.iter().flat_map(|union| &union.branches) {
                    if branch.kinds.may_be(node.kind()) && self.accepts(branch.id, node) {
                        ids.push(branch.id);
                    }
                }
                if let Some(condition) = applied.condition {
                    if self.accepts(condition.test, node) {
                        ids.push(condition.test);
                        ids.extend(condition.then);
                    } else {
                        ids.extend(condition.otherwise);
                    }
                }
            }
            if let Some(objects) = &schema.objects
                && node.kind() == Kind::Object
            {
                let present = objects.with.iter().filter(|with| node.get(&with.key).is_some());
                ids.extend(present.filter_map(|with| with.schema));
            }
            for found in ids.into_iter().filter_map(|id| self.schemas.get(id as usize)) {
                if !looked.iter().any(|known| std::ptr::eq(*known, found)) {
                    looked.push(found);
                }
            }
        }
        looked
    }
}

/// The names of the properties that a schema describes.
fn declared(objects: &Objects) -> impl Iterator<Item = &str> {
    objects.names.iter().zip(&objects.properties).filter(|(_, id)| id.is_some()).map(|(name, _)| name)
}
