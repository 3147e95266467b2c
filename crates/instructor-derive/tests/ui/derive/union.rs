#[derive(instructor::ResponseModel)]
union Either {
    whole: u32,
    part: f32,
}

fn main() {}
