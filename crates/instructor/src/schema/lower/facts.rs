//! What has to be known of the graph of shapes before anything is written: what is used often, what leads back to
//! itself, how deep things lie.

use std::collections::HashSet;

use super::super::shape::{Id, Kind, Shapes};

#[derive(Debug)]
pub(in crate::schema) struct Facts {
    /// How many places use a shape.
    uses: Vec<u32>,
    /// Edges that lead back to a shape that is being walked: every cycle has one.
    back: HashSet<(Id, Id)>,
    /// Where they lead.
    heads: HashSet<Id>,
    /// The cycle that a shape is part of; shapes of no cycle have one of their own.
    component: Vec<usize>,
    recursive: Vec<bool>,
    /// The most levels of objects and arrays that a shape lies under, cycles walked once.
    pub(super) level: Vec<usize>,
}

impl Facts {
    /// `weight` is the number of levels that a shape adds for what is in it.
    pub(in crate::schema) fn of(shapes: &Shapes, weight: impl Fn(Id) -> usize) -> Self {
        let count = shapes.list.len();
        let mut facts = Self {
            uses: vec![0; count],
            back: HashSet::new(),
            heads: HashSet::new(),
            component: (0..count).collect(),
            recursive: vec![false; count],
            level: vec![0; count],
        };
        let order = facts.walk(shapes);
        facts.heads = facts.back.iter().map(|(_, to)| *to).collect();
        // Parents before children, as far as there are no cycles.
        for &id in order.iter().rev() {
            let under = facts.level.get(id).copied().unwrap_or(0) + weight(id);
            for part in shapes.parts(id) {
                if facts.back.contains(&(id, part.id)) {
                    continue;
                }
                if let Some(level) = facts.level.get_mut(part.id) {
                    *level = (*level).max(under);
                }
            }
        }
        facts
    }

    /// A walk in depth over all that the root reaches; the order in which shapes were left. Components by Tarjan's way.
    fn walk(&mut self, shapes: &Shapes) -> Vec<Id> {
        struct Visit {
            id: Id,
            parts: Vec<Id>,
            next: usize,
        }
        let count = shapes.list.len();
        let mut order = Vec::new();
        let mut index = vec![usize::MAX; count];
        let mut low = vec![usize::MAX; count];
        let mut walking = vec![false; count];
        let mut pending: Vec<Id> = Vec::new();
        let mut is_pending = vec![false; count];
        let mut time = 0;
        let visit = |id: Id| Visit { id, parts: shapes.parts(id).iter().map(|part| part.id).collect(), next: 0 };
        let mut stack = vec![visit(shapes.root.id)];
        bump(&mut self.uses, shapes.root.id);
        while let Some(top) = stack.last_mut() {
            let id = top.id;
            if top.next == 0 && index.get(id) == Some(&usize::MAX) {
                put(&mut index, id, time);
                put(&mut low, id, time);
                put(&mut walking, id, true);
                put(&mut is_pending, id, true);
                pending.push(id);
                time += 1;
            }
            if let Some(&part) = top.parts.get(top.next) {
                top.next += 1;
                bump(&mut self.uses, part);
                if walking.get(part) == Some(&true) {
                    self.back.insert((id, part));
                }
                if index.get(part) == Some(&usize::MAX) {
                    stack.push(visit(part));
                } else if is_pending.get(part) == Some(&true) {
                    let least = at(&low, id).min(at(&index, part));
                    put(&mut low, id, least);
                }
                continue;
            }
            put(&mut walking, id, false);
            order.push(id);
            if at(&low, id) == at(&index, id) {
                let from = pending.iter().rposition(|other| *other == id).unwrap_or(0);
                let members = pending.split_off(from);
                let cyclic = members.len() > 1 || self.back.contains(&(id, id));
                for member in members {
                    put(&mut is_pending, member, false);
                    put(&mut self.component, member, id);
                    put(&mut self.recursive, member, cyclic);
                }
            }
            let least = at(&low, id);
            stack.pop();
            if let Some(parent) = stack.last() {
                let least = at(&low, parent.id).min(least);
                put(&mut low, parent.id, least);
            }
        }
        order
    }

    pub(super) fn is_back(&self, from: Id, to: Id) -> bool {
        self.back.contains(&(from, to))
    }

    pub(super) fn is_recursive(&self, id: Id) -> bool {
        self.recursive.get(id) == Some(&true)
    }

    pub(super) fn same_cycle(&self, a: Id, b: Id) -> bool {
        self.component.get(a) == self.component.get(b)
    }

    /// Whether the shape is worth a definition of its own: it is used more than once and is not small.
    /// What a cycle leads back to has to be one, too.
    pub(in crate::schema) fn is_shared(&self, shapes: &Shapes, id: Id) -> bool {
        if self.heads.contains(&id) {
            return true;
        }
        let large = match &shapes.get(id).kind {
            Kind::Object(_) | Kind::Union(_) => true,
            Kind::Values(values) => values.len() > 4,
            Kind::Array(array) => !array.prefix.is_empty(),
            _ => false,
        };
        large && self.uses.get(id).is_some_and(|uses| *uses > 1)
    }
}

fn at(list: &[usize], id: Id) -> usize {
    list.get(id).copied().unwrap_or(usize::MAX)
}

fn put<T>(list: &mut [T], id: Id, value: T) {
    if let Some(slot) = list.get_mut(id) {
        *slot = value;
    }
}

fn bump(list: &mut [u32], id: Id) {
    if let Some(slot) = list.get_mut(id) {
        *slot = slot.saturating_add(1);
    }
}
