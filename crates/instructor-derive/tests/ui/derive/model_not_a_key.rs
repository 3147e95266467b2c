#[instructor::model("::instructor")]
struct User;

fn main() {}
