// A server that does not read: what waits in the browser is bounded, and nobody is told that it was sent.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

/** Keeps the page's WebSockets at hand, for a look at what waits in them. */
function watched() {
  globalThis.kept = [];
  const Real = WebSocket;
  globalThis.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      kept.push(this);
    }
  };
  /** Waits until the browser and the system take nothing more; how much waits in the browser then. */
  globalThis.stuck = async () => {
    let before = -1;
    for (let same = 0; same < 5; ) {
      await new Promise((done) => setTimeout(done, 60));
      const { bufferedAmount } = kept[0];
      same = bufferedAmount > 65_536 && bufferedAmount === before ? same + 1 : 0;
      before = bufferedAmount;
    }
    return before;
  };
}

async function connect(t, limits) {
  const server = await socketio(t, { socketio: { pingInterval: 60_000, pingTimeout: 60_000, maxHttpBufferSize: 1e8 } });
  const page = await open(t, { before: watched });
  await page.run(
    async ({ url, limits }) => {
      globalThis.client = watch(new Client(url, { limits }));
      globalThis.socket = client.socket();
      client.connect();
      await connected();
    },
    { url: server.url, limits },
  );
  return { server, page };
}

test("what a server does not read is not told as sent, and all of it arrives in order once it reads", async (t) => {
  const { server, page } = await connect(t, { outgoing: 64 << 20 });
  server.freeze();
  const stuck = await page.run(async () => {
    globalThis.ended = [];
    const text = "x".repeat(100_000);
    // A turn each: what is written in one turn is one batch, and stands or falls with it.
    for (let n = 0; n < 300; n++) {
      void socket.emit("m", n, text).then(({ status }) => ended.push([n, status]));
      await Promise.resolve();
    }
    const waiting = await stuck();
    return { waiting, ended: ended.length, queued: socket.stats().queued, pending: socket.pending().length };
  });
  assert.ok(stuck.ended < 300, `${stuck.ended} of 300 are told as sent`);
  assert.ok(stuck.waiting < 4 << 20, `${stuck.waiting} bytes wait in the browser`);
  assert.ok(stuck.queued > 0 && stuck.pending > 0, JSON.stringify(stuck));
  server.thaw();
  await server.until(({ args }) => args?.[0] === 299);
  assert.deepEqual((await server.got("m")).map(([n]) => n), [...Array(300).keys()]);
  const ended = await page.run(async () => (await socket.request("echo", 0), ended));
  assert.deepEqual(ended, [...Array(300).keys()].map((n) => [n, "sent"]));
});

test("beyond the bound of what is outgoing a message is refused at once, until the socket is writable", async (t) => {
  const { server, page } = await connect(t, { outgoing: 256 << 10 });
  server.freeze();
  const refused = await page.run(async () => {
    const text = "x".repeat(50_000);
    globalThis.good = 0;
    for (;;) {
      const receipt = socket.emit("m", good, text);
      const why = await receipt.accepted().catch(({ kind }) => kind);
      if (why !== undefined) {
        const { status, error } = await receipt;
        globalThis.writable = false;
        void socket.writable().then(() => (globalThis.writable = true));
        return [status, error.kind, why];
      }
      good++;
      // The browser takes it in between, as it does in an app.
      await new Promise((done) => setTimeout(done));
    }
  });
  assert.deepEqual(refused, ["rejected", "overloaded", "overloaded"]);
  await page.run(() => stuck());
  const held = await page.run(async () => [writable, (await socket.with({ volatile: true }).emit("m", "volatile", "x".repeat(50_000))).status]);
  assert.deepEqual(held, [false, "dropped"]);
  server.thaw();
  const last = await page.run(async () => {
    await socket.writable();
    const { status } = await socket.with({ ack: true }).emit("echo");
    return { writable, status, good };
  });
  assert.deepEqual([last.writable, last.status], [true, "delivered"]);
  assert.deepEqual((await server.got("m")).map(([n]) => n), [...Array(last.good).keys()]);
});

test("writable resolves at once while there is room, and when the client is closed", async (t) => {
  const { server, page } = await connect(t, { outgoing: 256 << 10 });
  await page.run(() => socket.writable());
  server.freeze();
  await page.run(async () => {
    for (let full = false; !full; ) {
      const receipt = socket.emit("m", "x".repeat(50_000));
      full = await receipt.accepted().then(() => false, () => true);
      await new Promise((done) => setTimeout(done));
    }
    const writable = socket.writable();
    client.close();
    await writable;
  });
});
