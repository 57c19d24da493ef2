// What arguments may hold.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { socketio } from "./kit/servers.js";

async function connect(t) {
  const server = await socketio(t, { socketio: { maxHttpBufferSize: 1e8 } });
  const page = await open(t);
  await page.run(async (url) => {
    globalThis.client = watch(new Client(url));
    globalThis.socket = client.socket();
    client.connect();
    await connected();
  }, server.url);
  return { server, page };
}

test("binary of every kind and at any depth comes back as Uint8Array", async (t) => {
  const { server, page } = await connect(t);
  const seen = await page.run(async () => {
    const buffer = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer;
    const sent = {
      array: new Uint8Array(buffer),
      part: new Uint8Array(buffer, 2, 3),
      buffer,
      view: new DataView(buffer, 6),
      floats: Float32Array.of(1.5),
      deep: [{ a: [[{ b: Uint8Array.of(9) }]] }],
      empty: new Uint8Array(0),
      text: "x",
      nothing: null,
    };
    const show = (value) => {
      if (value instanceof Uint8Array) return `bytes ${[...value]}`;
      if (Array.isArray(value)) return value.map(show);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, show(field)]));
    };
    const heard = new Promise((heard) => socket.on("echo", (...args) => heard(args)));
    socket.emit("echo", sent, Uint8Array.of(7));
    return { answer: show(await socket.request("echo", sent)), heard: show(await heard) };
  });
  const expected = {
    array: "bytes 0,1,2,3,4,5,6,7",
    part: "bytes 2,3,4",
    buffer: "bytes 0,1,2,3,4,5,6,7",
    view: "bytes 6,7",
    floats: "bytes 0,0,192,63",
    deep: [{ a: [[{ b: "bytes 9" }]] }],
    empty: "bytes ",
    text: "x",
    nothing: null,
  };
  assert.deepEqual(seen, { answer: expected, heard: [expected, "bytes 7"] });
  assert.deepEqual((await server.got("echo"))[0][0].part, { $binary: "AgME" });
});

test("a megabyte of binary comes back byte for byte, and what is sent is what it was at the call", async (t) => {
  const { page } = await connect(t);
  const seen = await page.run(async () => {
    const big = new Uint8Array(1_000_000);
    for (let at = 0; at < big.length; at += 65_536) crypto.getRandomValues(big.subarray(at, Math.min(at + 65_536, big.length)));
    const before = big.slice();
    const note = { text: "before" };
    const asked = [socket.request("echo", note), socket.request("echo", big)];
    big.fill(0);
    note.text = "after";
    const [{ text }, bytes] = await Promise.all(asked);
    return [bytes.length, bytes.every((byte, at) => byte === before[at]), text];
  });
  assert.deepEqual(seen, [1_000_000, true, "before"]);
});

test("before the load too binary is sent as it was at the call", async (t) => {
  const server = await socketio(t);
  const page = await open(t, { hold: "**/rejoin.wasm" });
  await page.run((url) => {
    const bytes = Uint8Array.of(1, 2, 3);
    const client = new Client(url);
    client.connect();
    globalThis.asked = client.socket().request("echo", bytes);
    bytes.fill(0);
  }, server.url);
  await page.release();
  assert.deepEqual(await page.run(async () => [...(await asked)]), [1, 2, 3]);
});

test("odd texts, numbers and keys arrive as JSON has them, and odd keys change no object", async (t) => {
  const { page } = await connect(t);
  const seen = await page.run(async () => {
    const proto = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2}');
    const back = await socket.request("echo", proto);
    const lone = await socket.request("echo", "a\ud800b\udc00c");
    return {
      proto: JSON.stringify(back),
      own: [Object.hasOwn(back, "__proto__"), back.polluted ?? null, {}.polluted ?? null],
      lone: [...lone].map((unit) => unit.charCodeAt(0).toString(16)).join(" "),
      numbers: await socket.request("echo", [0, -0, 1e300, 2 ** 53, NaN, Infinity, 0.1]),
      texts: await socket.request("echo", ["", "\0", "\u2028", "😀", "\\", '"']),
      holes: await socket.request("echo", [undefined, () => {}, Symbol("s")]),
      fields: await socket.request("echo", { a: undefined, date: new Date(0), method() {}, [Symbol("s")]: 1 }),
      none: (await socket.request("echo", undefined)) === null,
    };
  });
  assert.deepEqual(seen, {
    proto: '{"__proto__":{"polluted":true},"constructor":1,"toString":2}',
    own: [true, null, null],
    // JSON writes them as escapes.
    lone: "61 d800 62 dc00 63",
    numbers: [0, 0, 1e300, 2 ** 53, null, null, 0.1],
    texts: ["", "\0", "\u2028", "😀", "\\", '"'],
    holes: [null, null, null],
    fields: { date: "1970-01-01T00:00:00.000Z" },
    none: true,
  });
});

