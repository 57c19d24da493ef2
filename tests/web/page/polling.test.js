// Long-polling to a server of another origin, with what browsers ask of it (CORS).

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

const POLLING = { transports: ["polling"] };
const QUICK = { initialDelay: 20, maxDelay: 50 };

test("messages and answers go over polling to another origin that allows it, without a question before", async (t) => {
  const server = await socketio(t, { socketio: { cors: { origin: /^http:/ } } });
  const page = await open(t);
  const methods = new Set();
  page.on("request", (request) => request.url().startsWith(server.url) && methods.add(request.method()));
  await page.devtools.send("Network.enable");
  page.devtools.on("Network.requestWillBeSent", ({ request }) => methods.add(request.method));
  const seen = await page.run(
    async ({ url, options }) => {
      const client = watch(new Client(url, options));
      const socket = client.socket();
      socket.on("echo", (...args) => tell({ echo: args }));
      client.connect();
      const bytes = await socket.request("echo", Uint8Array.of(1, 2, 3));
      socket.emit("echo", "ä😀", { deep: [Uint8Array.of(9)] });
      const { echo } = await until(({ echo }) => echo);
      // Larger than what one POST may carry is split.
      await Promise.all(Array.from({ length: 20 }, (_, n) => socket.with({ ack: true }).emit("m", n, "x".repeat(40_000)).accepted()));
      return [socket.transport, [...bytes], echo[0], [...echo[1].deep[0]]];
    },
    { url: server.url, options: POLLING },
  );
  assert.deepEqual(seen, ["polling", [1, 2, 3], "ä😀", [9]]);
  await server.until(({ args }) => args?.[0] === 19);
  assert.deepEqual((await server.got("m")).map(([n]) => n), [...Array(20).keys()]);
  assert.ok(!methods.has("OPTIONS"), [...methods].join());
});

test("a server's cookie comes back from another origin with `withCredentials`, and without it does not", async (t) => {
  const server = await socketio(t, {
    gate: { sticky: "node" },
    socketio: { cors: { origin: /^http:/, credentials: true } },
  });
  const page = await open(t);
  await page.run(
    async ({ url, options }) => {
      const client = watch(new Client(url, { ...options, withCredentials: true }), "with");
      client.connect();
      await client.socket().request("echo", 1);
      client.close();
      await until(({ state }) => state === "closed");
    },
    { url: server.url, options: POLLING },
  );
  // Without: the same browser has the cookie, and keeps it to itself.
  const error = await page.run(
    async ({ url, options }) => {
      watch(new Client(url, options), "without").connect();
      return until(({ state }) => state === "waiting");
    },
    { url: server.url, options: { ...POLLING, reconnect: QUICK } },
  );
  assert.ok(error !== undefined, "its second request is refused");
});

test("a server that does not allow it is told with what can be known, and tried again until it does", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const failed = await page.run(
    async ({ url, options }) => {
      globalThis.client = watch(new Client(url, options));
      client.connect();
      globalThis.receipt = client.socket().emit("m", "at last");
      await until(({ notice }) => notice === "connectionFailed");
      return { last: log.findLast(({ state }) => state === "waiting"), attempts: client.socket().stats().attempts };
    },
    { url: server.url, options: { ...POLLING, reconnect: QUICK } },
  );
  assert.equal(failed.last.error, "unreachable");
  assert.match(failed.last.message, /CORS/);
  assert.ok(failed.attempts >= 5);
  // It is there all the same, and answers what needs no permission.
  assert.ok((await server.all()).some(({ link }) => link));
  const allow = async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "access-control-allow-origin": "*" } });
  };
  // The last of them is waiting when the page goes.
  await page.context().route(`${server.url}/**`, (route) => allow(route).catch(() => {}));
  assert.deepEqual(await server.gets("m"), ["at last"]);
});

test("polling from another origin gives way to a WebSocket, and nothing is lost or out of order", async (t) => {
  const server = await socketio(t, { socketio: { cors: { origin: /^http:/ } } });
  const page = await open(t);
  const last = await page.run(async (url) => {
    const client = watch(new Client(url, { transports: ["polling", "websocket"] }));
    const socket = client.socket();
    client.connect();
    let n = 0;
    while (n < 50 || socket.transport !== "websocket") {
      await Promise.all([socket.emit("echo", n++), socket.emit("echo", n++, new Uint8Array(3)), socket.request("echo", n++)]);
    }
    return n;
  }, server.url);
  assert.equal((await server.all()).find(({ link }) => link).transport, "polling");
  assert.equal((await server.all()).find(({ upgraded }) => upgraded).transport, "websocket");
  assert.deepEqual((await server.got("echo")).map(([n]) => n), [...Array(last).keys()]);
});

test("where WebSockets are refused it falls back to polling", async (t) => {
  const server = await socketio(t, { gate: { upgrade: 403 }, socketio: { cors: { origin: /^http:/ } } });
  const page = await open(t);
  const [transport, states] = await page.run(async (url) => {
    const client = watch(new Client(url));
    client.connect();
    await client.socket().request("echo", 1);
    return [client.socket().transport, log.map(({ state }) => state)];
  }, server.url);
  assert.equal(transport, "polling");
  assert.deepEqual(states, ["connecting", "connected"]);
});
