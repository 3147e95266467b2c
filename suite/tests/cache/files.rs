//! The store on disk: other processes, damage, and what is in the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use instructor::blocking;
use instructor::cache::{CacheKey, DiskCache};

use super::*;

/// A folder that is deleted in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("instructor-cache-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Self(path)
    }

    /// All files in it but those that are always there.
    fn files(&self) -> Vec<PathBuf> {
        let parts = fs::read_dir(&self.0)
            .unwrap()
            .map(|part| part.unwrap().path())
            .filter(|part| part.is_dir() && !part.ends_with("owners"));
        let mut files: Vec<PathBuf> =
            parts.flat_map(|part| fs::read_dir(part).unwrap().map(|file| file.unwrap().path())).collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn open(folder: &Folder) -> DiskCache {
    DiskCache::open(&folder.0).unwrap()
}

fn on_disk(script: &Script, folder: &Folder) -> blocking::Client {
    let builder = script.builder(SPEC).api_key("sk-very-secret").cache(open(folder));
    blocking::Client::build_with(builder, script.clone()).unwrap()
}

fn asks(client: &blocking::Client, text: &str) -> Vec<&'static str> {
    words(&client.create_with_completion::<User>(text).unwrap().1.report)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_later_client_finds_what_an_earlier_one_stored() {
    let folder = Folder::new("later");
    let script = always(ada());
    assert_eq!(asks(&on_disk(&script, &folder), "x"), ["miss", "stored"]);
    assert_eq!(asks(&on_disk(&script, &folder), "x"), ["hit"]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let client = script.builder(SPEC).api_key("sk-very-secret").cache(open(&folder)).build().unwrap();
    let (_, completion) = runtime.block_on(client.create_with_completion::<User>("x")).unwrap();
    assert!(completion.report.is_cached());
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn files_have_no_secrets_and_are_nobody_elses() {
    let folder = Folder::new("secrets");
    let script = always(ada());
    asks(&on_disk(&script, &folder), "the patient's name is Ada");
    let files = folder.files();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = String::from_utf8_lossy(&fs::read(&files[0]).unwrap()).into_owned();
    assert!(text.contains("36"));
    for secret in ["sk-very-secret", "authorization", "the patient's name"] {
        assert!(!text.to_lowercase().contains(secret), "{secret}");
        assert!(!files[0].to_string_lossy().contains(secret));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!((mode(&folder.0), mode(files[0].parent().unwrap()), mode(&files[0])), (0, 0, 0));
    }
}

#[test]
fn damaged_and_foreign_files_are_no_harm() {
    let folder = Folder::new("damaged");
    let script = always(ada());
    let client = on_disk(&script, &folder);
    asks(&client, "x");
    let file = folder.files().remove(0);
    let whole = fs::read(&file).unwrap();
    for bytes in [&whole[..whole.len() - 1], &whole[..10], b"", b"\0\0\0\0", &[0xff; 4096]] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(asks(&client, "x"), ["unreadable", "stored"]);
        assert_eq!(asks(&client, "x"), ["hit"]);
    }
    // Where no file can be, nothing is stored, and the request has its answer.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let told = asks(&client, "x");
    assert!(told.contains(&"failed"), "{told:?}");
    fs::remove_dir(&file).unwrap();
    // The folder may go at any time.
    fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(asks(&client, "x"), ["miss", "stored"]);
    assert_eq!(asks(&client, "x"), ["hit"]);
}

#[test]
fn a_folder_that_cannot_be_says_so() {
    let folder = Folder::new("nofolder");
    fs::write(&folder.0, "a file").unwrap();
    let error = DiskCache::open(folder.0.join("below")).unwrap_err().to_string();
    assert!(error.contains("name a folder that can be written to"), "{error}");
    fs::remove_file(&folder.0).unwrap();
}

#[test]
fn it_stays_within_its_size() {
    let folder = Folder::new("size");
    let cache = DiskCache::open(&folder.0).unwrap().with_max_bytes(100_000);
    let key = |n: u8| CacheKey::new([n; 32]);
    for n in 0..200 {
        wait(cache.set(key(n), vec![n; 1000].into(), None)).unwrap();
    }
    // The sweeps are behind what was asked last: one thread may still be at it.
    wait(async { cache.get(key(0)).await.and(cache.get(key(1)).await) }).unwrap();
    drop(cache);
    let left = |folder: &Folder| {
        folder.files().iter().filter_map(|file| fs::metadata(file).ok()).map(|m| m.len()).sum::<u64>()
    };
    let mut total = left(&folder);
    for _ in 0..100 {
        if total <= 110_000 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        total = left(&folder);
    }
    assert!((50_000..=110_000).contains(&total), "{total}");
    assert!(wait(open(&folder).get(key(199))).unwrap().is_some());
}

#[test]
fn one_claims_and_others_do_not() {
    let folder = Folder::new("claims");
    let (one, other) = (open(&folder), open(&folder));
    let (key, minute) = (CacheKey::new([7; 32]), Duration::from_secs(60));
    assert!(wait(one.claim(key, minute)).unwrap());
    assert!(!wait(other.claim(key, minute)).unwrap());
    one.release(key);
    assert!(wait(other.claim(key, minute)).unwrap());
    // It ends with the entry, and with its time.
    wait(other.set(key, bytes::Bytes::from_static(b"x"), None)).unwrap();
    assert!(wait(one.claim(key, Duration::ZERO)).unwrap());
    assert!(wait(other.claim(key, minute)).unwrap());
    assert!(!wait(one.claim(key, minute)).unwrap());
}

#[test]
fn sixty_four_stores_of_one_folder_are_one_call() {
    let folder = Folder::new("together");
    let (script, start) = (always(ada()), Arc::new(std::sync::Barrier::new(64)));
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let (client, start) = (on_disk(&script, &folder), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                // The waits of all add up on the clock of the script.
                let request = client.request("x").cache_wait(Duration::from_secs(1_000_000));
                request.create_with_completion::<User>().unwrap().1.report.is_cached()
            })
        })
        .collect();
    let hits: usize = threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum();
    assert_eq!((hits, script.sent().len()), (63, 1));
}

