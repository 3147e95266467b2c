#[derive(instructor::ResponseModel)]
struct User {
    #[response(validate_async)]
    age: u8,
    #[response(validate_async = "in_range")]
    height: u8,
    #[response(validate_async = |age| async { true })]
    weight: u8,
}

fn main() {}
