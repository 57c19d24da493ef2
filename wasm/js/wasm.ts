// The WebAssembly behind it all: loaded once, when the first client is made or when the app asks for it.

import { initSync, on_panic } from "./glue/rejoin.js";
import { said } from "./errors.js";

/** Where the WebAssembly comes from: its address, an answer of `fetch`, its bytes, or a compiled module. */
export type WasmSource = string | URL | Response | PromiseLike<Response> | BufferSource | WebAssembly.Module;

/** What the WebAssembly has in memory; a new view where it has grown. */
let memory: WebAssembly.Memory;
let bytes = new Uint8Array();

/** A short ASCII text that stands there. So few letters are made a string faster so than by a decoder. */
export function asciiAt(at: number, length: number): string {
  if (bytes.length === 0) bytes = new Uint8Array(memory.buffer);
  return String.fromCharCode.apply(null, bytes.subarray(at, at + length) as unknown as number[]);
}

let loading: Promise<void> | undefined;
let loaded = false;
let panicked: (text: string) => void = () => {};

/** Whether clients can be made at once. */
export function isLoaded(): boolean {
  return loaded;
}

/** Is told when the WebAssembly has died, which is a bug in it. */
export function onPanic(callback: (text: string) => void): void {
  panicked = callback;
}

/**
 * Loads the WebAssembly, if it is not loaded yet. Clients do so by themselves; call it to have it done sooner, or to say
 * where it is: by default `rejoin.wasm` beside this script. It has to be said before the first client is made. Rejects if it
 * cannot be loaded; calling it again tries again.
 */
export function load(source?: WasmSource): Promise<void> {
  loading ??= start(source).catch((thrown) => {
    loading = undefined;
    throw new Error(`the WebAssembly of rejoin could not be loaded: ${said(thrown)}`, { cause: thrown });
  });
  return loading;
}

// In here, because without `import.meta`, as in a script that is no module, there is no such address.
async function start(source: WasmSource = new URL("./rejoin.wasm", import.meta.url)): Promise<void> {
  ({ memory } = initSync({ module: await compile(source) }));
  on_panic((text: string) => panicked(text));
  loaded = true;
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (typeof source === "string" || source instanceof URL) {
    const file = readFile(source);
    if (file !== undefined) return WebAssembly.compile(file);
    return compileAnswer(await fetch(source));
  }
  return compileAnswer(await source);
}

async function compileAnswer(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  // Streaming needs exactly `application/wasm`, which not every server knows.
  const type = response.headers.get("content-type");
  if (type?.toLowerCase() === "application/wasm") return WebAssembly.compileStreaming(response);
  const module = await response.arrayBuffer();
  // A server of a single-page app answers with the page to any path that it does not know.
  if (new Uint8Array(module)[0] !== 0) throw new Error(`${response.url} answered with ${type}, which is no WebAssembly`);
  return WebAssembly.compile(module);
}

/** Node's `fetch` reads no files. Not by `import`, which bundlers would look at. */
function readFile(source: string | URL): BufferSource | undefined {
  const node = (globalThis as { process?: { getBuiltinModule?(name: string): any } }).process;
  if (!String(source).startsWith("file:")) return undefined;
  return node?.getBuiltinModule?.("node:fs").readFileSync(new URL(source));
}