#[test]
fn nobody_waits_for_the_dead() {
    let (key, minute) = (CacheKey::new([9; 32]), Duration::from_secs(60));
    if let Ok(folder) = std::env::var(ROLE) {
        let cache = DiskCache::open(folder).unwrap();
        assert!(wait(cache.claim(key, minute)).unwrap());
        // As if the process were killed: nothing is put away.
        std::mem::forget(cache);
        return;
    }
    let folder = Folder::new("dead");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["files::nobody_waits_for_the_dead", "--exact"]).env(ROLE, &folder.0);
    assert!(child.stdout(std::process::Stdio::null()).status().unwrap().success());
    assert!(folder.files().iter().any(|file| file.extension().is_some_and(|kind| kind == "claim")));
    assert!(wait(open(&folder).claim(key, minute)).unwrap());
    // The living are waited for.
    let (one, other) = (open(&folder), open(&folder));
    assert!(wait(one.claim(CacheKey::new([1; 32]), minute)).unwrap());
    assert!(!wait(other.claim(CacheKey::new([1; 32]), minute)).unwrap());
    drop(one);
}

/// What a process does that writes at the same time as another: see below.
const ROLE: &str = "INSTRUCTOR_CACHE_WRITER";
const ENTRIES: u16 = 400;

#[test]
fn processes_write_at_once() {
    let value = |n: u16| vec![u8::try_from(n % 251).unwrap(); 3000 + usize::from(n)];
    let key = |n: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_le_bytes());
        CacheKey::new(bytes)
    };
    if let Ok(folder) = std::env::var(ROLE) {
        let cache = DiskCache::open(folder).unwrap();
        for n in (0..ENTRIES).chain(0..ENTRIES) {
            wait(cache.set(key(n), value(n).into(), None)).unwrap();
            // What is there is whole, whoever has written it, and however often.
            let found = wait(cache.get(key((n * 7) % ENTRIES))).unwrap();
            assert!(found.is_none_or(|bytes| bytes == value((n * 7) % ENTRIES)));
        }
        return;
    }
    let folder = Folder::new("processes");
    let this = std::env::current_exe().unwrap();
    let start = || {
        let mut child = Command::new(&this);
        child.args(["files::processes_write_at_once", "--exact"]).env(ROLE, &folder.0);
        child.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..3).map(|_| start()).collect();
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    let cache = open(&folder);
    for n in 0..ENTRIES {
        assert_eq!(wait(cache.get(key(n))).unwrap().unwrap(), value(n));
    }
    assert_eq!(folder.files().len(), usize::from(ENTRIES));
}
