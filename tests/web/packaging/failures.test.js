// Pages that forbid much, and servers that do not have the WebAssembly as they should.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serve } from "../serve.js";
import { app, html } from "./support/app.js";
import { server, visit, visitTalking } from "./support/world.js";

const PATH = "/node_modules/rejoin/rejoin.js";
const WASM = "/node_modules/rejoin/rejoin.wasm";
const folder = app({ "patient.html": html("/src/patient.js") }, { rename: PATH });
const wasm = readFileSync(join(folder, WASM));

/** Serves the app while `use` runs. */
async function serving(options, use) {
  const pages = await serve({ folders: { "/": folder }, ...options });
  try {
    await use(pages.url);
  } finally {
    await pages.close();
  }
}

function answering(status, type, body) {
  return { [WASM]: (response) => response.writeHead(status, { "Content-Type": type }).end(body) };
}

async function policy(script) {
  const { port } = await server();
  const connect = `'self' ws://127.0.0.1:${port} http://127.0.0.1:${port}`;
  return { "Content-Security-Policy": `default-src 'none'; script-src ${script}; connect-src ${connect}` };
}

/** Sees that the page lives, was told why there is no connection, and that nothing else was raised in it. */
async function failed({ page, reported }, why) {
  const { state, states, failures, unhandled, pending } = await reported;
  assert.equal(failures.length, 1);
  assert.equal(failures[0].attempts, 1);
  assert.equal(failures[0].kind, "unreachable");
  assert.match(failures[0].message, /the WebAssembly of rejoin could not be loaded/);
  assert.match(failures[0].message, why);
  assert.deepEqual({ state, states, unhandled, pending }, { state: "failed", states: ["failed"], unhandled: [], pending: 3 });
  assert.deepEqual(await page.evaluate(() => later()), { state, states, failures, unhandled, pending });
}

/** What a page complains of beside what the browser says by itself of an answer that is none. */
function own(complaints) {
  return complaints.filter((text) => !text.startsWith("console: Failed to load resource"));
}

test("a strict policy that allows WebAssembly is kept", async () => {
  await serving({ headers: await policy("'self' 'wasm-unsafe-eval'") }, async (url) => {
    await visitTalking(`${url}/index.html`);
  });
});

test("under a policy that allows no WebAssembly the client fails and says why", async () => {
  await serving({ headers: await policy("'self'") }, async (url) => {
    const visited = await visit(`${url}/patient.html`);
    await failed(visited, /Content Security Policy/);
    const other = visited.complaints.filter((text) => !/^policy: script-src\S* wasm-eval$|^console: .*Content Security Policy/.test(text));
    assert.deepEqual(other, [], "but the policy's own report");
    await visited.close();
  });
});

test("WebAssembly that is not there is told, and the next connect sends what waited, in order", async () => {
  const answers = answering(404, "text/plain", "not here");
  await serving({ answers }, async (url) => {
    const { got } = await server();
    const before = got.length;
    const visited = await visit(`${url}/patient.html`);
    await failed(visited, /rejoin\.wasm answered 404/);
    assert.equal(got.length, before, "nothing was sent yet");
    delete answers[WASM];
    const { state, failures, unhandled, replies } = await visited.page.evaluate(() => again());
    assert.deepEqual({ state, failures: failures.length, unhandled }, { state: "connected", failures: 1, unhandled: [] });
    assert.deepEqual(replies, [1, 2, 3, 4, 5].map((number) => ["delivered", number]));
    assert.deepEqual(got.slice(before).map(({ args }) => args[0]), [1, 2, 3, 4, 5]);
    assert.deepEqual(own(visited.complaints), []);
    await visited.close();
  });
});

test("a page that is answered in its place is told as such", async () => {
  await serving({ answers: answering(200, "text/html", "<!doctype html>") }, async (url) => {
    const visited = await visit(`${url}/patient.html`);
    await failed(visited, /rejoin\.wasm answered with text\/html, which is no WebAssembly/);
    assert.deepEqual(visited.complaints, []);
    await visited.close();
  });
});

test("another module in its place is told, and nothing is raised", async () => {
  const empty = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await serving({ answers: answering(200, "application/wasm", empty) }, async (url) => {
    const visited = await visit(`${url}/patient.html`);
    await failed(visited, /is not a function/);
    assert.deepEqual(visited.complaints, []);
    await visited.close();
  });
});

for (const type of ["text/plain", "application/octet-stream", "application/wasm; charset=utf-8"]) {
  test(`WebAssembly that is served as ${type} works`, async () => {
    await serving({ answers: answering(200, type, wasm) }, async (url) => {
      await visitTalking(`${url}/index.html`);
    });
  });
}
