#[instructor::model]
struct User {
    #[response(crate = "::instructor")]
    name: String,
}

fn main() {}
