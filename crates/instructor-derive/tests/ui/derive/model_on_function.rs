#[instructor::model]
fn user() {}

fn main() {
    user();
}
