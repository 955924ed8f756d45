//! Whatever is sent is parsed or refused.

#![no_main]

mod input;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(Err(error)) = input::request(data) {
        input::assert_refusal(&error);
    }
});
