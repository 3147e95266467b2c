#[instructor::model]
struct User {
    #[response(validate = "in_range")]
    age: u8,
    #[response(validate = "age < 150")]
    age_of_pet: u8,
}

fn main() {}
