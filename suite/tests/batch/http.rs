//! Over real HTTP, with both transports: a file goes up while it is read.

use instructor::batch::{BatchInput, Batches, Extraction};
use instructor::testing::{Reply, Script};
use instructor::{Client, blocking};
use serde_json::json;

use crate::User;

fn script() -> Script {
    let body = r#"{"choices":[{"message":{"content":"{\"name\":\"Ada\",\"age\":36}"}}]}"#;
    let line =
        format!("{{\"custom_id\":\"a0\",\"response\":{{\"status_code\":200,\"body\":{body}}},\"error\":null}}\n");
    Script::new()
        .reply(Reply::json(json!({ "id": "file-1" })))
        .reply(Reply::json(json!({ "id": "batch_1", "status": "completed", "output_file_id": "file-2" })))
        .reply(Reply::body(line).pieces(13))
}

fn write<C>(users: &Extraction<User, C>, path: &std::path::Path, push: impl Fn(&Extraction<User, C>, std::fs::File)) {
    push(users, std::fs::File::create(path).unwrap());
}

#[test]
fn a_file_goes_up_and_results_come_down() {
    let folder = std::env::temp_dir().join(format!("instructor-batch-http-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();

    let path = folder.join("async.jsonl");
    let script = self::script();
    let server = script.serve().unwrap();
    let builder = || Client::builder().provider("openai/m").api_key("k").base_url(format!("{}/v1", server.url()));
    let client = builder().build().unwrap();
    let users = Extraction::<User>::new(&client);
    write(&users, &path, |users, file| {
        let mut input = users.writer(std::io::BufWriter::new(file));
        (0..500).for_each(|n| input.push(format!("a{n}"), "x".repeat(300)).unwrap());
        input.finish().unwrap();
    });
    let input = BatchInput::file(&path);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut job = users.job(&input).unwrap();
        let batches = Batches::new(&client).unwrap();
        batches.submit(&mut job, &input).await.unwrap();
        let mut results = users.fetch(&job).unwrap();
        assert_eq!(results.next().await.unwrap().unwrap().result.unwrap().0.age, 36);
        assert!(results.next().await.is_none());
    });
    let written = std::fs::read(&path).unwrap();
    let up = &script.sent()[0];
    let length: usize = up.header("content-length").unwrap().parse().unwrap();
    assert_eq!(up.body().len(), length);
    let text = &written[..written.len() - 1];
    assert!(up.body().windows(text.len()).any(|window| window == text));

    let script = self::script();
    let server = script.serve().unwrap();
    let builder = || Client::builder().provider("openai/m").api_key("k").base_url(format!("{}/v1", server.url()));
    let client = blocking::Client::build(builder()).unwrap();
    let users = Extraction::<User, _>::new(&client);
    let mut job = users.job(&input).unwrap();
    let batches = Batches::new(&client).unwrap();
    batches.submit(&mut job, &input).unwrap();
    let results: Vec<_> = users.fetch(&job).unwrap().collect();
    assert_eq!(results.len(), 1);
    assert_eq!(script.sent()[0].body().len(), length);
    std::fs::remove_dir_all(folder).unwrap();
}
