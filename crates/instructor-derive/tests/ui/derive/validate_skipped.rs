#[instructor::model]
struct User {
    name: String,
    #[serde(skip)]
    #[response(validate = in_range)]
    age: u8,
}

fn in_range(_: &u8) -> Result<(), String> {
    Ok(())
}

fn main() {}
