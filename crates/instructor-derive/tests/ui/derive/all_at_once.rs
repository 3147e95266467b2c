#[instructor::model]
#[response(validate = "in_order", deny, crate)]
struct Span {
    #[response(min = 0, validate = "positive")]
    from: u32,
    #[serde(skip)]
    #[response(validate = positive, max = 9)]
    to: u32,
}

fn main() {}
