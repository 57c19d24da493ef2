//! The client for WebAssembly, as the TypeScript in `js/` calls it. It converts and holds no logic.
//!
//! - [`Settings`] (`settings`): what a client is made with.
//! - [`Link`] (`link`): one client and its sockets. `chat`: the chat layer's methods.
//! - `border`: what happens, as JSON text, a batch at a time. `errors`: errors, as codes and what belongs to them: their
//!   sentences stand in TypeScript.
//!
//! Numbers cross as doubles, which hold every integer up to 2^53; payloads as JSON text, which the browser itself reads and
//! writes; binary as `Uint8Array`.

mod border;
mod chat;
mod errors;
mod link;
mod settings;

use js_sys::Function;
use wasm_bindgen::prelude::*;

pub use link::Link;
pub use settings::Settings;

/// Tells `hear` of a panic, before it ends the instance: that is a bug in here.
#[wasm_bindgen]
pub fn on_panic(hear: Function) {
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        let _ = hear.call1(&JsValue::UNDEFINED, &text.into());
    }));
}

/// A fifth of the code of the standard library's, for the same work.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
