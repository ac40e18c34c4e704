#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| consentry_fuzz::container::run(data));
