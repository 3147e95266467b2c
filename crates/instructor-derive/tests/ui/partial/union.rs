#[derive(instructor::Partial)]
union Either {
    left: u8,
    right: u8,
}

fn main() {}
