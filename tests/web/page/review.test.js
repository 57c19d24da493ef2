// What reviewers found and could not be seen from inside one file.

import assert from "node:assert/strict";
import test from "node:test";
import { WebSocketServer } from "ws";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

const WASM = "**/rejoin.wasm";

test("a socket with settings that cannot be used fails alone, and nothing of it reaches another", async (t) => {
  const server = await socketio(t, { namespaces: ["/admin"] });
  const page = await open(t, { hold: WASM });
  await page.run((url) => {
    const client = new Client(url);
    globalThis.plain = client.socket();
    globalThis.admin = client.socket("/admin", { queue: { capacity: 0 } });
    globalThis.notices = [];
    admin.onNotice(({ type, error }) => notices.push([type, error.kind]));
    client.connect();
    globalThis.secret = admin.emit("echo", "for admins");
    globalThis.other = plain.emit("echo", "for all");
  }, server.url);
  await page.release();
  const seen = await page.run(async () => {
    const outcomes = [await secret, await other];
    admin.disconnect();
    admin.setToken("x");
    const later = await admin.emit("echo", "for admins");
    await plain.request("echo", "still there");
    const kinds = [...outcomes, later].map(({ status, error }) => [status, error?.kind]);
    return { kinds, states: [plain.state, admin.state, admin.status.error.kind], notices, pending: admin.pending() };
  });
  assert.deepEqual(seen.kinds, [["rejected", "invalidOption"], ["sent", undefined], ["rejected", "invalidOption"]]);
  assert.deepEqual(seen.states, ["connected", "failed", "invalidOption"]);
  assert.deepEqual(seen.notices, [["error", "invalidOption"]]);
  assert.deepEqual(seen.pending, []);
  assert.deepEqual(await server.got("echo"), [["for all"], ["still there"]]);
});

test("what a handler calls while early calls are made comes behind them", async (t) => {
  const server = await socketio(t, { namespaces: ["/b"] });
  const page = await open(t, { hold: WASM });
  await page.run((url) => {
    const client = new Client(url);
    globalThis.plain = client.socket();
    plain.emit("echo", 1);
    const failing = client.socket("/bad", { queue: { capacity: 0 } });
    globalThis.late = new Promise((ended) => {
      failing.onNotice(async () => ended((await plain.emit("echo", 3)).status));
    });
    plain.emit("echo", 2);
    client.connect();
  }, server.url);
  await page.release();
  const third = await page.run(() => late);
  assert.equal(third, "sent");
  assert.deepEqual(await server.got("echo"), [[1], [2], [3]]);
});

test("a clock that is set back holds nothing up", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const seen = await page.run(async (url) => {
    const client = new Client(url);
    const socket = client.socket();
    client.connect();
    await socket.request("echo", 1);
    const now = Date.now;
    Date.now = () => now() - 3_600_000;
    const silent = await socket.with({ ack: true, timeout: 300 }).emit("silent");
    Date.now = now;
    return [silent.status, silent.error.kind];
  }, server.url);
  assert.deepEqual(seen, ["unconfirmed", "ackTimeout"]);
});

test("handlers that have themselves called again leave the page its turn", async (t) => {
  const page = await open(t);
  const turns = await page.run(async () => {
    const client = new Client("http://127.0.0.1:9", { queue: { capacity: 1 } });
    const socket = client.socket();
    let calls = 0;
    socket.onNotice(({ type }) => {
      if (type === "overflow" && (calls += 1) < 1_000_000) socket.emit("log");
    });
    socket.emit("log");
    socket.emit("log");
    while (calls === 0) await new Promise((turn) => setTimeout(turn));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((turn) => setTimeout(turn));
    const seen = calls;
    calls = Infinity;
    client.close();
    return seen;
  });
  assert.ok(turns > 100 && turns < 1_000_000, `${turns}`);
});

test("a stack that overflows in the middle of a call ends the client, and throws nothing into the app", async (t) => {
  const page = await open(t);
  const seen = await page.run(async () => {
    const socket = new Client("http://127.0.0.1:9").socket();
    const deeper = () => {
      socket.emit("m", 1);
      deeper();
    };
    for (let round = 0; round < 20; round += 1) {
      try {
        deeper();
      } catch {}
    }
    const kinds = [];
    for (let round = 0; round < 3; round += 1) kinds.push(typeof socket.emit("after", 1).then);
    return kinds;
  });
  assert.deepEqual(seen, ["function", "function", "function"]);
});

test("an acknowledgement that is given twice, or too late, is none", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  await page.run(async (url) => {
    const client = new Client(url, { reconnect: { initialDelay: 10, maxDelay: 10 } });
    globalThis.socket = client.socket();
    socket.on("question", (answer) => (globalThis.answer = answer));
    client.connect();
    await socket.request("echo", 1);
  }, server.url);
  const asked = server.ask("emit", { event: "question", args: [], ack: true });
  const threw = await page.run(async () => {
    while (!globalThis.answer) await new Promise((turn) => setTimeout(turn, 5));
    answer("first");
    answer("second");
    socket.disconnect();
    await new Promise((turn) => setTimeout(turn, 50));
    try {
      answer("late");
      return false;
    } catch {
      return true;
    }
  });
  assert.equal(threw, false);
  assert.match(JSON.stringify(await asked), /first/);
});

test("what is sent while the browser's socket is closing waits for the next one", async (t) => {
  const got = [];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on("connection", (socket) => {
    socket.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
    socket.on("message", (bytes) => {
      const text = bytes.toString();
      if (text === "40") socket.send('40{"sid":"s"}');
      else if (text.includes("goodbye")) {
        // A closing frame, and no end: the browser waits for that for two seconds.
        socket._sender.close(1000, "", false, () => {});
        socket.resume();
      } else got.push(text);
    });
  });
  const page = await open(t);
  const statuses = await page.run(async (url) => {
    const client = new Client(url, { transports: ["websocket"], reconnect: { initialDelay: 10, maxDelay: 10 } });
    const socket = client.socket();
    const connected = () => new Promise((is) => socket.onStatus(({ state }) => state === "connected" && is()));
    client.connect();
    await connected();
    const again = connected();
    socket.emit("goodbye");
    await new Promise((later) => setTimeout(later, 300));
    const receipts = [1, 2, 3].map((n) => socket.emit("m", n));
    await again;
    return (await Promise.all(receipts)).map(({ status }) => status);
  }, `http://127.0.0.1:${server.address().port}`);
  assert.deepEqual(statuses, ["sent", "sent", "sent"]);
  while (got.length < 3) await new Promise((turn) => setTimeout(turn, 5));
  assert.deepEqual(got, ['42["m",1]', '42["m",2]', '42["m",3]']);
});
