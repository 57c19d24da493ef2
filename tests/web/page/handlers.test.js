// What handlers are promised.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

async function connect(t, config) {
  const server = await socketio(t, config);
  const page = await open(t);
  await page.run(async (url) => {
    globalThis.client = watch(new Client(url));
    globalThis.socket = client.socket();
    client.connect();
    await connected();
  }, server.url);
  return { server, page };
}

test("handlers run in the order of their registration, each of `once` once, and none that is removed", async (t) => {
  const { page } = await connect(t);
  const ran = await page.run(async () => {
    const ran = [];
    const note = (name) => (n) => ran.push(`${name}${n}`);
    const gone = note("gone");
    socket.on("echo", note("a"));
    socket.once("echo", note("once"));
    const end = socket.on("echo", note("ended"));
    socket.on("echo", gone);
    socket.onAny((event, n) => ran.push(`any${n}`));
    const b = note("b");
    socket.on("echo", b);
    socket.on("echo", b);
    end();
    end();
    socket.off("echo", gone);
    socket.off("nothing");
    await socket.emit("echo", 1);
    await socket.request("echo", 0);
    socket.off("echo", b);
    socket.offAny();
    await socket.emit("echo", 2);
    await socket.request("echo", 0);
    socket.off("echo");
    await socket.emit("echo", 3);
    await socket.request("echo", 0);
    return ran;
  });
  assert.deepEqual(ran, ["any1", "a1", "once1", "b1", "b1", "a2"]);
});

test("a handler may remove itself, another and all, and add more: the list is as it was when the event came", async (t) => {
  const { page } = await connect(t);
  const ran = await page.run(async () => {
    const ran = [];
    const last = (n) => ran.push(`last${n}`);
    const end = socket.on("echo", (n) => {
      ran.push(`self${n}`);
      end();
      socket.off("echo", last);
      socket.on("echo", (n) => ran.push(`added${n}`));
    });
    socket.on("echo", last);
    socket.once("echo", (n) => {
      ran.push(`once${n}`);
    });
    await socket.emit("echo", 1);
    await socket.request("echo", 0);
    await socket.emit("echo", 2);
    await socket.request("echo", 0);
    return ran;
  });
  assert.deepEqual(ran, ["self1", "last1", "once1", "added2"]);
});

test("a handler that throws is told, with what it threw, and all others run", async (t) => {
  const { page } = await connect(t);
  const told = await page.run(async () => {
    const ran = [];
    const thrown = new Error("oh dear");
    socket.on("echo", () => {
      throw thrown;
    });
    socket.on("echo", () => ran.push("the next"));
    const end = socket.onNotice((notice) => ran.push(notice.type, notice.error.kind, notice.error.message, notice.error.cause === thrown));
    await socket.emit("echo");
    await socket.request("echo", 0);
    end();
    return ran;
  });
  assert.deepEqual(told, [
    "handlerError",
    "handler",
    "a handler of event `echo` failed: oh dear",
    true,
    "the next",
  ]);
  assert.deepEqual(page.errors, []);
});

test("where nobody listens for it, what a handler threw stands in the console", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  await page.run(async (url) => {
    const client = new Client(url);
    client.socket().onStatus(() => {
      throw new Error("a status");
    });
    client.socket().on("echo", () => {
      throw "no error at all";
    });
    client.connect();
    client.socket().emit("echo");
    await client.socket().request("echo", 0);
    // And a handler of notices that throws is not told to itself.
    client.socket().onNotice(() => {
      throw new Error("a notice");
    });
    client.socket().emit("echo");
    await client.socket().request("echo", 0);
  }, server.url);
  const said = page.said.filter(({ type }) => type === "error").map(({ text }) => text);
  assert.equal(said.length, 4, said.join("\n"));
  assert.match(said[0], /a handler of event `connectionStatusChange` failed: a status/);
  assert.match(said[2], /a handler of event `echo` failed: no error at all/);
  assert.match(said[3], /a notice/);
  assert.deepEqual(page.errors, []);
});

