//! The sieve by vectors of 256 bits (AVX2): eight places at once. The only unsafe code of the program.
//!
//! What it needs: that the processor has AVX2, which [`Wide::detect`] asks once and a [`Wide`] proves, and that no load
//! passes the end of its slice, which [`Wide::look`] checks before it calls. What it brings is in `docs/benchmarks.md`.

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Wide;

#[cfg(not(target_arch = "x86_64"))]
pub(super) use other::Wide;

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "loads from slices and gathers have no safe form")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256,
        _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_i32gather_epi32,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_movemask_ps, _mm256_mullo_epi32, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_slli_epi32,
        _mm256_srli_epi32, _mm256_srlv_epi32,
    };

    use crate::censor::prefilter::FOLD;
    use crate::censor::prefilter::sieve::{
        BLOCK, BLOCK_BYTES, FACTOR, FIRST, SECOND, Seen, THIRD, WORD_BITS,
    };

    /// Proves that the processor has AVX2.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::censor::prefilter) struct Wide(());

    impl Wide {
        /// If the processor has it.
        pub(in crate::censor::prefilter) fn detect() -> Option<Self> {
            std::arch::is_x86_feature_detected!("avx2").then_some(Self(()))
        }

        /// Looks at so many blocks as `seen` has places; the text has all of their bytes, or nothing happens.
        #[inline]
        pub(in crate::censor::prefilter) fn look(
            self,
            words: &[u32; 1 << WORD_BITS],
            text: &[u8],
            seen: &mut [Seen],
        ) {
            if seen.is_empty() || text.len() < (seen.len() - 1) * BLOCK + BLOCK_BYTES {
                return;
            }
            // SAFETY: `self` proves AVX2. The text was just measured.
            unsafe { look(words, text, seen) }
        }
    }

    /// # Safety
    /// The processor has AVX2; the text has `BLOCK_BYTES` from the start of each of `seen`'s blocks on.
    #[target_feature(enable = "avx2")]
    unsafe fn look(words: &[u32; 1 << WORD_BITS], text: &[u8], seen: &mut [Seen]) {
        let windows = _mm256_setr_epi8(
            0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10,
        );
        for (index, seen) in seen.iter_mut().enumerate() {
            // SAFETY: the block's bytes are there.
            let block = unsafe { text.as_ptr().add(index * BLOCK) };
            let mut grams = 0;
            for group in 0..BLOCK / 8 {
                // SAFETY: 16 bytes from the group's first place on end within the block's bytes: 56 + 16 = 72.
                let bytes = unsafe { _mm_loadu_si128(block.add(8 * group).cast()) };
                let eight = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), windows);
                // SAFETY: AVX2 is there, and the table has a word for each index.
                grams |= unsafe { eight_places(words, eight) } << (8 * group);
            }
            // SAFETY: a block has 64 bytes.
            let (low, high) =
                unsafe { (_mm256_loadu_si256(block.cast()), _mm256_loadu_si256(block.add(32).cast())) };
            let join =
                |low: i32, high: i32| u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32;
            *seen =
                Seen { grams, digits: join(digits(low), digits(high)), signs: join(signs(low), signs(high)) };
        }
    }

    /// One bit for each of eight places.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight_places(words: &[u32; 1 << WORD_BITS], eight: __m256i) -> u64 {
        let folded = _mm256_or_si256(eight, _mm256_set1_epi32(FOLD.cast_signed()));
        let hash = _mm256_mullo_epi32(folded, _mm256_set1_epi32(FACTOR.cast_signed()));
        let index = _mm256_srli_epi32::<{ (32 - WORD_BITS).cast_signed() }>(hash);
        // SAFETY: an index has `WORD_BITS` bits, so it is one of the table's words.
        let word = unsafe { _mm256_i32gather_epi32::<4>(words.as_ptr().cast(), index) };
        let low = _mm256_set1_epi32(31);
        let first = _mm256_and_si256(_mm256_srli_epi32::<{ FIRST.cast_signed() }>(hash), low);
        let second = _mm256_and_si256(_mm256_srli_epi32::<{ SECOND.cast_signed() }>(hash), low);
        let third = _mm256_and_si256(_mm256_srli_epi32::<{ THIRD.cast_signed() }>(hash), low);
        let two = _mm256_and_si256(_mm256_srlv_epi32(word, first), _mm256_srlv_epi32(word, second));
        let all = _mm256_and_si256(two, _mm256_srlv_epi32(word, third));
        let mask = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32::<31>(all)));
        u64::from(mask.cast_unsigned())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn digits(bytes: __m256i) -> i32 {
        // Signed comparison: what lies above the digits is lifted past the largest number first.
        let lifted = _mm256_add_epi8(bytes, _mm256_set1_epi8(127 - b'9'.cast_signed()));
        _mm256_movemask_epi8(_mm256_cmpgt_epi8(lifted, _mm256_set1_epi8(127 - 10)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn signs(bytes: __m256i) -> i32 {
        let at = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'@'.cast_signed()));
        let colon = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b':'.cast_signed()));
        _mm256_movemask_epi8(_mm256_or_si256(at, colon))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod other {
    use crate::censor::prefilter::sieve::{Seen, WORD_BITS};

    /// No such vectors here.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::censor::prefilter) enum Wide {}

    impl Wide {
        pub(in crate::censor::prefilter) const fn detect() -> Option<Self> {
            None
        }

        pub(in crate::censor::prefilter) fn look(self, _: &[u32; 1 << WORD_BITS], _: &[u8], _: &mut [Seen]) {
            match self {}
        }
    }
}
