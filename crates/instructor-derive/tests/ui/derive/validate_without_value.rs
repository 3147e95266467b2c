#[instructor::model]
struct User {
    #[response(validate)]
    name: String,
    #[response(validate(in_range))]
    age: u8,
    #[response(validate =)]
    height: u8,
}

fn main() {}
