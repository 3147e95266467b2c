#[instructor::model]
struct User {
    #[response(validate = in_range)]
    age: u8,
}

fn in_range(_: &u32) -> Result<(), String> {
    Ok(())
}

fn main() {}
