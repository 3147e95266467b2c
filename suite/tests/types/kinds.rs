//! Everything that is no struct, as the whole answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;

use instructor::testing::{Reply, Script};
use instructor::{Foreign, ResponseModel};
use serde_json::{Value, json};

use crate::{MODES, SPECS, User};

#[instructor::model]
#[derive(PartialEq)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

/// The only word there is.
#[instructor::model]
#[derive(PartialEq)]
enum Literal {
    #[serde(rename = "yes")]
    Yes,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(untagged)]
enum Either {
    Number(i64),
    User(User),
    Words(Vec<String>),
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { radius: f64 },
    Square { side: f64 },
}

fn holds<T: ResponseModel + PartialEq + Clone + Debug>(values: impl IntoIterator<Item = (Value, T)>) {
    for (answer, wanted) in values {
        for spec in SPECS {
            for mode in MODES {
                let script = Script::new().reply(Reply::value(answer.clone()));
                let client = script.client(spec);
                let got = script.block_on(client.request("?").mode(*mode).max_retries(0).create::<T>());
                assert_eq!(got.map_err(|error| format!("{error:?}")), Ok(wanted.clone()), "{spec} {mode:?}");
            }
        }
    }
}

macro_rules! kinds {
    ($($name:ident: $type:ty = [$($answer:tt => $value:expr),+ $(,)?];)+) => { $(
        #[test]
        fn $name() {
            holds::<$type>([$((json!($answer), $value)),+]);
        }
    )+ };
}

kinds! {
    integers: i64 = [42 => 42, (-1) => -1];
    floats: f64 = [1.5 => 1.5, 2 => 2.0];
    booleans: bool = [true => true, false => false];
    strings: String = ["" => String::new(), "two words" => String::from("two words")];
    options: Option<u8> = [3 => Some(3), null => None];
    literals: Literal = ["yes" => Literal::Yes];
    enums: Size = ["small" => Size::Small, "large" => Size::Large];
    unions: Either = [
        7 => Either::Number(7),
        { "name": "Ada", "age": 36 } => Either::User(User { name: String::from("Ada"), age: 36 }),
        ["a", "b"] => Either::Words(vec![String::from("a"), String::from("b")]),
    ];
    tagged_unions: Tagged = [
        { "kind": "Circle", "radius": 2.5 } => Tagged::Circle { radius: 2.5 },
        { "kind": "Square", "side": 1.0 } => Tagged::Square { side: 1.0 },
    ];
    lists: Vec<u8> = [[] => vec![], [1, 2, 2] => vec![1, 2, 2]];
    lists_of_lists: Vec<Vec<i64>> = [[[1], [], [2, 3]] => vec![vec![1], vec![], vec![2, 3]]];
    lists_of_models: Vec<User> = [[{ "name": "Ada", "age": 36 }] => vec![User { name: String::from("Ada"), age: 36 }]];
    lists_of_unions: Vec<Tagged> = [[{ "kind": "Square", "side": 1.0 }] => vec![Tagged::Square { side: 1.0 }]];
    sets: BTreeSet<u8> = [[3, 1] => BTreeSet::from([1, 3])];
    maps: BTreeMap<String, u8> = [{ "a": 1, "b": 2 } => BTreeMap::from([("a".into(), 1), ("b".into(), 2)])];
    maps_of_models: HashMap<String, User> = [
        { "x": { "name": "Ada", "age": 36 } } => HashMap::from([("x".into(), User { name: "Ada".into(), age: 36 })]),
    ];
    tuples: (String, u8) = [["a", 1] => (String::from("a"), 1)];
    arrays: Foreign<[u8; 2]> = [[1, 2] => Foreign([1, 2])];
    anything: Value = [{ "a": [1, null] } => json!({ "a": [1, null] }), "text" => json!("text")];
}
