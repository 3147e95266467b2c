//! Objects: keys, what is under them, and what is missing.

use instructor_json::Node;

use super::explain;
use super::report::{Frame, Report};
use super::rules::{Objects, With};
use super::walk::Walk;

/// The positions of names that were seen; on the stack unless they are many.
#[derive(Debug, Default)]
struct Seen {
    few: u64,
    /// Those from 64 on.
    many: Vec<usize>,
}

impl Seen {
    #[inline]
    fn mark(&mut self, at: usize) {
        if at < 64 {
            self.few |= 1 << at;
        } else {
            self.many.push(at);
        }
    }

    /// Whether all that are required have been seen.
    #[inline]
    fn all(&mut self, rules: &Objects) -> bool {
        if rules.required_bits & !self.few != 0 {
            return false;
        }
        if rules.names.len() <= 64 {
            return true;
        }
        self.many.sort_unstable();
        rules.required.iter().all(|at| self.has(*at))
    }

    fn has(&self, at: usize) -> bool {
        if at < 64 { self.few & (1 << at) != 0 } else { self.many.binary_search(&at).is_ok() }
    }
}

impl Walk<'_> {
    pub(super) fn object<R: Report>(&mut self, rules: &Objects, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        let mut good = true;
        let mut seen = Seen::default();
        let mut count = 0_u64;
        let mut guess = 0;
        for (key, value) in node.entries() {
            let Some(name) = key.as_str() else { continue };
            count += 1;
            let inner = at.key(key);
            let mut known = false;
            if let Some(found) = rules.names.find_near(&name, guess) {
                guess = found + 1;
                seen.mark(found);
                if let Some(Some(id)) = rules.properties.get(found) {
                    known = true;
                    good &= self.value(*id, value, &inner, out);
                }
            }
            for (pattern, id) in &rules.patterns {
                if pattern.matches(&name) {
                    known = true;
                    good &= self.value(*id, value, &inner, out);
                }
            }
            if !known {
                if rules.closed {
                    good = false;
                    if let Some(out) = out.collected() {
                        explain::unknown_key(rules, node, &name, value, at, &inner, out);
                    }
                } else if let Some(id) = rules.additional {
                    good &= self.value(id, value, &inner, out);
                }
            }
            if let Some(id) = rules.key
                && !self.accepts(id, key)
            {
                good = false;
                if let Some(out) = out.collected() {
                    explain::bad_key(self, id, key, at, &inner, out);
                }
            }
            if !good && !R::ALL {
                return false;
            }
        }
        if !seen.all(rules) {
            good = false;
            let Some(out) = out.collected() else { return false };
            seen.many.sort_unstable();
            for &index in rules.required.iter().filter(|at| !seen.has(**at)) {
                explain::missing(self, rules, index, at, out);
            }
        }
        if count < rules.min || rules.max.is_some_and(|max| count > max) {
            good = false;
            if let Some(out) = out.collected() {
                explain::count(rules.min, rules.max, count, "properties", node, at, out);
            }
        }
        for with in &rules.with {
            if good || R::ALL {
                good &= self.with(with, node, at, out);
            }
        }
        good
    }

    fn with<R: Report>(&mut self, with: &With, node: Node<'_>, at: &Frame<'_>, out: &mut R) -> bool {
        if node.get(&with.key).is_none() {
            return true;
        }
        let mut good = true;
        for name in &with.required {
            if node.get(name).is_none() {
                good = false;
                if let Some(out) = out.collected() {
                    explain::missing_with(name, &with.key, at, out);
                }
            }
        }
        if let Some(id) = with.schema {
            good &= self.value(id, node, at, out);
        }
        good
    }
}
