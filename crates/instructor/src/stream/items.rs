//! The items of a list, one by one.

use instructor_json::Kind;

use super::grow::{Grow, Way};

/// Takes the items of a list as they are complete, as JSON text. A root value that is no list is an item.
#[derive(Debug, Default)]
pub(crate) struct Items {
    ready: Vec<String>,
    /// A list is open: what comes is an item of it.
    list: Option<Item>,
}

/// An item that is being read.
#[derive(Debug, Default)]
struct Item(Option<String>);

impl Items {
    /// The items that were completed since the last call.
    pub(crate) fn take(&mut self) -> Vec<String> {
        self.keep();
        std::mem::take(&mut self.ready)
    }

    fn keep(&mut self) {
        self.ready.extend(self.list.as_mut().and_then(|item| item.0.take()));
    }
}

impl Grow for Items {
    fn way(&self, kind: Kind) -> Way {
        if kind == Kind::Array { Way::Inside(&[]) } else { Way::Whole }
    }

    fn begin(&mut self, _: Kind) {
        self.list = Some(Item::default());
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        self.keep();
        Some(index)
    }

    fn child(&mut self, _: usize) -> Option<&mut dyn Grow> {
        self.list.as_mut().map(|item| item as &mut dyn Grow)
    }

    fn put(&mut self, json: &str) -> bool {
        self.ready.push(String::from(json));
        true
    }

    fn end(&mut self) {
        self.keep();
        self.list = None;
    }

    fn reset(&mut self) {
        self.ready.clear();
        self.list = None;
    }

    fn takes_all(&self) -> bool {
        true
    }
}

impl Grow for Item {
    fn way(&self, _: Kind) -> Way {
        Way::Whole
    }

    fn begin(&mut self, _: Kind) {}

    fn put(&mut self, json: &str) -> bool {
        self.0 = Some(String::from(json));
        true
    }

    fn end(&mut self) {}

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::super::tracker::Tracker;
    use super::*;
    use crate::model::Contract;
    use crate::repair::ParseOptions;
    use crate::schema::Dialect;

    /// The items that each piece of a text completes.
    fn items(form: Option<(Contract, Dialect)>, pieces: &[&str]) -> Vec<Vec<String>> {
        let mut tracker = Tracker::new(form, ParseOptions::new());
        let mut items = Items::default();
        let mut text = String::new();
        let push = |piece: &&str| {
            text.push_str(piece);
            tracker.read(&text, &mut items).unwrap();
            items.take()
        };
        let mut each: Vec<Vec<String>> = pieces.iter().map(push).collect();
        tracker.end(&text, &mut items);
        each.push(items.take());
        each
    }

    #[test]
    fn items_come_when_they_are_complete() {
        let found = items(None, &["Sure:\n[{\"a\": ", "1}, {'a'", ": 2}", ", [", "3]]"]);
        assert_eq!(found, [vec![], vec!["{\"a\":1}"], vec!["{\"a\":2}"], vec![], vec!["[3]"], vec![]]);
        let cut = items(None, &["[{\"a\": 1}, {\"a\": "]);
        assert_eq!(cut, [vec!["{\"a\":1}"], vec![]], "half an item is none");
    }

    #[test]
    fn values_one_after_the_other_are_items() {
        let lines = items(None, &["{\"a\": 1}\n", "{\"a\"", ": 2}\n{\"a\": 3}"]);
        assert_eq!(lines.concat(), ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
        let fences = items(None, &["```json\n{\"a\": 1}\n```\nand\n```json\n[{\"a\": 2}]\n``", "`\nSee {\"a\": 3}."]);
        assert_eq!(fences.concat(), ["{\"a\":1}", "{\"a\":2}"]);
        let draft = items(None, &["{\"a\": 1}\n", "</think>\n[{\"a\": 2}]"]);
        assert_eq!(draft, [vec![], vec!["{\"a\":2}"], vec![]], "a draft has no items");
    }

    #[test]
    fn items_of_a_dialect_come_in_the_form_of_the_type() {
        let schema = serde_json::json!({ "type": "array", "items": {
            "type": "object", "additionalProperties": { "type": "integer" } } });
        let contract = Contract::from_schema(schema).unwrap();
        let answer = r#"{"value": [{"value": 0}, [{"key": "a", "value": 1}], []]}"#;
        let found = items(Some((contract, Dialect::OpenAi)), &[answer]);
        assert_eq!(found.concat(), [r#"{"value":0}"#, r#"{"a":1}"#, "{}"]);
    }
}
