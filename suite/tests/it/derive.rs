#![expect(dead_code, reason = "the fields are read by the derive's output alone")]
use instructor::{
    Context, Issue, Issues, ResponseModel,
    serde_json::{self, Value, json},
};

fn issues<T: ResponseModel>(v: Value) -> Vec<String> {
    let v: T = serde_json::from_value(v).unwrap();
    let mut issues = Issues::new();
    v.validate(&Context::new().with(7u32), &mut issues);
    issues.as_slice().iter().map(|i| format!("{} {}", i.path(), i.wanted())).collect()
}
fn not_x(s: &str) -> Result<(), String> {
    if s == "x" { Err("not x".into()) } else { Ok(()) }
}
#[expect(clippy::ptr_arg, reason = "the exact type of the field has to work too")]
fn not_xs(s: &String) -> Result<(), &'static str> {
    not_x(s).map_err(|_| "not xs")
}
fn short(s: &[u8]) -> Result<(), Issue> {
    if s.len() > 1 { Err(Issue::at("[1]", "short")) } else { Ok(()) }
}
fn known(s: &str, c: &Context) -> Result<(), Vec<Issue>> {
    if *c.get::<u32>().unwrap() == 7 && s == "x" {
        Err(vec![Issue::new("known"), Issue::at("q", "k2")])
    } else {
        Ok(())
    }
}
fn any<T>(_: &T) -> Result<(), String> {
    Err("any".into())
}

#[instructor::model]
struct Leaf {
    #[response(validate = not_x)]
    name: String,
}

#[instructor::model]
#[derive(Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
#[response(validate = Self::whole, validate = whole2)]
#[response(validate = any::<Tree>)]
struct Tree {
    #[response(validate = not_x, validate = known)]
    #[response(validate = not_xs)]
    first_name: String,
    r#type: String,
    #[serde(rename = "odd key")]
    leaf: Option<LeafD>,
    leaf_list: Vec<LeafD>,
    #[serde(flatten)]
    flat: Flat,
    #[serde(rename(deserialize = "dee", serialize = "see"))]
    kids: Vec<Tree>,
    #[serde(skip)]
    skipped: LeafD,
    #[serde(default)]
    foreign: std::collections::BTreeSet<u8>,
    #[serde(default)]
    #[response(validate = short)]
    bytes: Vec<u8>,
}
impl Tree {
    fn whole(&self) -> Result<(), Issues> {
        if self.first_name == "x" { Err("whole".into()) } else { Ok(()) }
    }
}
fn whole2(t: &Tree, _: &Context) -> Result<(), String> {
    if t.first_name == "x" { Err("whole2".into()) } else { Ok(()) }
}

#[instructor::model]
#[derive(PartialEq, Default)]
struct LeafD {
    #[response(validate = not_x)]
    name: String,
}
#[instructor::model]
#[derive(PartialEq, Default)]
struct Flat {
    #[response(validate = not_x)]
    #[serde(default)]
    flat_name: String,
}

#[test]
fn tree() {
    let got = issues::<Tree>(json!({
        "firstName": "x", "type": "t", "odd key": {"name": "x"}, "leafList": [{"name": "a"}, {"name": "x"}],
        "flat_name": "x", "dee": [{"firstName": "a", "type": "", "leafList": [{"name": "x"}], "dee": []}], "bytes": [1, 2]
    }));
    assert_eq!(
        got,
        [
            "$.firstName not x",
            "$.firstName known",
            "$.firstName.q k2",
            "$.firstName not xs",
            "$[\"odd key\"].name not x",
            "$.leafList[1].name not x",
            "$.flat_name not x",
            "$.dee[0].leafList[0].name not x",
            "$.dee[0] any",
            "$.bytes[1] short",
            "$ whole",
            "$ whole2",
            "$ any",
        ]
    );
}

