use instructor::ResponseModel;

struct Plain;

fn main() {
    ask::<Plain>();
}

fn ask<T: ResponseModel>() {}
