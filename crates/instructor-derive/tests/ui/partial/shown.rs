#[instructor::model(partial)]
#[response(done)]
struct User {
    #[response(whole = true)]
    name: String,
}

fn main() {}
