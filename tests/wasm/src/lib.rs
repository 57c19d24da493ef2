//! What makes `#[test]` run in a browser.
//!
//! Rust's own is not seen by wasm-bindgen's test runner. A crate that takes this one in by `#[macro_use] extern crate`
//! has the runner's in all its modules, in `proptest!` too, because what that brings comes before what the standard
//! library brings. So the same tests run natively and in a browser, and none has to say so.

#[cfg(target_arch = "wasm32")]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
