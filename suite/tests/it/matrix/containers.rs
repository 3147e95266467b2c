//! Lists, maps with every kind of key, tuples, and types that hold themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};

use indexmap::{IndexMap, IndexSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::types;

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "lowercase")]
enum Day {
    Monday,
    Tuesday,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(transparent)]
struct Id(String);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default)]
struct Chain {
    value: i32,
    next: Option<Box<Chain>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    size: u64,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Author {
    name: String,
    books: Vec<Book>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Book {
    title: String,
    author: Option<Box<Author>>,
    editors: BTreeMap<String, Author>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Nest(Vec<Nest>);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum Cons {
    Nil,
    Cell(i32, Box<Cons>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Pair {
    pair: (i32, Box<Option<Pair>>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Wide {
    map: HashMap<String, i32>,
    days: BTreeMap<Day, Vec<i32>>,
    ids: BTreeMap<Id, BTreeMap<u32, String>>,
    list: Vec<BTreeMap<String, Vec<BTreeMap<String, i32>>>>,
}

fn text(text: &str) -> String {
    String::from(text)
}

fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    texts.into_iter().map(text).collect()
}

fn chain(length: i32) -> Chain {
    (0..length).fold(Chain { value: -1, next: None }, |next, value| Chain { value, next: Some(Box::new(next)) })
}

fn tree(depth: usize) -> Tree {
    let children =
        if depth == 0 { vec![] } else { vec![tree(depth - 1), Tree { name: text("leaf"), children: vec![] }] };
    Tree { name: format!("at {depth}"), children }
}

fn folder(depth: u64) -> Folder {
    let folders = if depth == 0 {
        BTreeMap::new()
    } else {
        [(format!("f/{depth}"), folder(depth - 1)), (text("é"), folder(0))].into()
    };
    Folder { folders, size: depth }
}

fn author(depth: usize) -> Author {
    if depth == 0 {
        return Author { name: text("a"), books: vec![] };
    }
    let editors = [(text("e"), author(depth - 1))].into();
    Author {
        name: text("b"),
        books: vec![Book { title: text("t"), author: Some(Box::new(author(depth - 1))), editors }],
    }
}

fn nest(depth: usize) -> Nest {
    if depth == 0 { Nest(vec![]) } else { Nest(vec![nest(depth - 1), Nest(vec![])]) }
}

fn json_value() -> Json {
    Json::Map(
        [
            (
                text("a"),
                Json::List(vec![
                    Json::Null,
                    Json::Bool(true),
                    Json::Number(1),
                    Json::Text(text("1")),
                    Json::List(vec![]),
                ]),
            ),
            (text("m"), Json::Map([(text(""), Json::Map(BTreeMap::new()))].into())),
        ]
        .into(),
    )
}

types! {
    list: Vec<i32> = [vec![], vec![1, -2]];
    list_of_options: Vec<Option<String>> = [vec![], vec![None, Some(text("")), Some(text("null"))]];
    lists: Vec<Vec<Vec<i32>>> = [vec![], vec![vec![]], vec![vec![vec![1], vec![]], vec![]]];
    deep_lists: Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<i32>>>>>>>>>>>> = [
        vec![], vec![vec![vec![vec![vec![vec![vec![vec![vec![vec![vec![vec![1, 2], vec![]]]]]]]]]]]],
    ];
    deque: VecDeque<bool> = [VecDeque::new(), VecDeque::from([true, false])];
    linked: LinkedList<u8> = [LinkedList::from([1, 255])];
    boxed: Box<[String]> = [Box::from([text("a")])];
    set: BTreeSet<String> = [BTreeSet::new(), texts(["b", "a"]).into_iter().collect()];
    hash_set: HashSet<i32> = [HashSet::new(), HashSet::from([1, 2, 3])];
    set_of_units: BTreeSet<Day> = [BTreeSet::from([Day::Tuesday, Day::Monday])];
    index_set: IndexSet<String> = [texts(["b", "a"]).into_iter().collect()];
    array: [i32; 3] = [[1, 2, 3]];
    array_of_one: [Option<i32>; 1] = [[None], [Some(1)]];
    array_of_none: [i32; 0] = [[]];
    array_of_maps: [BTreeMap<String, i32>; 2] = [[BTreeMap::new(), [(text("a"), 1)].into()]];
    tuple: (i32, String) = [(1, text("a"))];
    tuple_of_one: (Vec<i32>,) = [(vec![],), (vec![1],)];
    tuple_of_options: (Option<i32>, Option<String>, ()) = [(None, None, ()), (Some(1), Some(text("")), ())];
    tuples: Vec<((i32, bool), BTreeMap<String, (f64, char)>)> = [
        vec![], vec![((1, true), BTreeMap::new()), ((2, false), [(text("k"), (0.5, 'x'))].into())],
    ];
    map: BTreeMap<String, i32> = [
        BTreeMap::new(), [(text("a"), 1), (text(""), 2), (text("a b/c~d\"\\\n"), 3), (text("日本"), 4)].into(),
        [(text("key"), 1), (text("value"), 2)].into(), [(text("__proto__"), 1)].into(),
    ];
    map_of_value: HashMap<String, i32> = [HashMap::from([(text("value"), 1)])],
        told "an object with `value` alone is the wrap of the root";
    hash_map: HashMap<String, Vec<String>> = [HashMap::new(), HashMap::from([(text("k"), texts(["v", "w"]))])];
    index_map: IndexMap<String, i32> = [[(text("z"), 1), (text("a"), 2)].into_iter().collect()];
    map_of_options: BTreeMap<String, Option<i32>> = [[(text("n"), None), (text("s"), Some(1))].into()];
    map_of_maps: BTreeMap<String, BTreeMap<String, BTreeMap<String, i32>>> = [
        BTreeMap::new(), [(text("a"), [(text("b"), [(text("c"), 1)].into()), (text("e"), BTreeMap::new())].into())].into(),
    ];
    map_of_lists: BTreeMap<String, Vec<Option<Vec<i32>>>> = [[(text("k"), vec![None, Some(vec![]), Some(vec![1])])].into()],
        told "a list of none or one says absence, so a list of one is its item";
    integer_keys: BTreeMap<i64, String> = [BTreeMap::new(), [(-1, text("a")), (i64::MAX, text("b"))].into()];
    unsigned_keys: BTreeMap<u8, i32> = [[(0, 1), (255, 2)].into()];
    wide_keys: BTreeMap<i128, i32> = [[(i128::MIN, 1), (0, 0)].into()];
    enum_keys: BTreeMap<Day, i32> = [BTreeMap::new(), [(Day::Tuesday, 2)].into(), [(Day::Monday, 1), (Day::Tuesday, 2)].into()];
    enum_keys_of_options: BTreeMap<Day, Option<i32>> = [
        BTreeMap::new(), [(Day::Tuesday, Some(2)), (Day::Monday, Some(0))].into(),
    ];
    uuid_keys: BTreeMap<Uuid, i32> = [[(Uuid::from_u128(1), 1), (Uuid::max(), 2)].into()];
    char_keys: BTreeMap<char, i32> = [[('a', 1), ('"', 2), ('é', 3)].into()];
    bool_keys: BTreeMap<bool, i32> = [[(true, 1), (false, 2)].into()];
    newtype_keys: BTreeMap<Id, i32> = [[(Id(text("x y")), 1)].into()];
    wide: Wide = [Wide {
        map: HashMap::from([(text("a"), 1)]), days: [(Day::Monday, vec![1])].into(),
        ids: [(Id(text("i")), [(7, text("v"))].into())].into(),
        list: vec![BTreeMap::new(), [(text("k"), vec![[(text("j"), 1)].into(), BTreeMap::new()])].into()],
    }];
    chains: Chain = [chain(0), chain(1), chain(2), chain(3), chain(4), chain(50)];
    trees: Tree = [tree(0), tree(1), tree(2), tree(3), tree(5)];
    folders: Folder = [folder(0), folder(1), folder(3), folder(6)];
    mutual: Author = [author(0), author(1), author(2), author(4)];
    json_like: Json = [Json::Null, Json::Number(1), Json::List(vec![]), Json::Text(text("{\"a\":1}")), json_value()];
    nests: Nest = [nest(0), nest(1), nest(2), nest(9)];
    conses: Cons = [Cons::Nil, (0..9).fold(Cons::Nil, |rest, n| Cons::Cell(n, Box::new(rest)))];
    pairs: Pair = [
        Pair { pair: (1, Box::new(None)) },
        (0..6).fold(Pair { pair: (0, Box::new(None)) }, |inner, n| Pair { pair: (n, Box::new(Some(inner))) }),
    ];
    list_of_trees: Vec<Tree> = [vec![], vec![tree(3), tree(0)]];
    map_of_chains: BTreeMap<String, Chain> = [[(text("a"), chain(5)), (text("b"), chain(0))].into()];
    optional_tree: Option<Box<Tree>> = [None, Some(Box::new(tree(2)))];
    root_any: Value = [
        json!(null), json!(true), json!(1.5), json!("text"), json!("5"), json!(""), json!("{\"a\":"), json!([1, [], {}]),
        json!({ "value": 1 }), json!({ "b": { "z": [null] }, "a": "[]" }),
    ], told "a string is read as JSON text";
    any_list: Vec<Value> = [vec![], vec![json!(null), json!("a"), json!("1"), json!({ "k": [] })]],
        told "a string is read as JSON text";
    any_map: serde_json::Map<String, Value> = [
        serde_json::Map::new(), json!({ "z": 1, "a": null, "s": "\"", "o": { "value": [] } }).as_object().unwrap().clone(),
    ];
    any_maps: BTreeMap<String, BTreeMap<String, Value>> = [[(text("a"), [(text("b"), json!([1, "2"]))].into())].into()];
}
