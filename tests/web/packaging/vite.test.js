// Vite, as it is without any configuration, and with what apps change most.

import { after, test } from "node:test";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build, createServer } from "vite";
import { serve } from "../serve.js";
import { app, files, html, workspace } from "./support/app.js";
import { visitTalking } from "./support/world.js";

const folder = app({ "worker.html": html("/src/with-worker.js") });
const quiet = { configFile: false, logLevel: "warn" };

const closing = [];
after(() => Promise.all(closing.map((server) => server.close())));

/** Builds a page and serves what was built, under `base`. */
async function built(page, { base = "/", at = base } = {}) {
  const outDir = join(folder, `dist-${closing.length}`);
  await build({ ...quiet, root: folder, base, build: { outDir, rolldownOptions: { input: join(folder, page) } } });
  const server = await serve({ folders: { [at]: outDir } });
  closing.push(server);
  return { url: `${server.url}${at}${page}`, outDir };
}

/** Starts the server for development. */
async function developed(root, config = {}) {
  // As a newcomer has it: nothing is optimized yet.
  rmSync(join(root, "node_modules/.vite"), { recursive: true, force: true });
  const server = await createServer({ ...quiet, ...config, root, server: { host: "127.0.0.1", port: 0 } });
  closing.push(server);
  await server.listen();
  return `http://127.0.0.1:${server.httpServer.address().port}`;
}

function optimized(requests) {
  return requests.some((url) => url.includes("/.vite/deps/rejoin.js"));
}

test("a build has the WebAssembly as a file of its own, with a hash in its name", async () => {
  const { url, outDir } = await built("index.html");
  await visitTalking(url);
  assert.equal(files(outDir).filter((path) => /^assets\/rejoin-[\w-]{8}\.wasm$/.test(path)).length, 1);
});

test("a build finds the WebAssembly under another base", async () => {
  await visitTalking((await built("index.html", { base: "/deep/app/" })).url);
});

test("a build finds the WebAssembly wherever it is put, where its base is relative", async () => {
  await visitTalking((await built("index.html", { base: "./", at: "/some/where/" })).url);
});

test("a build with a module worker works", async () => {
  await visitTalking((await built("worker.html")).url);
});

test("the server for development needs no configuration", async () => {
  const url = await developed(folder);
  assert.ok(optimized(await visitTalking(`${url}/index.html`)), "with the package optimized");
  assert.ok(optimized(await visitTalking(`${url}/worker.html`)), "in a worker too");
});

test("the server for development works in a workspace, whose packages are installed further up", async () => {
  const url = await developed(workspace());
  assert.ok(optimized(await visitTalking(`${url}/index.html`)));
});

test("the server for development works with the package excluded from its optimizer, as older ones need it", async () => {
  const url = await developed(folder, { optimizeDeps: { exclude: ["rejoin"] } });
  assert.ok(!optimized(await visitTalking(`${url}/index.html`)));
});
