// The page's life, as the browser has it: hidden, frozen, left, found again.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";
import { tab } from "./kit/tab.js";

async function connect(page, url, options = {}) {
  await page.run(
    async ({ url, options }) => {
      globalThis.chat = watch(new RealtimeClient(url, options));
      chat.connect();
      await connected();
    },
    { url, options },
  );
}

const states = (page) => page.run(() => log.filter(({ state }) => state).map(({ state }) => state));

test("a page that is hidden stops typing at once and keeps its link; shown again it asks whether that lives", async (t) => {
  const server = await socketio(t);
  const page = await tab(t);
  await connect(page, server.url);
  await page.run(() => chat.startTyping("private", "bob"));
  await server.gets("typing_start");
  const hidden = performance.now();
  await page.hide();
  await server.gets("typing_stop");
  assert.ok(performance.now() - hidden < 2_500, "it did not stop by itself, which it would after 3 s");
  await page.run(() => chat.socket.request("echo", "while it is hidden"));
  page.frames.splice(0);
  await page.show();
  await page.run(() => chat.socket.request("echo", "shown"));
  assert.match(page.frames[0], /^40\/rejoin-probe,/);
  assert.deepEqual(await states(page), ["connecting", "connected"]);
  assert.equal((await server.all()).filter(({ link }) => link).length, 2, "one link, and one namespace on it");
});

test("a frozen page closes its link and goes on when it is back, with what was sent meanwhile", async (t) => {
  const server = await socketio(t);
  const page = await tab(t);
  await connect(page, server.url);
  await page.run(() => {
    document.addEventListener("freeze", () => (globalThis.receipt = chat.socket.emit("m", "while it froze")));
  });
  await page.hide();
  await page.freeze();
  const { reason } = await server.until(({ linkClosed }) => linkClosed === 1);
  assert.equal(reason, "transport close");
  await page.resume();
  assert.deepEqual(await server.gets("m"), ["while it froze"]);
  assert.equal(await page.run(async () => (await receipt).status), "sent");
  assert.deepEqual(await states(page), ["connecting", "connected", "paused", "connecting", "connected"]);
});

test("a page that is left closes its link at once, and is found again as it was, queue and all", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  await connect(page, server.url);
  await page.run(() => {
    addEventListener("pagehide", () => {
      globalThis.receipts = [1, 2, 3].map((n) => chat.socket.emit("m", n));
      globalThis.pending = chat.pending().length;
    });
  });
  await page.leave();
  await server.until(({ linkClosed }) => linkClosed === 1);
  assert.deepEqual(await server.got("m"), []);
  await page.back();
  await server.until(({ args }) => args?.[0] === 3);
  assert.deepEqual(await server.got("m"), [[1], [2], [3]]);
  const seen = await page.run(async () => {
    const outcomes = await Promise.all(receipts);
    return { pending, outcomes: outcomes.map(({ status }) => status) };
  });
  assert.deepEqual(seen, { pending: 3, outcomes: ["sent", "sent", "sent"] });
  assert.deepEqual(await states(page), ["connecting", "connected", "paused", "connecting", "connected"]);
});

test("a page on polling that is left ends there, and is found again too", async (t) => {
  const server = await socketio(t, { socketio: { cors: { origin: true } } });
  const page = await open(t);
  await connect(page, server.url, { transports: ["polling"] });
  await page.leave();
  await page.back();
  await page.run(() => chat.socket.request("echo", "back"));
  assert.deepEqual(await states(page), ["connecting", "connected", "paused", "connecting", "connected"]);
});

test("a page that is left while it connects goes on when it is found again", async (t) => {
  const server = await socketio(t, { gate: { upgrade: "silent" } });
  const page = await open(t);
  await page.run((url) => {
    globalThis.chat = watch(new RealtimeClient(url, { transports: ["websocket"] }));
    chat.connect();
    globalThis.receipt = chat.socket.emit("m", "early");
    return load();
  }, server.url);
  await server.until(({ turnedAway }) => turnedAway);
  await server.ask("gate", { gate: {} });
  await page.leave();
  await page.back();
  assert.deepEqual(await server.gets("m"), ["early"]);
  assert.equal(await page.run(async () => (await receipt).status), "sent");
});

