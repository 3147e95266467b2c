#[derive(instructor::ResponseModel)]
#[response(crate)]
struct Missing;

#[derive(instructor::ResponseModel)]
#[response(crate = instructor)]
struct Unquoted;

#[derive(instructor::ResponseModel)]
#[response(crate = "not a path")]
struct NotAPath;

fn main() {}
