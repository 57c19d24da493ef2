// Where credentials come from.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

const QUICK = { initialDelay: 10, maxDelay: 20 };

/** Makes a client whose `token` or `auth` is what `provide` gives, in the page. */
async function connect(page, url, provide, options = {}) {
  await page.run(
    ({ url, provide, options }) => {
      globalThis.asked = 0;
      globalThis.client = watch(new Client(url, { ...options, ...eval(`(${provide})`)() }));
      client.connect();
    },
    { url, provide: String(provide), options: { reconnect: QUICK, ...options } },
  );
}

const auths = async (server) => (await server.all()).filter(({ joined, refused }) => joined ?? refused).map(({ auth }) => auth);

test("credentials are a value, a function, or one that takes its time", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const ways = [
    () => ({ token: "value" }),
    () => ({ token: () => "function" }),
    () => ({ token: async () => "promise" }),
    () => ({ token: () => new Promise((given) => setTimeout(given, 30, "later")) }),
    () => ({ auth: { token: "object", more: [1, { deep: true }] } }),
    () => ({ auth: () => ({ then: (given) => given({ token: "thenable" }) }) }),
  ];
  for (const way of ways) {
    await connect(page, server.url, way);
    await page.run(() => connected(log.findLastIndex(({ state, previous }) => state === "connecting" && previous === "idle")));
  }
  assert.deepEqual(await auths(server), [
    { token: "value" },
    { token: "function" },
    { token: "promise" },
    { token: "later" },
    { token: "object", more: [1, { deep: true }] },
    { token: "thenable" },
  ]);
});

test("a provider that throws, rejects or gives what is no token fails the attempt, and is asked again at the next", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  await connect(page, server.url, () => ({
    token() {
      switch (++asked) {
        case 1:
          throw new Error("not signed in");
        case 2:
          return Promise.reject(new Error("no network"));
        case 3:
          return Promise.reject("a text");
        case 4:
          return 42;
        case 5:
          return undefined;
        default:
          return `token ${asked}`;
      }
    },
  }));
  const failed = await page.run(async () => {
    await connected();
    return log.filter(({ state }) => state === "waiting").map(({ reason, error, message }) => `${reason}, ${error}: ${message}`);
  });
  const why = (detail) => `connect error, authFailed: the auth provider gave no credentials: ${detail}`;
  assert.deepEqual(failed, [
    why("not signed in"),
    why("no network"),
    why("a text"),
    why("option `token` cannot be used: it is a string"),
    why("option `token` cannot be used: it is a string"),
  ]);
  assert.deepEqual(page.errors, []);
  // And at each attempt from then on.
  await server.ask("drop");
  await page.run(() => until(({ notice }) => notice === "reconnected"));
  assert.deepEqual(await auths(server), [{ token: "token 6" }, { token: "token 7" }]);
});

test("a token that is refused is asked for once more, and then the state is failed", async (t) => {
  const server = await socketio(t, { token: "right" });
  const page = await open(t);
  await connect(page, server.url, () => ({ token: () => `wrong ${++asked}` }));
  const failed = await page.run(() => until(({ state }) => state === "failed"));
  assert.equal(failed.error, "refused");
  assert.deepEqual(await auths(server), [{ token: "wrong 1" }, { token: "wrong 2" }]);
  await page.run(() => {
    client.setToken("right");
    client.connect();
    return connected();
  });
});

test("another token signs in again over the same link, and what was queued goes out as whoever is signed in then", async (t) => {
  const server = await socketio(t, { namespaces: ["/own"] });
  const page = await open(t);
  await connect(page, server.url, () => ({ token: "first" }));
  await page.run(async () => {
    await connected();
    const own = watch(client.socket("/own", { auth: { of: "its own" } }), "own");
    own.connect();
    await connected(0, "own");
    const before = log.length;
    client.setToken("second");
    await connected(before);
    client.socket().setAuth({ token: "third", more: 1 });
    const between = log.length;
    client.socket().emit("m", "after");
    await connected(between);
    own.setToken("fourth");
    await connected(between, "own");
  });
  assert.deepEqual(await server.gets("m"), ["after"]);
  const joined = (await server.all()).filter(({ joined }) => joined);
  assert.deepEqual(
    joined.map(({ joined, link, auth }) => [joined, link, auth]),
    [
      ["/", 1, { token: "first" }],
      ["/own", 1, { of: "its own" }],
      ["/", 1, { token: "second" }],
      ["/", 1, { token: "third", more: 1 }],
      ["/own", 1, { token: "fourth" }],
    ],
  );
});

test("what is no credentials is refused where it is given", async (t) => {
  const page = await open(t);
  const seen = await page.run(() => {
    const client = new Client("http://127.0.0.1:9");
    const tries = [
      () => client.setToken(7),
      () => client.setAuth("text"),
      () => client.socket().setAuth([]),
      () => new Client("http://127.0.0.1:9", { token: {} }),
      () => new Client("http://127.0.0.1:9", { auth: "text" }),
      () => client.setAuth({ key: Uint8Array.of(1) }),
      () => new Client("http://127.0.0.1:9", { auth: { deep: [new ArrayBuffer(1)] } }),
      () => client.setAuth({ file: new Blob() }),
    ];
    return tries.map((attempt) => {
      try {
        attempt();
      } catch (error) {
        return error.message;
      }
    });
  });
  assert.match(seen[0], /option `token` .* string/);
  assert.match(seen[1], /option `auth` .* object/);
  assert.match(seen[2], /option `auth` .* object/);
  assert.match(seen[3], /option `token` .* string/);
  assert.match(seen[4], /option `auth` .* object/);
  // Its text would hold a placeholder, and nothing beside it.
  assert.match(seen[5], /`auth` cannot hold binary/);
  assert.match(seen[6], /`auth` cannot hold binary/);
  assert.match(seen[7], /Blob has no JSON/);
});

test("attempts without end may be written as Infinity", async (t) => {
  const page = await open(t);
  const seen = await page.run(async () => {
    await load();
    const kinds = [Infinity, 3, NaN, -Infinity, "3"].map((maxAttempts) => {
      try {
        new Client("http://127.0.0.1:9", { reconnect: { maxAttempts } }).close();
        return "taken";
      } catch ({ kind }) {
        return kind;
      }
    });
    return kinds;
  });
  assert.deepEqual(seen, ["taken", "taken", ...Array(3).fill("invalidOption")]);
});

test("an option that is none of its choices is refused with them, whatever it is", async (t) => {
  const page = await open(t);
  const seen = await page.run(async () => {
    await load();
    return [{ delivery: "auto" }, { delivery: 1n }, { delivery: "never" }].map((options) => {
      try {
        new Client("http://127.0.0.1:9", options).close();
        return "taken";
      } catch ({ message }) {
        return message;
      }
    });
  });
  const choice = "option `delivery` cannot be used: it is one of `auto`, `atMostOnce`, `atLeastOnce`";
  assert.deepEqual(seen, ["taken", choice, choice]);
});