test("offline holds the attempts until the network is back, but not for a server on this machine", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const far = server.url.replace("127.0.0.1", "chat.example.com");
  await page.run(
    async (urls) => {
      globalThis.clients = urls.map((url, n) => watch(new Client(url, { reconnect: { initialDelay: 20 } }), ["near", "far"][n]));
      for (const client of clients) client.connect();
      await Promise.all([connected(0, "near"), connected(0, "far")]);
    },
    [server.url, far],
  );
  const frames = [];
  page.devtools.on("Network.webSocketFrameSent", ({ response }) => frames.push(response.payloadData));
  await page.devtools.send("Network.enable");
  // Chromium tells the page so, refuses what is new, and lets nothing pass that is there.
  await page.context().setOffline(true);
  const held = await page.run(async () => {
    const { reason } = await until(({ state, of }) => state === "offline" && of === "far");
    globalThis.receipt = clients[1].socket().emit("m", "queued");
    return [reason, clients[0].socket().state];
  });
  assert.deepEqual(held, ["ping timeout", "connected"]);
  assert.deepEqual(frames, ["40/rejoin-probe,"], "only one of them doubts its link");
  const after = await page.run(() => log.length);
  await page.context().setOffline(false);
  assert.deepEqual(await server.gets("m"), ["queued"]);
  const states = await page.run(async (after) => {
    await clients[0].socket().request("echo", "still here");
    await connected(after, "far");
    return log.filter(({ of, state }) => of === "far" && state).map(({ state }) => state);
  }, after);
  assert.deepEqual(states, ["connecting", "connected", "offline", "connecting", "connected"]);
});

test("a client that was made without a network is loaded and connected as soon as there is one", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  await page.context().setOffline(true);
  await page.run(async (url) => {
    globalThis.client = watch(new Client(url));
    client.connect();
    globalThis.receipt = client.socket().emit("m", "from before");
    await until(({ notice }) => notice === "connectionFailed");
  }, server.url);
  await page.context().setOffline(false);
  assert.deepEqual(await server.gets("m"), ["from before"]);
  assert.equal(await page.run(async () => (await receipt).status), "sent");
  assert.deepEqual(await states(page), ["failed", "connecting", "connected"]);
});

test("a closed client listens to nothing any more, hears nothing, and can be collected", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  /** How many handlers of each event the window, the document and the connection have. */
  const listeners = async () => {
    const counts = {};
    for (const expression of ["window", "document", "navigator.connection"]) {
      const { result } = await page.devtools.send("Runtime.evaluate", { expression });
      const { listeners } = await page.devtools.send("DOMDebugger.getEventListeners", { objectId: result.objectId });
      for (const { type } of listeners) counts[`${expression} ${type}`] = (counts[`${expression} ${type}`] ?? 0) + 1;
    }
    return counts;
  };
  const before = await listeners();
  await page.run(async (url) => {
    globalThis.client = watch(new Client(url));
    client.connect();
    globalThis.unwatched = new Client(url, { pageLifecycle: false });
    client.socket().on("echo", () => tell("heard"));
    await connected();
  }, server.url);
  const during = await listeners();
  assert.deepEqual(
    Object.keys(during).filter((key) => during[key] !== before[key]).sort(),
    [
      "document freeze",
      "document resume",
      "document visibilitychange",
      "navigator.connection change",
      "window offline",
      "window online",
      "window pagehide",
      "window pageshow",
    ],
  );
  await page.run(async () => {
    client.socket().emit("echo");
    client.close();
    unwatched.close();
    await until(({ state }) => state === "closed");
  });
  assert.deepEqual(await listeners(), before);
  await server.until(({ linkClosed }) => linkClosed === 1);
  const told = await page.run(() => log.length);
  await page.run(async (url) => {
    for (const event of ["online", "offline", "pagehide", "pageshow"]) dispatchEvent(new Event(event));
    document.dispatchEvent(new Event("freeze"));
    document.dispatchEvent(new Event("resume"));
    client.connect();
    client.hint("foreground");
    globalThis.kinds = [(await client.socket().emit("m")).error.kind, await client.socket().request("m").catch(({ kind }) => kind)];
    globalThis.sockets = [new WeakRef(client.socket()), new WeakRef(unwatched.socket())];
    globalThis.client = globalThis.unwatched = undefined;
    // Another has its whole life meanwhile.
    const next = watch(new Client(url), "next");
    next.connect();
    await connected(0, "next");
    // One that is in use stays, whoever has lost sight of it.
    sockets.push(new WeakRef(next.socket()));
  }, server.url);
  assert.deepEqual(await page.run(() => kinds), ["closed", "closed"]);
  assert.deepEqual(await page.run((told) => log.slice(told).filter(({ of }) => of !== "next"), told), []);
  await page.devtools.send("HeapProfiler.collectGarbage");
  assert.deepEqual(await page.run(() => sockets.map((socket) => socket.deref() === undefined)), [true, true, false]);
});
