//! What is asked for: three nested types with what types are made of, and a list of tools.

use std::collections::BTreeMap;

use serde::Serialize;

/// An order of a shop.
#[instructor::model]
#[derive(Serialize)]
pub(crate) struct Order {
    #[schemars(range(min = 1, max = 99_999))]
    number: u32,
    customer: Customer,
    #[schemars(length(max = 3))]
    lines: Vec<Line>,
    paid: bool,
}

#[instructor::model]
#[derive(Serialize)]
struct Customer {
    #[schemars(length(min = 1, max = 40))]
    name: String,
    email: Option<String>,
    address: Address,
}

#[instructor::model]
#[derive(Serialize)]
struct Address {
    #[schemars(length(max = 40))]
    street: String,
    country: Country,
}

#[instructor::model]
#[derive(Serialize)]
enum Country {
    Norway,
    Chile,
    #[serde(rename = "New Zealand")]
    NewZealand,
}

#[instructor::model]
#[derive(Serialize)]
struct Line {
    #[schemars(regex(pattern = r"^[A-Z]{2}-[0-9]{3}$"))]
    sku: String,
    #[schemars(range(min = 1, max = 10))]
    quantity: u8,
    discount: Option<f32>,
}

/// A drawing: shapes of several kinds, and layers by name.
#[instructor::model]
#[derive(Serialize)]
pub(crate) struct Drawing {
    title: Option<String>,
    origin: (i16, i16),
    #[schemars(length(min = 1, max = 3))]
    shapes: Vec<Shape>,
    #[schemars(length(max = 3))]
    layers: BTreeMap<String, Layer>,
}

#[instructor::model]
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle {
        #[schemars(range(min = 0, max = 100))]
        radius: f64,
    },
    Box {
        width: u8,
        height: u8,
    },
    Path {
        #[schemars(length(max = 3))]
        points: Vec<Point>,
    },
}

#[instructor::model]
#[derive(Serialize)]
pub(crate) struct Point {
    x: i8,
    y: i8,
}

#[instructor::model]
#[derive(Serialize)]
pub(crate) struct Layer {
    visible: bool,
    #[schemars(range(min = 0, max = 100))]
    opacity: u8,
}

/// A project whose tasks have tasks.
#[instructor::model]
#[derive(Serialize)]
pub(crate) struct Project {
    #[schemars(length(max = 2))]
    tasks: Vec<Task>,
}

#[instructor::model]
#[derive(Serialize)]
struct Task {
    #[schemars(length(max = 40))]
    title: String,
    state: State,
    note: Option<Note>,
    #[schemars(length(max = 2))]
    parts: Vec<Self>,
}

#[instructor::model]
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Done,
    Blocked {
        #[schemars(length(max = 20))]
        by: Vec<u8>,
    },
}

#[instructor::model]
#[derive(Serialize)]
#[serde(untagged)]
enum Note {
    Score(u8),
    Words(#[schemars(length(max = 5))] Vec<String>),
}

/// What can be done, each a tool.
#[instructor::model]
#[derive(Serialize)]
pub(crate) enum Action {
    Move(Point),
    Show(Layer),
}