test("an odd key beside binary changes no object either, on its way out and in", async (t) => {
  // npm's own server takes such a key for the prototype.
  const page = await open(t);
  const sent = [];
  await page.routeWebSocket(/socket\.io/, (socket) => {
    socket.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
    socket.onMessage((frame) => {
      if (frame === "40") socket.send('40{"sid":"t"}');
      if (typeof frame !== "string") {
        socket.send('451-["odd",{"__proto__":{"deep":{"_placeholder":true,"num":0}}}]');
        socket.send(Buffer.from([7]));
      }
      sent.push(frame);
    });
  });
  const seen = await page.run(async () => {
    const socket = new Client("http://127.0.0.1:9").socket();
    const heard = new Promise((heard) => socket.on("odd", heard));
    socket.connect();
    socket.emit("m", JSON.parse('{"__proto__":{"deep":1}}'), Uint8Array.of(1));
    const odd = await heard;
    const proto = Object.getOwnPropertyDescriptor(odd, "__proto__")?.value;
    return [Object.keys(odd), odd.deep ?? null, [...proto.deep]];
  });
  assert.deepEqual(seen, [["__proto__"], null, [7]]);
  assert.equal(sent[1], '451-["m",{"__proto__":{"deep":1}},{"_placeholder":true,"num":0}]');
});

test("what has no JSON is refused with its outcome, and never thrown", async (t) => {
  const { server, page } = await connect(t);
  const seen = await page.run(async () => {
    const circle = { deep: { deeper: { deepest: {} } } };
    circle.deep.deeper.deepest.self = circle;
    const list = [];
    list.push(list);
    const withBinary = { bytes: Uint8Array.of(1) };
    withBinary.self = withBinary;
    const bad = {
      toJSON() {
        throw new Error("not me");
      },
    };
    const getter = Object.defineProperty({}, "x", {
      enumerable: true,
      get() {
        throw new Error("nor me");
      },
    });
    const ends = [];
    for (const value of [1n, { deep: [2n] }, circle, list, withBinary, bad, getter]) {
      const receipt = socket.emit("m", value);
      const { status, error } = await receipt;
      ends.push(`${status} ${error.kind} ${await receipt.accepted().catch(({ kind }) => kind)}`);
    }
    ends.push(await socket.request("m", 1n).catch(({ kind }) => kind));
    // It is about this message only.
    await socket.request("echo", 0);
    return ends;
  });
  assert.deepEqual(seen, [...Array(7).fill("rejected invalidPayload invalidPayload"), "invalidPayload"]);
  assert.deepEqual(await server.got("m"), []);
});

test("what JSON would lose is refused, with what to send instead", async (t) => {
  const { server, page } = await connect(t);
  const seen = await page.run(async () => {
    const frame = document.body.appendChild(document.createElement("iframe")).contentWindow;
    const file = new File(["x"], "x.txt");
    const owned = Object.assign(new File(["x"], "x.txt"), { path: "x.txt" });
    const bytes = Uint8Array.of(1);
    const lost = {
      callback: [1, () => {}],
      symbol: [Symbol("s")],
      file: [file],
      owned: [{ owned }],
      blob: [{ deep: [new Blob(["x"])] }],
      map: [{ deep: [new Map()] }],
      set: [[new Set([1])]],
      foreign: [new frame.Map()],
      promise: [file.arrayBuffer()],
      beside: [bytes, { map: new Map() }],
      made: [{ toJSON: () => ({ map: new Map() }) }],
    };
    const seen = {};
    for (const [name, args] of Object.entries(lost)) {
      const { status, error } = await socket.emit("m", ...args);
      seen[name] = `${status} ${error?.kind} ${error?.message}`;
    }
    // What says itself how it is written is.
    seen.said = await socket.request("echo", { map: Object.assign(new Map(), { toJSON: () => "a map" }) });
    return seen;
  });
  const { said, callback, ...others } = seen;
  assert.deepEqual(said, { map: "a map" });
  assert.match(callback, /^rejected invalidPayload .*function.*`request`/);
  for (const [name, end] of Object.entries(others)) assert.match(end, /^rejected invalidPayload /, name);
  for (const name of ["file", "owned", "blob"]) assert.match(others[name], /await file.arrayBuffer\(\)/);
  assert.deepEqual(await server.got("m"), []);
});

test("binary that toJSON gives or hides, and that of another frame, is sent as binary; toJSON runs once", async (t) => {
  const { page } = await connect(t);
  const seen = await page.run(async () => {
    const frame = document.body.appendChild(document.createElement("iframe")).contentWindow;
    let ran = 0;
    const bytes = Uint8Array.of(1, 2);
    const sent = {
      gives: { toJSON: () => (ran++, bytes) },
      within: { toJSON: () => (ran++, { deep: [bytes.buffer] }) },
      hides: Object.assign(Uint8Array.of(3), { toJSON: () => "hidden" }),
      nothing: { toJSON: () => undefined },
      foreign: new frame.Uint8Array([4]),
      buffer: new frame.Uint8Array([5]).buffer,
    };
    const back = await socket.request("echo", sent);
    const list = (value) => (value instanceof Uint8Array ? [...value] : value);
    const { gives, within, hides, foreign, buffer } = back;
    return [ran, ...[gives, within.deep[0], hides, foreign, buffer].map(list), Object.keys(back).length];
  });
  assert.deepEqual(seen, [2, [1, 2], [1, 2], [3], [4], [5], 5]);
});
