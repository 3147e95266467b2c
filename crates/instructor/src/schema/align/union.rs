//! The alternative of a union that an answer means.

use instructor_json::{Kind, Node};
use serde_json::Value;

use super::view::View;
use super::{Fit, Fitter, scalar};

impl<'s> Fitter<'s> {
    /// Tags decide first, then the best fit; of equals the first. A base beside the alternatives is part of each.
    pub(super) fn union(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        let branches = tagged(view, node, self.root).unwrap_or_else(|| view.branches.clone());
        if !view.properties.is_empty() {
            // A flattened union: the alternatives and the base share one object, which is left as it is.
            return self.as_it_is(node);
        }
        let mark = self.mark();
        let mut best: Option<(Fit, usize)> = None;
        for (i, branch) in branches.iter().enumerate() {
            let fit = self.fit(branch, node, depth + 1);
            self.back(&mark);
            if best.is_none_or(|(least, _)| fit < least) {
                best = Some((fit, i));
                if fit == Fit::PERFECT {
                    break;
                }
            }
        }
        match best.and_then(|(_, i)| branches.get(i)) {
            Some(branch) => self.fit(branch, node, depth + 1),
            None => self.as_it_came(node),
        }
    }
}

/// The alternatives whose tag, a property with one allowed value, is what the answer says; none if there is no such tag.
fn tagged<'s>(view: &View<'s>, node: Node<'_>, root: &'s Value) -> Option<Vec<&'s Value>> {
    if node.kind() != Kind::Object {
        return None;
    }
    let found: Vec<&'s Value> = view
        .branches
        .iter()
        .filter(|branch| {
            let view = View::of(branch, root);
            let mut tags = view.properties.iter().filter_map(|(name, schema)| {
                let values = View::of(schema, root).values;
                values.first().filter(|_| values.len() == 1)?.as_str()?;
                Some((*name, *schema))
            });
            tags.any(|(name, schema)| {
                let said = node.get(name).and_then(Node::as_str);
                said.is_some_and(|said| scalar::names_only(&View::of(schema, root), &said))
            })
        })
        .copied()
        .collect();
    (!found.is_empty()).then_some(found)
}
