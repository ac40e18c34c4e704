use proptest::prelude::*;

use super::*;

fn literal(word: &str, fold: bool) -> Literal {
    let before = ByteSet::of(|b| !b.is_ascii_alphanumeric());
    let beside = if word == ALONE { Beside { before, ..Beside::any() } } else { Beside::any() };
    Literal::new(word.as_bytes(), |_| fold, beside, None)
}

const WORDS: [(&str, bool); 7] = [
    ("sk-", false),
    ("abc", true),
    ("ab", true),
    ("keyword", true),
    ("Key", false),
    ("a-long-literal", false),
    ("://", false),
];

/// Known by the byte before it.
const ALONE: &str = "ing";

fn words() -> Vec<(Literal, Hit)> {
    WORDS
        .iter()
        .filter(|(word, _)| word.len() > 2)
        .zip(0..)
        .map(|((word, fold), n)| (literal(word, *fold), Hit::Literal(n)))
        .collect()
}

fn hits(text: &[u8], from: usize) -> Vec<(usize, String)> {
    let filter = Prefilter::new(words(), DIGIT | AT | COLON);
    let mut hits = Vec::new();
    filter.hits(text, from, |at, hit| hits.push((at, format!("{hit:?}"))));
    hits.sort();
    hits
}

/// The same by looking at every place for every literal.
fn plain(text: &[u8], from: usize) -> Vec<(usize, String)> {
    let mut hits = Vec::new();
    for at in from..text.len() {
        let rest = &text[at..];
        for ((word, fold), n) in WORDS.iter().filter(|(word, _)| word.len() > 2).zip(0_u16..) {
            let word = &word.as_bytes()[..word.len().min(LITERAL_MAX)];
            let same = rest.len() >= word.len()
                && if *fold { rest[..word.len()].eq_ignore_ascii_case(word) } else { rest.starts_with(word) };
            if same && (word != ALONE.as_bytes() || at == 0 || !text[at - 1].is_ascii_alphanumeric()) {
                hits.push((at, format!("{:?}", Hit::Literal(n))));
            }
        }
        let hit = match rest[0] {
            b'0'..=b'9' if at == 0 || !text[at - 1].is_ascii_digit() => Hit::Digits,
            b'@' => Hit::At,
            b':' if rest.get(1).is_none_or(|b| in_ipv6(*b)) => Hit::Colon,
            _ => continue,
        };
        hits.push((at, format!("{hit:?}")));
    }
    hits.sort();
    hits
}

#[test]
fn three_bytes_are_known_by_a_fourth() {
    assert!(literal(ALONE, true).grams().iter().all(|(_, offset)| *offset == -1));
}

#[test]
fn a_literal_is_seen_at_every_place_of_a_block() {
    for at in 0..140 {
        let text = [vec![b'x'; at], b"sk-".to_vec(), vec![b'y'; 3]].concat();
        assert_eq!(hits(&text, 0), plain(&text, 0), "at {at}");
        assert_eq!(hits(&text[..at + 3], 0).len(), 1, "at the end, at {at}");
    }
}

/// What the sieve says of every whole block.
fn sifted(sieve: &Sieve, text: &[u8]) -> Vec<Seen> {
    let mut seen = vec![Seen::default(); text.len() / BLOCK];
    let blocks = sieve.look(text, &mut seen);
    seen.truncate(blocks);
    seen
}

#[test]
fn vectors_are_used_where_there_are_any() {
    #[cfg(target_arch = "x86_64")]
    {
        let there =
            [std::arch::is_x86_feature_detected!("avx2"), std::arch::is_x86_feature_detected!("avx512vbmi")];
        assert_eq!(Sieve::default().ways().len(), there.iter().filter(|there| **there).count());
    }
}

#[test]
fn a_text_shorter_than_a_block_has_no_block() {
    let sieve = Sieve::default();
    for len in 0..BLOCK_BYTES {
        assert_eq!(sieve.look(&vec![b'7'; len], &mut [Seen::default(); 4]), 0, "of {len}");
    }
    assert_eq!(sieve.look(&[b'7'; BLOCK_BYTES], &mut [Seen::default(); 4]), 1);
    assert_eq!(sieve.look(&[b'7'; BLOCK_BYTES + BLOCK], &mut [Seen::default(); 4]), 2);
    assert_eq!(sieve.look(&[b'7'; 10 * BLOCK_BYTES], &mut [Seen::default(); 4]), 4);
}

proptest! {
    #[test]
    fn vectors_say_what_plain_code_says(
        grams in prop::collection::vec(any::<[u8; 4]>(), 0..300),
        text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'@'), Just(b':'), b'/'..=b':'], 0..600),
        take in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        places in 0_u32..=64,
    ) {
        let mut sieve = Sieve::default();
        let known = take.iter().filter(|_| text.len() > 4).map(|at| {
            let at = at.index(text.len() - 3);
            [text[at], text[at + 1], text[at + 2], text[at + 3]]
        });
        for gram in grams.iter().copied().chain(known.clone()) {
            sieve.add(u32::from_le_bytes(gram) | FOLD);
        }
        let wide = sifted(&sieve, &text);
        let mut narrow = wide.clone();
        sieve.narrow(&text, &mut narrow);
        for way in sieve.ways() {
            prop_assert_eq!(&sifted(&way, &text), &narrow);
            for (index, seen) in narrow.iter().enumerate() {
                let block = text[index * BLOCK..].first_chunk().unwrap();
                let asked = 1_u64.checked_shl(places).unwrap_or(0).wrapping_sub(1);
                let part = way.part(block, places as usize);
                prop_assert_eq!(part, Seen { grams: seen.grams & asked, ..*seen });
            }
        }
        for at in (0..wide.len() * BLOCK).filter(|at| known.clone().any(|gram| text[*at..].starts_with(&gram))) {
            prop_assert!(wide[at / BLOCK].grams >> (at % BLOCK) & 1 == 1, "missed at {at}");
        }
    }

    #[test]
    fn everything_is_seen_once(parts in prop::collection::vec(prop::sample::select(vec![
        "sk-", "SK-", "abC", "ABc", "keyWord", "Key", "a-long-literal", "://", "a-long-", "1", "23", "@", ":", ":a", "ing", "Ing",  " ", "x", "é", "\0",
    ]), 0..60), from in 0_usize..40) {
        let text = parts.concat().into_bytes();
        let from = from.min(text.len());
        prop_assert_eq!(hits(&text, from), plain(&text, from));
    }

    #[test]
    fn any_bytes_are_fine(text in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(hits(&text, 0), plain(&text, 0));
    }
}
