use instructor::Context;

#[instructor::model]
struct User {
    #[response(validate_async = not_async)]
    age: u8,
    #[response(validate_async = by_value)]
    height: u8,
    #[response(validate_async = says_a_bool)]
    weight: u8,
}

#[instructor::model]
#[response(validate_async = not_send)]
struct Group {
    name: String,
}

fn not_async(_: &u8) -> Result<(), String> {
    Ok(())
}

async fn by_value(_: u8) -> Result<(), String> {
    Ok(())
}

async fn says_a_bool(_: &u8, _: &Context) -> bool {
    true
}

async fn not_send(_: &Group) -> Result<(), String> {
    let held = std::rc::Rc::new(0);
    std::future::ready(()).await;
    drop(held);
    Ok(())
}

fn main() {}
