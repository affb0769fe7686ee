//! A file with two names is refused before anything is written under the second one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::process::Command;

use child::{file, ready, said, say};
use queue::{Error, Options, Queue};

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test names` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    match Queue::<String>::open(file, Options::producer()) {
        Ok(_) => say("opened it"),
        Err(Error::MountPoint { .. }) => say("refused it"),
        Err(other) => panic!("{other}"),
    };
}

#[test]
fn a_hard_linked_file_is_refused_until_one_name_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other.db");
    let mut queue = child::consumer(&file(&dir));
    queue.enqueue("a".to_owned()).unwrap();
    fs::hard_link(file(&dir), &other).unwrap();
    for options in [
        Options::producer(),
        Options::consumer(),
        Options::inspector(),
    ] {
        for name in [&file(&dir), &other] {
            let refused = Queue::<String>::open(name, options.clone()).unwrap_err();
            assert!(
                matches!(refused, Error::HardLinked { links: 2, .. }),
                "{refused}"
            );
        }
    }
    fs::remove_file(&other).unwrap();
    assert_eq!(ready(&child::producer(&file(&dir))), ["a"]);
}

/// In a mount namespace of its own, which needs the rights of root.
#[test]
fn a_file_mounted_by_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(child::consumer(&file(&dir)));
    let mounted = dir.path().join("container/q.db");
    fs::create_dir(mounted.parent().unwrap()).unwrap();
    fs::write(&mounted, "").unwrap();
    let script = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", script, "sh"]);
    unshare.arg(file(&dir)).arg(&mounted);
    unshare.arg(std::env::current_exe().unwrap());
    match child::under(unshare, "open", &mounted).output() {
        Ok(output) if output.status.success() => {
            assert_eq!(said(&output.stdout, "refused"), ["it"]);
        }
        other => println!("skipped: cannot mount here ({other:?}); run it as root on Linux"),
    }
}