test("the last argument answers a server that asks, once, and with binary", async (t) => {
  const { server, page } = await connect(t);
  await page.run(() => {
    socket.on("sum", (a, b, answer) => answer(a + b, { bytes: Uint8Array.of(1, 2) }));
    socket.on("later", (answer) => setTimeout(answer, 20));
    socket.on("twice", (answer) => {
      answer("first");
      try {
        answer("second");
      } catch ({ kind }) {
        tell({ kind });
      }
    });
    socket.on("circle", (answer) => {
      const circle = {};
      circle.self = circle;
      try {
        answer(circle);
      } catch ({ kind }) {
        tell({ kind });
        answer("none");
      }
    });
  });
  const ask = async (event, ...args) => (await server.ask("emit", { event, args, ack: true })).reply;
  assert.deepEqual(await ask("sum", 1, 2), [3, { bytes: { $binary: "AQI=" } }]);
  assert.deepEqual(await ask("later"), []);
  assert.deepEqual(await ask("twice"), ["first"]);
  assert.deepEqual(await ask("circle"), ["none"]);
  assert.ok((await page.run(() => log.filter(({ kind }) => kind))).some(({ kind }) => kind === "invalidPayload"));
});

test("what is no function is no handler, and what is no name is no event", async (t) => {
  const { server, page } = await connect(t);
  const seen = await page.run(async () => {
    const seen = [];
    for (const add of [() => socket.on("m", "text"), () => socket.once("m"), () => socket.onAny({}), () => socket.onStatus(null)]) {
      try {
        add();
      } catch (error) {
        seen.push(error.constructor.name);
      }
    }
    for (const event of [undefined, null, {}, Object.create(null), "connect", "disconnect"]) {
      const { status, error } = await socket.emit(event, 1);
      seen.push(`${status} ${error?.kind}`);
    }
    seen.push(await socket.request("echo", 0));
    return seen;
  });
  assert.deepEqual(seen, [...Array(4).fill("TypeError"), ...Array(6).fill("rejected invalidPayload"), 0]);
  // A number is one, here and there.
  await page.run(() => (socket.on(7, (n) => tell({ seven: n })), void socket.emit(7, 1)));
  assert.deepEqual(await server.gets("7"), [1]);
  await server.ask("emit", { event: "7", args: [2] });
  assert.deepEqual(await page.run(() => until(({ seven }) => seven)), { seven: 2 });
});

test("a handler that throws is told on the console where the app listens for other notices only", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const told = await page.run(async (url) => {
    const chat = new RealtimeClient(url);
    const told = [];
    chat.on("overflow", () => told.push("overflow"));
    chat.on("echo", () => {
      throw new Error("oh dear");
    });
    chat.connect();
    const echo = async () => {
      chat.socket.emit("echo", 1);
      await chat.socket.request("echo", 0);
    };
    await echo();
    chat.on("handlerError", ({ error }) => told.push(error.message));
    await echo();
    chat.close();
    return told;
  }, server.url);
  assert.deepEqual(told, ["a handler of event `echo` failed: oh dear"]);
  const said = page.said.filter(({ type }) => type === "error").map(({ text }) => text);
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(said[0], /a handler of event `echo` failed: oh dear/);
});

test("a failure names the event, the status or the notice, whatever was thrown", async (t) => {
  const server = await socketio(t);
  const page = await open(t);
  const told = await page.run(async (url) => {
    const socket = new Client(url, { queue: { capacity: 1 } }).socket();
    const told = [];
    socket.onNotice(({ type, error }) => {
      if (type === "handlerError") told.push(error.message);
      else throw Object.create(null);
    });
    socket.emit("a");
    socket.emit("b");
    // Until it is loaded they wait here.
    await load();
    await socket.writable();
    socket.onAny(() => {
      throw Object.defineProperty(new Error(), "message", {
        get() {
          throw new Error("not even this");
        },
      });
    });
    const end = socket.onStatus(() => {
      end();
      throw "a text";
    });
    socket.connect();
    socket.clear();
    await socket.request("echo", 0);
    socket.emit("echo", 1);
    await socket.request("echo", 0);
    return told;
  }, server.url);
  const nothing = "what was thrown has no text";
  assert.deepEqual(told, [
    `a handler of event \`overflow\` failed: ${nothing}`,
    "a handler of event `connectionStatusChange` failed: a text",
    `a handler of event \`echo\` failed: ${nothing}`,
  ]);
});

