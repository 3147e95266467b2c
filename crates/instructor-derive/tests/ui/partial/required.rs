#[instructor::model(partial)]
struct Rest {
    name: String,
}

#[instructor::model(partial)]
struct User {
    #[serde(flatten)]
    #[response(required)]
    rest: Rest,
}

#[instructor::model(partial)]
struct Pair(#[response(required)] u8, u8);

fn main() {}
