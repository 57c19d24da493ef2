// Pages without a bundler, which have the package as files.

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { serve } from "../serve.js";
import { app, html } from "./support/app.js";
import { visit, visitTalking } from "./support/world.js";

const PATH = "/node_modules/rejoin/rejoin.js";
const mapped = `<script type="importmap">{ "imports": { "rejoin": "${PATH}" } }</script>`;

const plain = await serve({
  folders: { "/": app() },
  pages: { "/mapped.html": html("/src/index.js", mapped), "/only-error.html": html("/src/only-error.js", mapped) },
});
const byPath = await serve({
  folders: { "/": app({ "worker.html": html("/src/with-worker.js") }, { rename: PATH }) },
});
after(() => Promise.all([plain.close(), byPath.close()]));

test("a page imports the package by its path", async () => {
  const requests = await visitTalking(`${byPath.url}/index.html`);
  assert.equal(requests.filter((url) => url.endsWith("/rejoin.wasm")).length, 1, "it is loaded once");
});

test("a page imports the package by an import map", async () => {
  await visitTalking(`${plain.url}/mapped.html`);
});

test("a module worker imports the package by its path", async () => {
  await visitTalking(`${byPath.url}/worker.html`);
});

test("importing alone does not fetch the WebAssembly", async () => {
  const { reported, complaints, requests, close } = await visit(`${plain.url}/only-error.html`);
  assert.deepEqual(await reported, { isOne: false });
  assert.deepEqual(complaints, []);
  assert.ok(requests.some((url) => url.endsWith("/rejoin.js")));
  assert.deepEqual(requests.filter((url) => url.endsWith(".wasm")), []);
  await close();
});
