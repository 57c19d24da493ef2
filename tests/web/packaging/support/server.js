// npm's socket.io, which the interop tests have too: tests/interop/servers/socketio.js says what it does.

import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const SERVERS = new URL("../../../interop/servers/", import.meta.url).pathname;

/** Starts one: its address, its port, what it was sent so far, and how to end it. */
export async function startServer() {
  if (!existsSync(`${SERVERS}node_modules`)) execFileSync("npm", ["ci", "--silent"], { cwd: SERVERS, stdio: "inherit" });
  const port = await freePort();
  const config = { port, namespaces: ["/chat"], socketio: { cors: { origin: "*" } } };
  const server = spawn(process.execPath, [`${SERVERS}socketio.js`, JSON.stringify(config)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const got = [];
  await new Promise((listening, failed) => {
    server.on("exit", (status) => failed(new Error(`socketio.js ended with ${status}`)));
    createInterface({ input: server.stdout }).on("line", (line) => {
      const told = JSON.parse(line);
      if (told.listening !== undefined) listening();
      if (told.got !== undefined) got.push(told);
    });
  });
  const close = () => new Promise((closed) => {
    server.on("exit", closed);
    server.stdin.end();
  });
  return { port, got, url: `http://127.0.0.1:${port}`, close };
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
