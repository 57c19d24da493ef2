// webpack, with an empty configuration and with what apps change most.

import { test } from "node:test";
import assert from "node:assert/strict";
import { serve } from "../serve.js";
import { app, files } from "./support/app.js";
import { visitTalking } from "./support/world.js";
import { bundle } from "./support/webpack.js";

const folder = app();

/** Serves what was bundled, under a path, with a page at the root, and sees that it talks. */
async function talks(output, at) {
  const page = `<!doctype html><title>app</title><script src="${at}main.js" defer></script>`;
  const server = await serve({ folders: { [at]: output }, pages: { "/page.html": page } });
  try {
    return await visitTalking(`${server.url}/page.html`);
  } finally {
    await server.close();
  }
}

test("with an empty configuration the WebAssembly becomes a file of its own", async () => {
  const output = await bundle(folder, "dist");
  assert.deepEqual(files(output).map((path) => path.replace(/^[0-9a-f]{20}\./, "hash.")), ["hash.wasm", "main.js"]);
  await talks(output, "/anywhere/");
});

test("it is found under another public path", async () => {
  const output = await bundle(folder, "public", { output: { publicPath: "/app/assets/" } });
  const requests = await talks(output, "/app/assets/");
  assert.equal(requests.filter((url) => /\/app\/assets\/[0-9a-f]+\.wasm$/.test(url)).length, 1);
});

test("it works in a module worker", async () => {
  const output = await bundle(folder, "worker", { entry: "./src/with-worker.js" });
  await talks(output, "/");
});
