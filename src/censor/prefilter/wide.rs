//! The sieve by vectors of 512 bits (AVX-512) or 256 (AVX2): sixteen or eight places at once. The only unsafe code of the
//! program.
//!
//! What it needs: that the processor has them, which [`Wide::detect`] asks once and a [`Wide`] proves, and that no load
//! passes the end of its slice, which [`Wide::look`] checks before it calls. What eight places bring is in
//! `docs/benchmarks.md`; what sixteen bring beside them was not timed.

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
        _mm256_srli_epi32, _mm256_srlv_epi32, _mm512_castsi256_si512, _mm512_cmpeq_epi8_mask,
        _mm512_cmplt_epu8_mask, _mm512_i32gather_epi32, _mm512_loadu_si512, _mm512_mullo_epi32,
        _mm512_or_si512, _mm512_permutexvar_epi8, _mm512_rorv_epi32, _mm512_set1_epi8, _mm512_set1_epi32,
        _mm512_srli_epi32, _mm512_sub_epi8, _mm512_ternarylogic_epi32, _mm512_test_epi32_mask,
    };

    use crate::censor::prefilter::FOLD;
    use crate::censor::prefilter::sieve::{
        BLOCK, BLOCK_BYTES, FACTOR, FIRST, SECOND, Seen, THIRD, WORD_BITS,
    };

    type Words = [u32; 1 << WORD_BITS];

    /// Proves that the processor has the vectors that it names.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::censor::prefilter) struct Wide(Vectors);

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Vectors {
        /// AVX2: eight places at once.
        Eight,
        /// AVX-512 F, BW and VBMI: sixteen.
        Sixteen,
    }

    impl Wide {
        /// The widest that it has.
        pub(in crate::censor::prefilter) fn detect() -> Option<Self> {
            Self::sixteen().or_else(Self::eight)
        }

        /// All that it has.
        #[cfg(test)]
        pub(in crate::censor::prefilter) fn all() -> Vec<Self> {
            [Self::eight(), Self::sixteen()].into_iter().flatten().collect()
        }

        fn eight() -> Option<Self> {
            std::arch::is_x86_feature_detected!("avx2").then_some(Self(Vectors::Eight))
        }

        fn sixteen() -> Option<Self> {
            let there = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vbmi");
            there.then_some(Self(Vectors::Sixteen))
        }

        /// Looks at so many blocks as `seen` has places; the text has all of their bytes, or nothing happens.
        #[inline]
        pub(in crate::censor::prefilter) fn look(self, words: &Words, text: &[u8], seen: &mut [Seen]) {
            if seen.is_empty() || text.len() < (seen.len() - 1) * BLOCK + BLOCK_BYTES {
                return;
            }
            // SAFETY: `self` proves the vectors. The text was just measured.
            unsafe {
                match self.0 {
                    Vectors::Eight => look_by_eight(words, text, seen),
                    Vectors::Sixteen => look_by_sixteen(words, text, seen),
                }
            }
        }

        /// Looks at the first places of a block; no gram is seen at the others.
        #[inline]
        pub(in crate::censor::prefilter) fn part(
            self,
            words: &Words,
            block: &[u8; BLOCK_BYTES],
            places: usize,
        ) -> Seen {
            let places = places.min(BLOCK);
            // SAFETY: `self` proves the vectors. The block has its bytes, and no more places are looked at than it has.
            let seen = unsafe {
                match self.0 {
                    Vectors::Eight => by_eight(words, block.as_ptr(), places.div_ceil(8)),
                    Vectors::Sixteen => by_sixteen(words, block.as_ptr(), places.div_ceil(16)),
                }
            };
            let asked = if places == 0 { 0 } else { u64::MAX >> (BLOCK - places) };
            Seen { grams: seen.grams & asked, ..seen }
        }
    }

    /// # Safety
    /// The processor has AVX2; the text has `BLOCK_BYTES` from the start of each of `seen`'s blocks on.
    #[target_feature(enable = "avx2")]
    unsafe fn look_by_eight(words: &Words, text: &[u8], seen: &mut [Seen]) {
        for (index, seen) in seen.iter_mut().enumerate() {
            // SAFETY: the block's bytes are there.
            *seen = unsafe { by_eight(words, text.as_ptr().add(index * BLOCK), BLOCK / 8) };
        }
    }

    /// # Safety
    /// The processor has the vectors; the text has `BLOCK_BYTES` from the start of each of `seen`'s blocks on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn look_by_sixteen(words: &Words, text: &[u8], seen: &mut [Seen]) {
        for (index, seen) in seen.iter_mut().enumerate() {
            // SAFETY: the block's bytes are there.
            *seen = unsafe { by_sixteen(words, text.as_ptr().add(index * BLOCK), BLOCK / 16) };
        }
    }

    /// Of each of sixteen places in 32 bytes, the four bytes from there on.
    const WINDOWS: [u8; 64] = {
        let mut windows = [0; 64];
        let mut at = 0;
        while at < 64 {
            windows[at] = (at / 4 + at % 4) as u8;
            at += 1;
        }
        windows
    };

    /// # Safety
    /// The processor has the vectors; `block` points to `BLOCK_BYTES` bytes; a block has so many groups of 16 places.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn by_sixteen(words: &Words, block: *const u8, groups: usize) -> Seen {
        // SAFETY: both are 64 bytes long at least.
        let (windows, bytes) =
            unsafe { (_mm512_loadu_si512(WINDOWS.as_ptr().cast()), _mm512_loadu_si512(block.cast())) };
        let mut grams = 0;
        for group in 0..groups {
            // SAFETY: 32 bytes from the group's first place on end within the block's bytes: 48 + 32 = 80.
            let near = unsafe { _mm256_loadu_si256(block.add(16 * group).cast()) };
            let sixteen = _mm512_permutexvar_epi8(windows, _mm512_castsi256_si512(near));
            let folded = _mm512_or_si512(sixteen, _mm512_set1_epi32(FOLD.cast_signed()));
            let hash = _mm512_mullo_epi32(folded, _mm512_set1_epi32(FACTOR.cast_signed()));
            let index = _mm512_srli_epi32::<{ 32 - WORD_BITS }>(hash);
            // SAFETY: an index has `WORD_BITS` bits, so it is one of the table's words.
            let word = unsafe { _mm512_i32gather_epi32::<4>(index, words.as_ptr().cast()) };
            // A rotation looks at the lowest five bits of its number alone.
            let first = _mm512_rorv_epi32(word, _mm512_srli_epi32::<FIRST>(hash));
            let second = _mm512_rorv_epi32(word, _mm512_srli_epi32::<SECOND>(hash));
            let third = _mm512_rorv_epi32(word, _mm512_srli_epi32::<THIRD>(hash));
            let all = _mm512_ternarylogic_epi32::<0x80>(first, second, third);
            grams |= u64::from(_mm512_test_epi32_mask(all, _mm512_set1_epi32(1))) << (16 * group);
        }
        let above = _mm512_sub_epi8(bytes, _mm512_set1_epi8(b'0'.cast_signed()));
        let at = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'@'.cast_signed()));
        let colon = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b':'.cast_signed()));
        Seen { grams, digits: _mm512_cmplt_epu8_mask(above, _mm512_set1_epi8(10)), signs: at | colon }
    }

    /// # Safety
    /// The processor has AVX2; `block` points to `BLOCK_BYTES` bytes; a block has so many groups of 8 places.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn by_eight(words: &Words, block: *const u8, groups: usize) -> Seen {
        let windows = _mm256_setr_epi8(
            0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10,
        );
        let mut grams = 0;
        for group in 0..groups {
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
        Seen { grams, digits: join(digits(low), digits(high)), signs: join(signs(low), signs(high)) }
    }

    /// One bit for each of eight places.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight_places(words: &Words, eight: __m256i) -> u64 {
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
    use crate::censor::prefilter::sieve::{BLOCK_BYTES, Seen, WORD_BITS};

    /// No such vectors here.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::censor::prefilter) enum Wide {}

    impl Wide {
        pub(in crate::censor::prefilter) const fn detect() -> Option<Self> {
            None
        }

        #[cfg(test)]
        pub(in crate::censor::prefilter) const fn all() -> Vec<Self> {
            Vec::new()
        }

        pub(in crate::censor::prefilter) fn look(self, _: &[u32; 1 << WORD_BITS], _: &[u8], _: &mut [Seen]) {
            match self {}
        }

        pub(in crate::censor::prefilter) fn part(
            self,
            _: &[u32; 1 << WORD_BITS],
            _: &[u8; BLOCK_BYTES],
            _: usize,
        ) -> Seen {
            match self {}
        }
    }
}
