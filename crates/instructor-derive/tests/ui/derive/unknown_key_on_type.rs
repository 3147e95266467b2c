#[instructor::model]
#[response(validat = in_order)]
struct Span {
    from: u32,
    to: u32,
}

fn main() {}
