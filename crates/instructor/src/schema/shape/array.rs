//! Arrays: the shape of each first item and of the rest.

use super::super::draft::Draft;
use super::build::{Builder, NEVER};
use super::expand::Facet;
use super::{Array, Kind, Use};

/// Positions beyond which a tuple is no better said one by one.
const POSITIONS: usize = 200;

impl<'s> Builder<'s> {
    pub(super) fn array(&mut self, facets: &[Facet<'s>]) -> Kind {
        let count =
            |key: &str| facets.iter().filter_map(|f| super::super::check::count(f.get(key)?)).collect::<Vec<u64>>();
        let min = count("minItems").into_iter().max().unwrap_or(0);
        let mut max = count("maxItems").into_iter().min();
        let sides: Vec<_> = facets.iter().map(|facet| Items::of(facet, self.draft)).collect();
        let length = sides.iter().map(|side| side.prefix.len()).max().unwrap_or(0);
        let mut prefix: Vec<Use> = Vec::with_capacity(length.min(POSITIONS));
        for index in 0..length.min(POSITIONS) {
            let parts =
                sides.iter().filter_map(|side| side.prefix.get(index).or(side.rest.as_ref()).cloned()).collect();
            prefix.push(self.of(parts));
        }
        // Beyond the positions that are told apart, an item is whatever one of them may be: anything.
        let rest = if length > POSITIONS {
            Some(self.of(Vec::new()))
        } else {
            let rest = self.of(sides.iter().filter_map(|side| side.rest.clone()).collect());
            Some(rest).filter(|rest| rest.id != NEVER)
        };
        if rest.is_none() {
            max = Some(max.unwrap_or(u64::MAX).min(prefix.len() as u64));
        }
        let mut array = Array { prefix, rest, min, max };
        if let Some(most) = array.max.and_then(|max| usize::try_from(max).ok())
            && most <= array.prefix.len()
        {
            array.prefix.truncate(most);
            array.rest = None;
        }
        if array.max.is_some_and(|max| max < array.min) { Kind::Never } else { Kind::Array(array) }
    }
}

/// What one facet says about items.
struct Items<'s> {
    prefix: Vec<Facet<'s>>,
    rest: Option<Facet<'s>>,
}

impl<'s> Items<'s> {
    fn of(facet: &Facet<'s>, draft: Draft) -> Self {
        let listed = facet.get("items").is_some_and(serde_json::Value::is_array);
        let (prefix, rest) = match draft {
            Draft::V2020 if !listed => ("prefixItems", "items"),
            _ if listed => ("items", "additionalItems"),
            _ => ("", "items"),
        };
        Self {
            prefix: facet.list(prefix).into_iter().map(Facet::new).collect(),
            rest: facet.under(rest).map(Facet::new),
        }
    }
}