test("a server's event reaches its own handlers only, whatever its name is", async (t) => {
  const { server, page } = await connect(t);
  await page.run(() => {
    socket.onAny((event, ...args) => tell({ any: event, args }));
    socket.onStatus((status) => tell({ status }));
    socket.onNotice((notice) => tell({ notice }));
    globalThis.before = log.length;
  });
  const names = ["*any*", "*status*", "*notice*", "onAny", "onNotice", "connectionStatusChange", "overflow", "__proto__", "last"];
  for (const event of names) await server.ask("emit", { event, args: [event] });
  const seen = await page.run(async () => {
    await until(({ any }) => any === "last");
    return log.slice(before);
  });
  assert.deepEqual(seen, names.map((name) => ({ any: name, args: [name] })));
});

test("off without arguments removes the handlers of all events, and with undefined none of them", async (t) => {
  const { server, page } = await connect(t);
  const ran = await page.run(async (url) => {
    const ran = [];
    socket.on("echo", (n) => ran.push(`on${n}`));
    socket.onAny((event, n) => ran.push(`any${n}`));
    socket.off(undefined);
    const echo = async (n) => {
      socket.emit("echo", n);
      await socket.request("echo", 0);
    };
    await echo(1);
    socket.off();
    await echo(2);
    const chat = new RealtimeClient(url);
    chat.on("connectionStatusChange", ({ state }) => ran.push(state));
    chat.on("echo", (n) => ran.push(`chat${n}`));
    chat.off(undefined);
    const chats = async (n) => {
      chat.socket.emit("echo", n);
      await chat.socket.request("echo", 0);
    };
    chat.connect();
    await chats(3);
    chat.off();
    await chats(4);
    chat.disconnect();
    return ran;
  }, server.url);
  assert.deepEqual(ran, ["any1", "on1", "any2", "connecting", "connected", "chat3"]);
});

test("who waits for npm's connect is told once what to use", async (t) => {
  const page = await open(t);
  await page.run(() => {
    const socket = new Client("http://127.0.0.1:9").socket();
    socket.on("connect_error", () => {});
    socket.once("connect", () => {});
    new RealtimeClient("http://127.0.0.1:9").on("disconnect", () => {});
  });
  const said = page.said.filter(({ type }) => type === "warning").map(({ text }) => text);
  assert.deepEqual(said, ["rejoin: there is no event `connect_error` here; use `onStatus`"]);
});

test("options of a message are looked at where they are given", async (t) => {
  const { server, page } = await connect(t);
  const seen = await page.run(async () => {
    const wrong = [
      { acknowledge: true }, { ack: 1 }, { volatile: "yes" }, { reliable: {} }, { lane: {} }, { ttl: 0 }, { ttl: -1 }, { ttl: NaN },
      { timeout: 0 }, { timeout: "5s" }, { timeout: Infinity }, { headers: {} }, 7, undefined, null,
    ];
    const seen = wrong.map((options) => {
      try {
        socket.with(options);
        return "taken";
      } catch (error) {
        return `${error.kind} ${/`(.*?)`/.exec(error.message)[1]}`;
      }
    });
    const options = { ack: true, timeout: 5_000, ttl: 5_000, lane: "x", volatile: undefined, reliable: null };
    const emitter = socket.with(options);
    options.timeout = "never";
    const lanes = [7, null].map((lane) => socket.with({ ack: true, lane }).emit("echo", 1));
    return [...seen, ...(await Promise.all([emitter.emit("echo", 1), ...lanes])).map(({ status }) => status)];
  });
  const names = ["acknowledge", "ack", "volatile", "reliable", "lane", "ttl", "ttl", "ttl", "timeout", "timeout", "timeout"];
  assert.deepEqual(seen, [
    ...names.map((name) => `invalidOption ${name}`),
    "unsupported auth",
    ...Array(3).fill("invalidOption options"),
    ...Array(3).fill("delivered"),
  ]);
  assert.deepEqual(await server.got("echo"), [[1], [1], [1]]);
});
