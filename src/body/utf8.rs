//! UTF-8 over pieces: a character may be cut anywhere.

/// Checks that a text in pieces is valid UTF-8. Holds at most three bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Utf8 {
    cut: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Takes the next piece. Returns how many of its bytes stand before the first error: all of them if there is none.
    pub(crate) fn push(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while self.len > 0 {
            let Some(&byte) = piece.get(at) else { return piece.len() };
            let Some(slot) = self.cut.get_mut(self.len) else { return at };
            *slot = byte;
            match state_of(&self.cut[..=self.len]) {
                State::Whole => self.len = 0,
                State::Cut => self.len += 1,
                State::Wrong => return at,
            }
            at += 1;
        }
        let rest = &piece[at..];
        if simdutf8::basic::from_utf8(rest).is_ok() {
            return piece.len();
        }
        match simdutf8::compat::from_utf8(rest) {
            Ok(_) => piece.len(),
            Err(error) => {
                let valid = error.valid_up_to();
                let tail = &rest[valid..];
                if error.error_len().is_some() || tail.len() >= self.cut.len() {
                    return at + valid;
                }
                self.cut[..tail.len()].copy_from_slice(tail);
                self.len = tail.len();
                piece.len()
            }
        }
    }

    /// Whether the text may end here.
    pub(crate) const fn is_whole(&self) -> bool {
        self.len == 0
    }
}

enum State {
    Whole,
    Cut,
    Wrong,
}

fn state_of(bytes: &[u8]) -> State {
    match std::str::from_utf8(bytes) {
        Ok(_) => State::Whole,
        Err(error) if error.error_len().is_none() => State::Cut,
        Err(_) => State::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Utf8;

    /// Where the first error is, by the standard library, with an error at the end for a cut character.
    fn expected(bytes: &[u8]) -> (bool, bool) {
        match std::str::from_utf8(bytes) {
            Ok(_) => (true, true),
            Err(error) => (error.error_len().is_none(), false),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library_for_every_cut(
            text in prop_oneof![
                any::<Vec<u8>>(),
                any::<String>().prop_map(String::into_bytes),
                (any::<String>(), any::<Vec<u8>>()).prop_map(|(a, b)| [a.into_bytes(), b].concat()),
            ],
            sizes in prop::collection::vec(1_usize..5, 1..20),
        ) {
            let mut check = Utf8::default();
            let (mut rest, mut ok, mut sizes) = (text.as_slice(), true, sizes.iter().cycle());
            while !rest.is_empty() && ok {
                let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                ok = check.push(piece) == piece.len();
                rest = after;
            }
            let (no_error, whole) = expected(&text);
            prop_assert_eq!(ok, no_error);
            if ok {
                prop_assert_eq!(check.is_whole(), whole);
            }
        }
    }
}
