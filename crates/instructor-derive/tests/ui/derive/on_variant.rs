#[instructor::model]
enum Shape {
    #[response(validate = positive)]
    Circle { radius: f64 },
    Point,
}

fn main() {}
