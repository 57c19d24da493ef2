// What becomes of a page's clients when the WebAssembly dies, by a bug or because its memory is used up.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

/**
 * Nothing that an app can do is known to make it panic. So an export that is named in `bomb` is called with a socket that
 * there is not, which is a real panic behind it.
 */
function armed() {
  globalThis.bomb = "";
  const Real = WebAssembly.Instance;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Real(module, imports);
    const wrap = ([name, value]) => {
      if (typeof value !== "function") return [name, value];
      return [name, (link, socket, ...more) => value(link, bomb === name ? 9_999 : socket, ...more)];
    };
    return { exports: Object.fromEntries(Object.entries(exports).map(wrap)) };
  };
}

/** Has memory end at some size: a module is a list of sections, and the fifth is about memory. */
function capped(bytes, pages) {
  const number = (at) => {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return [value, at];
      shift += 7;
    }
  };
  const written = (value) => {
    const parts = [];
    for (; value > 127; value >>>= 7) parts.push((value & 127) | 128);
    return [...parts, value];
  };
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [size, start] = number(at + 1);
    if (id === 5) {
      const [least] = number(start + 2);
      const section = [1, 1, ...written(least), ...written(least + pages)];
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([5, section.length, ...section]), bytes.subarray(start + size)]);
    }
    at = start + size;
  }
  throw new Error("it has no memory");
}

/** Uncaught errors are the dead instance's own callbacks: never the app's calls. */
const useEverything = async () => {
  const socket = client.socket();
  const late = [socket.emit("m"), socket.with({ ack: true }).emit("m"), client.socket("new").emit("m")];
  client.connect();
  client.disconnect();
  client.setToken("t");
  client.hint("online");
  client.forget();
  socket.clear();
  await socket.writable();
  const states = [socket.state, socket.status.state, socket.connected, socket.id, socket.transport, socket.stats(), socket.pending()];
  const asked = await socket.request("m").catch(({ kind }) => kind);
  client.close();
  return { states, asked, late: await Promise.all(late.map(async (receipt) => (await receipt).error.kind)) };
};

const DEAD = {
  states: ["failed", "failed", false, undefined, undefined, undefined, []],
  asked: "closed",
  late: ["closed", "closed", "closed"],
};

async function connected(t, url, options) {
  const page = await open(t, options);
  await page.run(async (url) => {
    globalThis.client = watch(new Client(url));
    client.connect();
    await until(({ state }) => state === "connected");
    globalThis.written = client.socket().with({ ack: true }).emit("silence");
    globalThis.accepted = written.accepted();
    await accepted;
  }, url);
  return page;
}

test("a panic ends the client: receipts end, it is told once, and every later call is harmless", async (t) => {
  const server = await socketio(t);
  const page = await connected(t, server.url, { before: armed });
  await server.gets("silence");
  const died = await page.run(async () => {
    globalThis.other = watch(new Client("http://127.0.0.1:9"), "other");
    const writable = client.socket().writable();
    bomb = "link_state";
    const state = client.socket().state;
    const { status, error } = await written;
    await writable;
    return { state, written: [status, error.kind, error.cause.message], log: log.filter(({ notice }) => notice) };
  });
  assert.equal(died.state, "failed");
  assert.deepEqual(died.written.slice(0, 2), ["unconfirmed", "closed"]);
  assert.match(died.written[2], /panicked at/);
  // All clients of the page share the instance.
  assert.deepEqual(
    died.log.map(({ notice, of, error }) => [notice, of, error]),
    [
      ["connectionFailed", "", "closed"],
      ["connectionFailed", "other", "closed"],
    ],
  );
  assert.match(page.said.find(({ type }) => type === "error").text, /a bug has ended the client/);
  // What can be told to go goes.
  await server.until(({ linkClosed }) => linkClosed === 1);
  assert.deepEqual(await page.run(useEverything), DEAD);
  assert.deepEqual(page.errors, []);
  const changes = await page.run(() => log.filter(({ state, of }) => state && of === "").map(({ state }) => state));
  // Once by itself, and once because `connect` was called.
  assert.deepEqual(changes, ["connecting", "connected", "failed", "failed"]);
});

test("a message that it dies of is unconfirmed, and emit does not throw", async (t) => {
  const server = await socketio(t);
  const page = await connected(t, server.url, { before: armed });
  const ends = await page.run(async () => {
    bomb = "link_emit";
    const receipt = client.socket().emit("m");
    const ends = await Promise.all([receipt, written]);
    return ends.map(({ status, error }) => [status, error.kind]);
  });
  assert.deepEqual(ends, [
    ["unconfirmed", "closed"],
    ["unconfirmed", "closed"],
  ]);
  assert.deepEqual(await page.run(useEverything), DEAD);
  // Nor does a new one hang: there is nothing left that it could call.
  const fresh = await page.run(async () => {
    const fresh = new Client("http://127.0.0.1:9");
    fresh.connect();
    const { status, error } = await fresh.socket().emit("m");
    return [fresh.socket().state, status, error.message];
  });
  assert.deepEqual(fresh, ["failed", "rejected", "a bug has ended all clients of this page; load it anew"]);
});

test("calls that waited for the load end too, where it dies of one of them", async (t) => {
  const page = await open(t, { before: armed });
  const ends = await page.run(async () => {
    bomb = "link_emit";
    const socket = watch(new Client("http://127.0.0.1:9")).socket();
    const ends = await Promise.all([socket.emit("m"), socket.emit("m")]);
    return ends.map(({ status, error }) => [status, error.kind]);
  });
  assert.deepEqual(ends, [
    ["rejected", "closed"],
    ["rejected", "closed"],
  ]);
});

test("memory that is used up is no exception in the app's call, but the end of the client", async (t) => {
  const server = await socketio(t);
  const page = await connected(t, server.url, {
    route: {
      "**/rejoin.wasm": async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: capped(await response.body(), 64) });
      },
    },
  });
  const ends = await page.run(async () => {
    const receipt = client.socket().emit("m", new Uint8Array(16 << 20));
    return (await Promise.all([receipt, written])).map(({ status, error }) => [status, error.kind]);
  });
  assert.deepEqual(ends, [
    ["unconfirmed", "closed"],
    ["unconfirmed", "closed"],
  ]);
  assert.deepEqual(await page.run(useEverything), DEAD);
});
