//! Whatever is changed in the folder is found.

use std::os::unix::fs::FileExt;

use super::*;

/// A trail with three segments or more, closed.
async fn trail() -> TempDir {
    let folder = TempDir::new().unwrap();
    let options = Options { segment: 900, ..options(folder.path()) };
    let audit = reopen(&options);
    for _ in 0..2 {
        audit.durable(&entry(Decision::Forward)).await.unwrap();
        audit.durable(&denied(Reason::ResourceUnknown)).await.unwrap();
    }
    audit.close().await.unwrap();
    drop(audit);
    drop(reopen(&options));
    let closed = || fs::File::open(folder.path().join("lock")).unwrap().try_lock().is_ok();
    while !closed() {
        std::thread::park_timeout(Duration::from_millis(2));
    }
    folder
}

fn broken(folder: &Path) -> Broken {
    match verify(folder, Some(&seal())) {
        Err(AuditError::Broken(broken)) => broken,
        other => panic!("not found: {other:?}"),
    }
}

#[tokio::test]
async fn every_changed_byte_is_found() {
    let folder = trail().await;
    assert!(verify(folder.path(), Some(&seal())).unwrap().segments >= 3);
    for (path, whole) in contents(folder.path()) {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        for (at, byte) in whole.iter().enumerate() {
            for change in [byte ^ 0x01, b'\n'] {
                if change == *byte {
                    continue;
                }
                file.write_all_at(&[change], at as u64).unwrap();
                let found = broken(folder.path());
                assert!(!found.file.is_empty() && !found.what.is_empty());
            }
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
    }
    verify(folder.path(), Some(&seal())).unwrap();
}

#[tokio::test]
async fn a_cut_at_any_length_and_an_added_byte_are_found() {
    let folder = trail().await;
    for (path, whole) in contents(folder.path()) {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        for length in (0..whole.len()).rev() {
            file.set_len(length as u64).unwrap();
            broken(folder.path());
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for at in (0..=whole.len()).rev().step_by(31) {
            fs::write(&path, [&whole[..at], b"x", &whole[at..]].concat()).unwrap();
            let outcome = verify(folder.path(), Some(&seal()));
            // Behind the last entry of the last segment it is an entry that is being written.
            let behind = at == whole.len() && outcome.as_ref().is_ok_and(|s| s.unfinished == 1);
            assert!(outcome.is_err() || behind, "{name} at {at}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[tokio::test]
async fn lines_that_are_removed_repeated_swapped_or_moved_are_found() {
    let folder = trail().await;
    let files = contents(folder.path());
    let segments: Vec<_> =
        files.iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "jsonl")).collect();
    let lines = |bytes: &[u8]| bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    for (path, whole) in &segments {
        let lines = lines(whole);
        for n in 0..lines.len() {
            let mut removed = lines.clone();
            removed.remove(n);
            let mut repeated = lines.clone();
            repeated.insert(n, lines[n].clone());
            let mut swapped = lines.clone();
            swapped.swap(n, (n + 1) % lines.len());
            for changed in [removed, repeated, swapped] {
                fs::write(path, changed.concat()).unwrap();
                broken(folder.path());
            }
        }
        fs::write(path, whole).unwrap();
    }
    // From the end of one segment to the beginning of the next: the chain alone would not see it.
    for pair in segments.windows(2) {
        let (mut one, mut two) = (lines(&pair[0].1), lines(&pair[1].1));
        two.insert(0, one.pop().unwrap());
        fs::write(&pair[0].0, one.concat()).unwrap();
        fs::write(&pair[1].0, two.concat()).unwrap();
        broken(folder.path());
        fs::write(&pair[0].0, &pair[0].1).unwrap();
        fs::write(&pair[1].0, &pair[1].1).unwrap();
    }
    verify(folder.path(), Some(&seal())).unwrap();
}

#[tokio::test]
async fn missing_files_are_found_and_the_gateway_does_not_go_on() {
    let folder = trail().await;
    for (path, whole) in contents(folder.path()) {
        fs::remove_file(&path).unwrap();
        broken(folder.path());
        let last = path.ends_with("audit-000001.jsonl") || path.ends_with("audit-000002.jsonl");
        if !last {
            let refused = Audit::open(&options(folder.path())).map(|_| ());
            assert!(matches!(refused, Err(AuditError::Broken(_))), "{}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[tokio::test]
async fn a_trail_written_anew_is_found_by_its_seal() {
    let (folder, forged) = (trail().await, TempDir::new().unwrap());
    let other = hmac::Key::new(hmac::HMAC_SHA256, b"the thief's own");
    let options = Options { seal: other, ..options(forged.path()) };
    let audit = reopen(&options);
    audit.durable(&entry(Decision::Forward)).await.unwrap();
    audit.close().await.unwrap();
    for (path, _) in contents(folder.path()) {
        fs::remove_file(path).unwrap();
    }
    for (path, whole) in contents(forged.path()) {
        fs::write(folder.path().join(path.file_name().unwrap()), whole).unwrap();
    }
    assert!(verify(folder.path(), None).is_ok(), "without the key it is a trail like any other");
    assert_eq!(broken(folder.path()).what, "the seal is not of this key");
    assert!(matches!(Audit::open(&super::options(folder.path())), Err(AuditError::Broken(_))));
}
