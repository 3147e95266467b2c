//! Arrays: items, their number, and whether they repeat.

use instructor_json::Node;

use super::explain;
use super::report::{Frame, Report};
use super::rules::Arrays;
use super::value::repeated;
use super::walk::Walk;

impl Walk<'_> {
    pub(super) fn array<R: Report>(&mut self, rules: &Arrays, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let mut good = true;
        let mut count = 0_u64;
        let mut found = 0_u64;
        let mut prefix = rules.prefix.iter();
        for (index, item) in node.items().enumerate() {
            count += 1;
            if let Some(id) = prefix.next().copied().or(rules.items) {
                good &= self.value(id, item, &at.index(index), out);
                if !good && !R::ALL {
                    return false;
                }
            }
            if let Some(contains) = &rules.contains
                && self.accepts(contains.item, item)
            {
                found += 1;
            }
        }
        if count < rules.min || rules.max.is_some_and(|max| count > max) {
            good = false;
            if let Some(out) = out.collected() {
                explain::count(rules.min, rules.max, count, "items", node, at, out);
            }
        }
        if let Some(contains) = &rules.contains
            && (found < contains.min || contains.max.is_some_and(|max| found > max))
        {
            good = false;
            if let Some(out) = out.collected() {
                explain::contains(self, contains, found, node, at, out);
            }
        }
        if rules.unique
            && (good || R::ALL)
            && let Some((earlier, later)) = repeated(node)
        {
            good = false;
            if let Some(out) = out.collected() {
                explain::repeated(earlier, node.at(later), &at.index(later), out);
            }
        }
        good
    }
}
