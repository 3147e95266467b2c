#[derive(instructor::ResponseModel)]
#[response(crate = "::instructor", crate = "::instructor")]
struct User;

fn main() {}
