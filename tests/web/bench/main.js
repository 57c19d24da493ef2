// The npm package beside socket.io-client, in one page and one run: how many messages a second go out and come in, how long
// an answer takes, and how long it takes from nothing to connected. Prints medians and ratios; over 1 is better.
//
//   node tests/web/bench/main.js [rounds]

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { start } from "../browser.js";
import { PACKAGE, serve } from "../serve.js";
// Not Playwright: it has the browser tell it of every frame, which takes longer than all that is measured.
import { Page } from "../testee/devtools.js";

const here = new URL("./", import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 7);

// As little of a Socket.IO server as the measured need, so that it does not set the pace.
const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
  let got = 0;
  socket.on("message", (bytes) => {
    const text = bytes.toString();
    if (text.startsWith("40")) return socket.send('40{"sid":"s"}');
    if (!text.startsWith("42")) return;
    got += 1;
    const [, id, json] = /^42(\d*)(\[.*)$/s.exec(text);
    if (id === "") return;
    const [event, count] = JSON.parse(json);
    if (event === "flood") for (let n = 0; n < count; n += 1) socket.send(`42["tick",{"n":${n},"text":"the quick brown fox"}]`);
    socket.send(`43${id}[${got}]`);
    got = 0;
  });
});
await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${http.address().port}`;

const npm = new URL("../../../wasm/node_modules/socket.io-client/dist/", import.meta.url).pathname;
const files = await serve({
  folders: { "/bench/": here, "/rejoin/": PACKAGE, "/socket.io/": npm },
  pages: { "/": `<!doctype html><link rel="icon" href="data:,">` },
});
const browser = await start();

const CLIENTS = ["rejoin", "socket.io-client"];
const results = {};
const note = (client, measured) => {
  for (const [what, value] of Object.entries(measured)) ((results[what] ??= {})[client] ??= []).push(value);
};

/** Calls a function of page.js with a client's name. */
const call = (page, name, client) =>
  page.evaluate(`import("/bench/page.js").then((bench) => bench.${name}(${JSON.stringify(client)}, ${JSON.stringify(url)}))`);

async function visit() {
  const page = await Page.open(browser.address);
  await page.goto(files.url);
  return page;
}

// A first visit each: nothing is in any cache.
for (let round = 0; round < rounds; round += 1) {
  for (const client of CLIENTS) {
    const page = await visit();
    note(client, await call(page, "start", client));
    await page.close();
  }
}
const page = await visit();
for (let round = 0; round <= rounds; round += 1) {
  for (const client of round % 2 ? CLIENTS : CLIENTS.toReversed()) {
    const measured = await call(page, "run", client);
    // The first is for the compilers.
    if (round > 0) note(client, measured);
  }
}
await page.close();
await browser.close();
await files.close();
http.close();
for (const socket of sockets.clients) socket.terminate();

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(`${"median of " + rounds}`.padEnd(34) + CLIENTS.map((client) => client.padStart(18)).join("") + "     ratio");
for (const [what, by] of Object.entries(results)) {
  const [ours, theirs] = CLIENTS.map((client) => median(by[client]));
  const ratio = what.endsWith("/s") ? ours / theirs : theirs / ours;
  const digits = Math.max(ours, theirs) < 100 ? 2 : 0;
  console.log(what.padEnd(34) + [ours, theirs].map((value) => value.toFixed(digits).padStart(18)).join("") + ratio.toFixed(2).padStart(10));
}
