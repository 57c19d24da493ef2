// esbuild, which leaves `new URL("./rejoin.wasm", import.meta.url)` as it is.

import { test } from "node:test";
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { serve } from "../serve.js";
import { app, html } from "./support/app.js";
import { visit, visitTalking } from "./support/world.js";

// Imports come first, wherever they stand: what has to be before a client is made needs a module of its own.
const folder = app({
  "src/loading.js": 'import "./wasm.js"; import "./index.js";',
  "src/wasm.js": 'import { load } from "rejoin"; import wasm from "rejoin/rejoin.wasm"; load(wasm);',
});

/** Bundles into a folder, with a page at its root that has the script in `assets`. */
async function bundle(name, entry, options) {
  const output = join(folder, name);
  const entryPoints = { app: join(folder, entry) };
  await build({ absWorkingDir: folder, entryPoints, outdir: join(output, "assets"), bundle: true, logLevel: "error", ...options });
  return output;
}

async function serving(output, use) {
  const server = await serve({ folders: { "/": output }, pages: { "/": html("/assets/app.js") } });
  try {
    await use(server.url);
  } finally {
    await server.close();
  }
}

test("an ES module finds the WebAssembly that was copied beside it", async () => {
  const output = await bundle("copied", "src/index.js", { format: "esm", minify: true });
  copyFileSync(join(folder, "node_modules/rejoin/rejoin.wasm"), join(output, "assets/rejoin.wasm"));
  await serving(output, visitTalking);
});

test("any format works with the loader `file` and load()", async () => {
  const output = await bundle("loaded", "src/loading.js", {
    format: "iife",
    loader: { ".wasm": "file" },
    publicPath: "/assets/",
    logOverride: { "empty-import-meta": "silent" },
  });
  await serving(output, visitTalking);
});

test("a script that is no module and was not told where the WebAssembly is fails as if there were none", async () => {
  const output = await bundle("lost", "src/patient.js", { format: "iife", logOverride: { "empty-import-meta": "silent" } });
  await serving(output, async (url) => {
    const { reported, complaints, close } = await visit(url);
    const { state, failures, unhandled } = await reported;
    assert.deepEqual({ state, unhandled, complaints }, { state: "failed", unhandled: [], complaints: [] });
    assert.match(failures[0].message, /the WebAssembly of rejoin could not be loaded/);
    await close();
  });
});
