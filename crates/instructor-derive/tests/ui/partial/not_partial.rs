#[instructor::model]
struct Address {
    street: String,
}

#[instructor::model(partial)]
struct User {
    name: String,
    address: Address,
}

fn main() {}
