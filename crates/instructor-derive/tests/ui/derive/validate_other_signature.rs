#[instructor::model]
struct User {
    #[response(validate = in_range)]
    age: u8,
    #[response(validate = by_value)]
    height: u8,
}

fn in_range(_: &u8) -> bool {
    true
}

fn by_value(_: u8) -> Result<(), String> {
    Ok(())
}

fn main() {}
