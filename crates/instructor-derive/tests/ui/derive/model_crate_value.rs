#[instructor::model(crate = instructor)]
struct Unquoted;

#[instructor::model(crate = "::instructor", crate = "::instructor")]
struct Twice;

fn main() {}
