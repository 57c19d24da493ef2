// A client can be used at once, before the WebAssembly is there.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

const WASM = "**/rejoin.wasm";

test("what is asked for before the load is done after it, in its order", async (t) => {
  const server = await socketio(t, { greeting: ["news", "first"] });
  const page = await open(t, { hold: WASM });
  const before = await page.run((url) => {
    const client = new Client(url);
    const socket = client.socket();
    watch(client);
    socket.on("news", (title) => tell({ news: title }));
    socket.on("echo", (n) => tell({ echo: n }));
    client.connect();
    globalThis.receipts = [1, 2, 3].map((n) => socket.emit("echo", n));
    receipts.push(socket.with({ reliable: true, ack: true }).emit("echo", { n: 4 }));
    globalThis.answer = socket.request("echo", 5);
    globalThis.accepted = receipts[0].accepted().then(() => tell("accepted"));
    globalThis.socket = socket;
    return {
      state: socket.state,
      status: socket.status,
      connected: socket.connected,
      id: socket.id ?? null,
      stats: socket.stats() ?? null,
      ids: receipts.map(({ id, messageId }) => [id, messageId]).flat().filter((id) => id !== undefined),
      pending: socket.pending(),
      log: log.length,
    };
  }, server.url);
  assert.deepEqual([before.state, before.status.state, before.status.previous], ["idle", "idle", "idle"]);
  assert.deepEqual([before.connected, before.id, before.stats, before.ids, before.log], [false, null, null, [], 0]);
  assert.deepEqual(
    before.pending.map(({ event, written }) => [event, written]),
    Array(5).fill(["echo", false]),
  );

  await page.release();
  const after = await page.run(async () => ({
    reply: await answer,
    outcomes: await Promise.all(receipts),
    again: (await receipts[3].outcome()).status,
    ids: receipts.map(({ id }) => id),
    messageIds: receipts.map(({ messageId }) => messageId ?? null),
    accepted: await accepted.then(() => receipts[0].accepted()).then(() => "accepted"),
    lines: (await until((line) => line.echo === 3), log),
    state: socket.state,
    pending: socket.pending(),
  }));
  assert.deepEqual(
    (await server.got("echo")).map(([arg]) => arg.n ?? arg),
    [1, 2, 3, 4, 5],
  );
  assert.equal(after.reply, 5);
  assert.deepEqual(
    after.outcomes.map(({ status }) => status),
    ["sent", "sent", "sent", "delivered"],
  );
  assert.equal(after.again, "delivered");
  assert.equal(new Set(after.ids).size, 4);
  assert.ok(after.ids.every((id) => id > 0));
  const [messageId] = after.messageIds.splice(3);
  assert.match(messageId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.equal((await server.got("echo"))[3][0].messageId, messageId);
  assert.deepEqual(after.messageIds, [null, null, null]);
  assert.deepEqual(
    after.lines.filter(({ state }) => state).map(({ state }) => state),
    ["connecting", "connected"],
  );
  assert.deepEqual(
    after.lines.filter(({ news, echo }) => news ?? echo).map(({ news, echo }) => news ?? echo),
    ["first", 1, 2, 3],
  );
  assert.deepEqual([after.state, after.pending], ["connected", []]);
});

test("before the load one message can be taken back, and all of a socket's can", async (t) => {
  const server = await socketio(t, { namespaces: ["/other"] });
  const page = await open(t, { hold: WASM });
  const early = await page.run(async (url) => {
    const client = new Client(url);
    const socket = client.socket();
    const other = client.socket("other");
    client.connect();
    const cleared = [socket.emit("m", "cleared"), socket.emit("m", "cleared too")];
    globalThis.kept = [other.emit("m", "of another socket")];
    socket.clear();
    const cancelled = socket.emit("m", "cancelled");
    kept.push(socket.emit("m", "kept"));
    const did = [cancelled.cancel(), cancelled.cancel(), cleared[0].cancel()];
    return {
      did,
      ended: (await Promise.all([...cleared, cancelled])).map(({ status }) => status),
      accepted: await cancelled.accepted().then(() => true),
      pending: [socket, other].map((each) => each.pending().map(({ event }) => event)),
    };
  }, server.url);
  assert.deepEqual(early.did, [true, false, false]);
  assert.deepEqual(early.ended, ["cancelled", "cancelled", "cancelled"]);
  assert.deepEqual(early.pending, [["m"], ["m"]]);
  await page.release();
  assert.deepEqual(await page.run(async () => (await Promise.all(kept)).map(({ status }) => status)), ["sent", "sent"]);
  await server.until(({ args }) => args?.[0] === "kept");
  await server.until(({ args }) => args?.[0] === "of another socket");
  assert.equal((await server.got("m")).length, 2);
});

test("two clients of one tick share one load, and so does whoever asks for it", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.run(async (url) => {
    const clients = ["a", "b"].map((name) => [name, watch(new Client(url), name)]);
    for (const [, client] of clients) client.connect();
    await Promise.all([load(), load(), ...clients.map(([name]) => connected(0, name))]);
    // And the next needs none: what it is asked is answered at once.
    globalThis.third = watch(new Client(url), "c").socket();
    third.connect();
    if (third.state !== "connecting") throw new Error(third.state);
    await connected(0, "c");
  }, server.url);
  assert.deepEqual(
    asked.filter((path) => path.endsWith(".wasm")),
    ["/rejoin/rejoin.wasm"],
  );
});

