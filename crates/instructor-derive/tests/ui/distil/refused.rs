//! What can't be learnt, and why.

struct Account;

impl Account {
    #[instructor::distil]
    fn total(&self) -> i64 {
        0
    }
}

#[instructor::distil]
fn nothing(_a: i64) {}

#[instructor::distil]
fn generic<T: Clone>(a: T) -> i64 {
    drop(a);
    0
}

#[instructor::distil]
fn taken_apart((a, b): (i64, i64)) -> i64 {
    a + b
}

#[instructor::distil(name = "other")]
fn named(a: i64) -> i64 {
    a
}

#[instructor::distil]
extern "C" fn reckless(a: i64) -> i64 {
    a
}

#[instructor::distil]
struct NoFunction;

fn main() {}
