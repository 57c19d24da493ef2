// Browsers hold back the timers of hidden pages, to whole seconds and later to whole minutes. What a server sends comes at
// once all the same.

import assert from "node:assert/strict";
import test from "node:test";
import { socketio } from "./kit/servers.js";
import { tab } from "./kit/tab.js";

/** Timers run at `tick` only, and the clock goes on by `pass` only. */
function held() {
  const timers = new Map();
  let now = Date.now();
  let last = 1_000_000;
  Date.now = () => now;
  globalThis.setTimeout = (run, after = 0) => {
    timers.set(++last, { run, at: Date.now() + after });
    return last;
  };
  globalThis.clearTimeout = (id) => timers.delete(id);
  globalThis.pass = (ms) => void (now += ms);
  globalThis.tick = () => {
    for (const [id, { run, at }] of [...timers]) {
      if (at <= Date.now() && timers.delete(id)) run();
    }
  };
}

async function connect(page, url, options = {}) {
  await page.run(
    async ({ url, options }) => {
      globalThis.client = watch(new Client(url, options));
      client.connect();
      await connected();
    },
    { url, options },
  );
}

const states = (page) => page.run(() => log.filter(({ state }) => state).map(({ state }) => state));

/** Waits for an answer to a ping that was sent after this. */
async function heartbeats(server, count) {
  for (let n = 0; n < count; n++) await server.until(({ heartbeat }) => heartbeat, server.reports.length);
}

test("timers that run once a minute end no link that the server's pings come over", async (t) => {
  const server = await socketio(t, { socketio: { pingInterval: 60, pingTimeout: 20_000 } });
  const page = await tab(t, { before: held });
  await connect(page, server.url);
  for (let minute = 0; minute < 3; minute++) {
    for (let quarter = 0; quarter < 4; quarter++) {
      await page.run(() => pass(15_000));
      await heartbeats(server, 2);
    }
    await page.run(() => tick());
  }
  await page.run(() => client.socket().request("echo", "still here"));
  assert.deepEqual(await states(page), ["connecting", "connected"]);
});

test("a dead server is noticed when timers run for the first time after the deadline, and not before", async (t) => {
  const server = await socketio(t, { socketio: { pingInterval: 150, pingTimeout: 20_000 } });
  const page = await tab(t, { before: held });
  await connect(page, server.url);
  server.freeze();
  await page.run(() => (pass(19_000), tick()));
  assert.deepEqual(await states(page), ["connecting", "connected"]);
  await page.run(() => pass(41_000));
  assert.deepEqual(await states(page), ["connecting", "connected"]);
  const reason = await page.run(async () => {
    tick();
    const { reason } = await until(({ state }) => state === "waiting");
    // Its time to connect again is long over when timers run again.
    pass(60_000);
    tick();
    return reason;
  });
  assert.equal(reason, "ping timeout");
  server.thaw();
  await page.run(() => connected(3));
  await page.run(() => client.socket().request("echo", "back"));
  assert.deepEqual(await states(page), ["connecting", "connected", "waiting", "connecting", "connected"]);
});

test("a page that was hidden for long and is shown asks at once, and gives a dead link two seconds", async (t) => {
  const server = await socketio(t);
  const page = await tab(t, { before: held });
  await connect(page, server.url);
  await page.hide();
  server.freeze();
  page.frames.splice(0);
  await page.show();
  await page.run(() => (pass(1_900), tick()));
  assert.match(page.frames.join(), /^40\/rejoin-probe,$/);
  assert.deepEqual(await states(page), ["connecting", "connected"]);
  const lost = await page.run(async () => {
    pass(200);
    tick();
    return until(({ previous }) => previous === "connected");
  });
  // The user waits: the next attempt is made without a pause.
  assert.deepEqual([lost.reason, lost.retryIn ?? 0], ["ping timeout", 0]);
  server.thaw();
  await page.run(() => connected(2));
});

test("in a tab whose timers Chromium holds back a link lives, and a dead one is noticed and made anew", async (t) => {
  const server = await socketio(t, { socketio: { pingInterval: 200, pingTimeout: 2_000 } });
  const page = await tab(t);
  await connect(page, server.url, { reconnect: { initialDelay: 10, maxDelay: 20 } });
  await page.hide();
  const longest = await page.run(async () => {
    const waits = [];
    for (let n = 0; n < 6; n++) {
      const since = performance.now();
      await new Promise((done) => setTimeout(done, 1));
      waits.push(performance.now() - since);
    }
    return Math.max(...waits);
  });
  assert.ok(longest > 500, `of six timers of 1 ms the slowest took ${longest} ms: they are not held back`);
  await heartbeats(server, 12);
  assert.deepEqual(await states(page), ["connecting", "connected"]);
  server.freeze();
  const reason = await page.run(async () => (await until(({ state }) => state === "waiting")).reason);
  assert.equal(reason, "ping timeout");
  server.thaw();
  await page.run(() => connected(3));
});
