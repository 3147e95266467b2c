//! Keeps a folder within its size.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::disk::{SIGN, SIGNATURE};

/// After this long nobody writes to a file any more, and no claim holds.
const LEFT: Duration = Duration::from_secs(60 * 60);

struct Found {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// Deletes what was left behind, and then, if the entries take more than they may, those that were not used for longest until
/// a tenth is free. What other processes do meanwhile is no error.
pub(super) fn sweep(folder: &Path, most: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    for part in fs::read_dir(folder)?.filter_map(Result::ok) {
        // Nothing is touched that is not named as what is written here.
        let Some(2) = part.file_name().to_str().map(str::len) else { continue };
        let Ok(files) = fs::read_dir(part.path()) else { continue };
        for file in files.filter_map(Result::ok) {
            let path = file.path();
            let Ok(about) = file.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("entry") => entries.push(Found { used, bytes: about.len(), path }),
                Some("tmp" | "claim") if used.elapsed().is_ok_and(|age| age > LEFT) => _ = fs::remove_file(path),
                _ => {}
            }
        }
    }
    let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
    if total > most {
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if total <= most - most / 10 {
                break;
            }
            if fs::remove_file(entry.path).is_ok() {
                total -= entry.bytes;
            }
        }
    }
    fs::write(folder.join(SIGN), SIGNATURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_nothing_of_others() {
        let folder = std::env::temp_dir().join(format!("instructor-sweep-{}", std::process::id()));
        fs::create_dir_all(folder.join("ab")).unwrap();
        fs::create_dir_all(folder.join("mine")).unwrap();
        let now = SystemTime::now();
        let write = |name: &str, age: u64| {
            fs::write(folder.join(name), [0; 100]).unwrap();
            let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        };
        for n in 0..10 {
            write(&format!("ab/{n}.entry"), 1000 - n * 100);
        }
        let (old, new) = (2 * LEFT.as_secs(), 1);
        for (name, age) in [("ab/x.claim", old), ("ab/y.claim", new), ("ab/x.1-2.tmp", old), ("mine/z.entry", old)] {
            write(name, age);
        }
        let there = |name: &str| folder.join(name).exists();
        sweep(&folder, 1000).unwrap();
        assert!(there("ab/0.entry") && there("ab/y.claim") && there("mine/z.entry"));
        assert!(!there("ab/x.claim") && !there("ab/x.1-2.tmp"));
        sweep(&folder, 500).unwrap();
        let left: Vec<u64> = (0..10).filter(|n| there(&format!("ab/{n}.entry"))).collect();
        assert_eq!(left, [6, 7, 8, 9]);
        assert!(there("mine/z.entry"));
        fs::remove_dir_all(folder).unwrap();
    }
}
