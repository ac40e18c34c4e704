use proptest::prelude::*;

use super::{SpoolBudget, Spooled, Spools};
use crate::reason::Reason;

fn read(spooled: &mut Spooled) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let before = all.len();
        if !spooled.read(&mut all).unwrap() {
            return all;
        }
        assert!(all.len() - before <= 400 * 1024 && all.len() > before);
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 256) as u8).collect()
}

#[test]
fn what_goes_in_comes_out_more_than_once() {
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_003] {
        for memory in [0, 100_000, 2_000_000] {
            let spools = Spools::new(SpoolBudget::new(2_000_000), memory, folder.path().to_owned());
            let mut spool = spools.open();
            for piece in bytes(length).chunks(7001) {
                spool.push(piece).unwrap();
                assert!(spool.held() <= memory.max(64 * 1024) + 7001);
            }
            assert_eq!((spool.len(), spools.budget().used()), (length as u64, length as u64));
            let mut spooled = spool.into_reader();
            assert!(read(&mut spooled) == bytes(length));
            assert!(read(&mut spooled).is_empty());
            spooled.rewind();
            assert!(read(&mut spooled) == bytes(length), "{length} {memory}");
            drop(spooled);
            assert_eq!(spools.budget().used(), 0);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has a name");
        }
    }
}

#[test]
fn the_budget_is_shared() {
    let spools = Spools::new(SpoolBudget::new(100), 0, std::env::temp_dir());
    let (mut a, mut b) = (spools.open(), spools.open());
    a.push(&[0; 60]).unwrap();
    b.push(&[0; 40]).unwrap();
    assert_eq!(b.push(&[0; 1]).unwrap_err().reason, Reason::SpoolFull);
    drop(a);
    b.push(&[0; 60]).unwrap();
    assert_eq!(spools.budget().used(), 100);
    assert_eq!(spools.budget().total(), 100);
    drop(b);
    assert_eq!(spools.budget().used(), 0);
}

/// One tenant's uploads took all of the budget, and everybody else's bodies were refused.
#[test]
fn nobody_takes_more_than_a_share() {
    let spools = Spools::new(SpoolBudget::new(100), 0, std::env::temp_dir());
    let share = SpoolBudget::new(60);
    let (one, other) = (spools.within(share.clone()), spools.within(SpoolBudget::new(60)));
    let (mut a, mut b, mut c) = (one.open(), one.open(), other.open());
    a.push(&[0; 40]).unwrap();
    assert_eq!(b.push(&[0; 21]).unwrap_err().reason, Reason::TenantOverLimit);
    b.push(&[0; 20]).unwrap();
    c.push(&[0; 40]).unwrap();
    // What was refused for want of budget counts for nobody.
    assert_eq!(c.push(&[0; 1]).unwrap_err().reason, Reason::SpoolFull);
    drop(a);
    c.push(&[0; 20]).unwrap();
    assert_eq!((share.used(), spools.budget().used()), (20, 80));
    // Another limit of the same share counts what is in use.
    let mut d = spools.within(share.limited_to(25)).open();
    assert_eq!(d.push(&[0; 6]).unwrap_err().reason, Reason::TenantOverLimit);
    drop((b, c, d));
    assert_eq!((share.used(), spools.budget().used()), (0, 0));
}

/// 800 parts of 255 KiB stayed in memory, each below the threshold of its own.
#[test]
fn spools_in_a_file_keep_nothing_in_memory() {
    let spools = Spools::new(SpoolBudget::new(1 << 28), 1 << 20, std::env::temp_dir());
    let file = spools.file().unwrap();
    let part = |seed: usize, length: usize| {
        let mut spool = spools.open_in(&file);
        let bytes: Vec<u8> = bytes(length).into_iter().map(|byte| byte ^ seed as u8).collect();
        for piece in bytes.chunks(9001) {
            spool.push(piece).unwrap();
            assert!(spool.held() < 64 * 1024 + 9001);
        }
        spool.seal().unwrap();
        assert_eq!(spool.held(), 0);
        (spool, bytes)
    };
    let lengths = [255 << 10, 1, 0, 65_536, 200_001, 131_072];
    let mut parts: Vec<_> = lengths.into_iter().enumerate().map(|(at, length)| part(at, length)).collect();
    // The room of what is given up is taken again, under another nonce.
    let size = || file.0.file().metadata().unwrap().len();
    let before = size();
    for round in 0..5 {
        parts.remove(0);
        parts.push(part(40 + round, 60_000));
    }
    assert!(size() <= before + 65_552, "{} and {before}", size());
    let (spools, expected): (Vec<_>, Vec<_>) =
        parts.into_iter().map(|(spool, bytes)| (std::sync::Arc::new(spool), bytes)).unzip();
    for _ in 0..2 {
        let mut all = Vec::new();
        let mut reader = super::InOrder::new(spools.clone());
        while reader.read(&mut all).unwrap() {}
        assert!(all == expected.concat());
    }
}

#[test]
fn a_folder_that_is_not_there_is_no_room() {
    let spools = Spools::new(SpoolBudget::new(1 << 20), 0, "/nonexistent/folder".into());
    let mut spool = spools.open();
    assert_eq!(spool.push(&[0; 100_000]).unwrap_err().reason, Reason::SpoolFull);
}

#[test]
fn the_file_holds_nothing_in_clear_and_is_noticed_when_changed() {
    use std::os::unix::fs::FileExt;
    let spools = Spools::new(SpoolBudget::new(1 << 20), 0, std::env::temp_dir());
    let mut spool = spools.open();
    spool.push(&b"plain text ".repeat(20_000)).unwrap();
    let mut spooled = spool.into_reader();
    let file = spooled.spool.file.as_ref().unwrap().file();
    let mut raw = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut raw, 0).unwrap();
    assert!(raw.len() > 190_000 && memchr::memmem::find(&raw, b"plain").is_none());
    file.write_all_at(&[raw[70_000] ^ 1], 70_000).unwrap();
    let mut out = Vec::new();
    assert_eq!(spooled.read(&mut out).unwrap_err().reason, Reason::Internal);
    assert_eq!(out.len(), 65_536, "what was opened before the change, and nothing of the rest");
}

proptest! {
    #[test]
    fn any_pieces_come_out_as_one(pieces in prop::collection::vec(0_usize..90_000, 0..12), memory in 0_usize..200_000) {
        let spools = Spools::new(SpoolBudget::new(1 << 22), memory, std::env::temp_dir());
        let mut spool = spools.open();
        let mut all = Vec::new();
        for (at, length) in pieces.into_iter().enumerate() {
            let piece = vec![at as u8; length];
            spool.push(&piece).unwrap();
            all.extend(piece);
        }
        prop_assert!(read(&mut spool.into_reader()) == all);
    }
}