#[instructor::model]
struct New(#[response(validate = not_x)] String);
#[instructor::model]
#[serde(transparent)]
struct Trans {
    #[response(validate = not_x)]
    a: String,
}
#[instructor::model]
struct Pair(Leaf, #[serde(skip)] u8, Leaf);
#[instructor::model]
#[serde(from = "String")]
struct Conv {
    #[response(validate = not_x)]
    a: String,
}
impl From<String> for Conv {
    fn from(a: String) -> Self {
        Self { a }
    }
}
#[instructor::model]
struct Unit;
#[instructor::model]
struct Raw {
    #[response(validate = not_x)]
    r#fn: String,
}

#[test]
fn steps() {
    assert_eq!(issues::<New>(json!("x")), ["$ not x"]);
    assert_eq!(issues::<Trans>(json!("x")), ["$ not x"]);
    assert_eq!(issues::<Conv>(json!("x")), ["$ not x"]);
    assert_eq!(issues::<Pair>(json!([{"name": "x"}, {"name": "x"}])), ["$[0].name not x", "$[1].name not x"]);
    assert_eq!(issues::<Raw>(json!({"fn": "x"})), ["$.fn not x"]);
    assert!(issues::<Unit>(json!(null)).is_empty());
}

macro_rules! enums { ($($name:ident $(#[$attr:meta])*;)*) => { $(
    #[instructor::model]
    #[serde(rename_all = "snake_case", rename_all_fields = "UPPERCASE")]
    $(#[$attr])*
    enum $name {
        StructLike { #[response(validate = not_x)] some_field: String },
        #[serde(rename = "R")] #[serde(rename_all = "kebab-case")]
        Renamed { #[response(validate = not_x)] other_field: String, #[serde(skip)] b: u8 },
        NewType(Leaf),
        UnitLike,
        #[serde(skip)] Skipped(Leaf),
    }
)* } }
enums! { Ext; Int #[serde(tag = "t")]; Adj #[serde(tag = "t", content = "c")]; Unt #[serde(untagged)]; }
#[instructor::model]
#[serde(tag = "t", content = "c")]
enum AdjT {
    T(Leaf, Leaf),
}
#[instructor::model]
enum ExtT {
    T(Leaf, Leaf),
    #[serde(untagged)]
    U {
        #[response(validate = not_x)]
        u: String,
    },
}
#[instructor::model]
#[response(validate = any)]
enum Plain {
    A,
    B,
}

#[test]
fn tags() {
    assert_eq!(issues::<Ext>(json!({"struct_like": {"SOME_FIELD": "x"}})), ["$.struct_like.SOME_FIELD not x"]);
    assert_eq!(issues::<Ext>(json!({"R": {"other-field": "x"}})), ["$.R.other-field not x"]);
    assert_eq!(issues::<Ext>(json!({"new_type": {"name": "x"}})), ["$.new_type.name not x"]);
    assert!(issues::<Ext>(json!("unit_like")).is_empty());
    assert_eq!(issues::<Int>(json!({"t": "struct_like", "SOME_FIELD": "x"})), ["$.SOME_FIELD not x"]);
    assert_eq!(issues::<Int>(json!({"t": "new_type", "name": "x"})), ["$.name not x"]);
    assert_eq!(issues::<Adj>(json!({"t": "R", "c": {"other-field": "x"}})), ["$.c.other-field not x"]);
    assert_eq!(issues::<Adj>(json!({"t": "new_type", "c": {"name": "x"}})), ["$.c.name not x"]);
    assert_eq!(issues::<Unt>(json!({"other-field": "x"})), ["$.other-field not x"]);
    assert_eq!(
        issues::<AdjT>(json!({"t": "T", "c": [{"name": "x"}, {"name": "x"}]})),
        ["$.c[0].name not x", "$.c[1].name not x"]
    );
    assert_eq!(
        issues::<ExtT>(json!({"T": [{"name": "x"}, {"name": "x"}]})),
        ["$.T[0].name not x", "$.T[1].name not x"]
    );
    assert_eq!(issues::<ExtT>(json!({"u": "x"})), ["$.u not x"]);
    assert_eq!(issues::<Plain>(json!("A")), ["$ any"]);
}

#[instructor::model]
struct Page<T> {
    items: Vec<T>,
    next: Option<Box<Page<T>>>,
    #[response(validate = any)]
    one: T,
}
#[instructor::model]
struct Two<T: Clone, const N: usize>
where
    T: PartialEq,
{
    #[serde(bound(deserialize = "T: instructor::serde::de::DeserializeOwned"))]
    a: Vec<T>,
}

#[test]
fn generic() {
    assert_eq!(
        issues::<Page<Leaf>>(
            json!({"items": [{"name": "x"}], "next": {"items": [{"name": "x"}], "one": {"name": "a"}}, "one": {"name": "x"}})
        ),
        ["$.items[0].name not x", "$.next.items[0].name not x", "$.next.one any", "$.one.name not x", "$.one any"]
    );
    assert_eq!(issues::<Two<String, 3>>(json!({"a": []})), [""; 0]);
}

mod re {
    pub(crate) mod export {
        pub(crate) use ::instructor;
    }
}
#[instructor::model(crate = "crate::derive::re::export::instructor")]
struct Re {
    #[response(validate = not_x)]
    a: String,
}
mod own {
    use instructor::{schemars, serde};
    #[derive(serde::Deserialize, schemars::JsonSchema, instructor::ResponseModel)]
    #[serde(crate = "instructor::serde")]
    #[schemars(crate = "instructor::schemars")]
    #[response(crate = "super::re::export::instructor")]
    pub(super) struct Own {
        #[response(validate = super::not_x)]
        pub(super) a: String,
    }
    #[instructor::model]
    #[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema, instructor::ResponseModel)]
    #[serde(crate = "instructor::serde")]
    pub(super) struct AllGiven {
        #[response(validate = super::not_x)]
        pub(super) a: String,
    }
}
#[test]
fn elsewhere() {
    assert_eq!(issues::<Re>(json!({"a": "x"})), ["$.a not x"]);
    assert_eq!(issues::<own::Own>(json!({"a": "x"})), ["$.a not x"]);
    assert_eq!(issues::<own::AllGiven>(json!({"a": "x"})), ["$.a not x"]);
}