test("a load that fails is told, and the next connect tries again with all that waits", async (t) => {
  const server = await socketio(t);
  const page = await open(t, { hold: WASM });
  await page.run((url) => {
    globalThis.client = watch(new Client(url));
    client.connect();
    globalThis.receipt = client.socket().emit("m", "waited");
  }, server.url);
  await page.release((route) => route.fulfill({ status: 503 }));
  const failed = await page.run(async () => {
    const notice = await until(({ notice }) => notice === "connectionFailed");
    return { notice, state: client.socket().state, pending: client.socket().pending().length };
  });
  assert.deepEqual([failed.state, failed.notice.error, failed.pending], ["failed", "unreachable", 1]);
  assert.ok(failed.notice.attempts === 1);
  const ended = await page.run(async () => {
    client.connect();
    const { status } = await receipt;
    return status;
  });
  assert.equal(ended, "sent");
  assert.deepEqual(await server.gets("m"), ["waited"]);
});

test("a client that is closed without ever having been loaded ends every message, and stays closed", async (t) => {
  const page = await open(t, { hold: WASM });
  await page.run(() => {
    globalThis.client = watch(new Client("http://127.0.0.1:9"));
    client.connect();
    globalThis.receipt = client.socket().emit("m");
  });
  await page.release((route) => route.abort());
  const ended = await page.run(async () => {
    await until(({ notice }) => notice === "connectionFailed");
    client.close();
    const { status } = await receipt;
    const late = await client.socket().emit("m");
    client.connect();
    return { status, late: [late.status, late.error?.kind], state: client.socket().state };
  });
  assert.equal(ended.status, "rejected");
  assert.deepEqual(ended.late, ["rejected", "closed"]);
  assert.equal(ended.state, "closed");
});

test("an address that cannot be used is told once the load shows it, and thrown after it", async (t) => {
  const page = await open(t);
  const seen = await page.run(async () => {
    const client = watch(new Client("nowhere"));
    const receipt = client.socket().emit("m");
    const notice = await until(({ notice }) => notice === "connectionFailed");
    const outcome = await receipt;
    let thrown;
    try {
      new Client("nowhere");
    } catch (error) {
      thrown = error.kind;
    }
    client.connect();
    client.close();
    return [notice.error, outcome.status, outcome.error.kind, client.socket().state, thrown];
  });
  assert.deepEqual(seen.slice(0, 3), ["invalidUrl", "rejected", "invalidUrl"]);
  assert.equal(seen[4], "invalidUrl");
});
