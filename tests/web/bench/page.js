// What is measured, in the page. Both clients are used as their users use them.

const MESSAGES = 20_000;
const BURST = 500;
const ANSWERS = 500;

const CLIENTS = {
  async rejoin(url) {
    const { Client } = await import("/rejoin/rejoin.js");
    const client = new Client(url, { transports: ["websocket"], queue: { capacity: 1_000 } });
    const socket = client.socket();
    client.connect();
    await new Promise((connected) => socket.onStatus(({ state }) => state === "connected" && connected()));
    return {
      on: (event, handler) => socket.on(event, handler),
      emit: (event, arg) => void socket.emit(event, arg),
      ask: (event, arg) => socket.request(event, arg),
      close: () => client.close(),
    };
  },
  async "socket.io-client"(url) {
    const { io } = await import("/socket.io/socket.io.esm.min.js");
    const socket = io(url, { transports: ["websocket"], forceNew: true });
    await new Promise((connected) => socket.on("connect", connected));
    return {
      on: (event, handler) => socket.on(event, handler),
      emit: (event, arg) => void socket.emit(event, arg),
      ask: (event, arg) => socket.emitWithAck(event, arg),
      close: () => socket.close(),
    };
  },
};

/** From nothing to connected. */
export async function start(name, url) {
  const began = performance.now();
  const client = await CLIENTS[name](url);
  const took = performance.now() - began;
  client.close();
  return { "import to connected, ms": took };
}

export async function run(name, url) {
  const client = await CLIENTS[name](url);
  const rate = async (work) => {
    const began = performance.now();
    await work();
    return MESSAGES / ((performance.now() - began) / 1_000);
  };

  const emit = await rate(async () => {
    for (let sent = 0; sent < MESSAGES; sent += BURST) {
      for (let at = 0; at < BURST; at += 1) client.emit("tick", { n: sent + at, text: "the quick brown fox" });
      // The server has them.
      await client.ask("count", 0);
    }
  });

  let left = MESSAGES;
  const all = new Promise((all) => client.on("tick", ({ n }) => n >= 0 && (left -= 1) === 0 && all()));
  const receive = await rate(async () => {
    await client.ask("flood", MESSAGES);
    await all;
  });

  const began = performance.now();
  for (let at = 0; at < ANSWERS; at += 1) await client.ask("count", at);
  const answer = ((performance.now() - began) / ANSWERS) * 1_000;
  client.close();
  return { "emitted/s": emit, "received/s": receive, "answer, µs": answer };
}
