#[instructor::model(validate = in_order, rename = "span")]
struct Span {
    from: u32,
    to: u32,
}

fn main() {
    let _ = Span { from: 0, to: 1 };
}
