#[instructor::model]
struct User {
    #[response(validate = |age: &u8| in_range(age))]
    age: u8,
    #[response(validate = [in_range, even])]
    height: u8,
}

fn main() {}
