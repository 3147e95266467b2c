#[instructor::model]
struct User {
    #[response(range(max = 150))]
    age: u8,
}

fn main() {}
