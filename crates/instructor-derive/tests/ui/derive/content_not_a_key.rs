#[instructor::model]
struct User {
    #[response("in_range")]
    age: u8,
}

fn main() {}
