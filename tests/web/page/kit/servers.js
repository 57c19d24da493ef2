// The servers that the pages talk to, each in a process of its own, and what they report.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { DEADLINE } from "./deadline.js";

const SOCKETIO = new URL("../../../interop/servers/socketio.js", import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR ?? new URL("../../../../target", import.meta.url).pathname;

class Server {
  /** What it has reported so far. */
  reports = [];
  #process;
  #waiting = new Set();
  #asked = 0;

  constructor(command, args) {
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#heard(line));
  }

  #heard(line) {
    // What it was about to say when it was killed.
    if (line.startsWith("{") && !line.endsWith("}")) return;
    this.reports.push(line.startsWith("{") ? JSON.parse(line) : { line });
    for (const look of this.#waiting) look();
  }

  /** Waits for a report that fits, among those after the first `after` too; gives it. */
  until(fits, after = 0) {
    return new Promise((found, failed) => {
      const look = () => {
        const report = this.reports.slice(after).find(fits);
        if (report === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        found(report);
      };
      const timer = setTimeout(() => {
        const said = this.reports.slice(after).map((report) => `\n  ${JSON.stringify(report).slice(0, 200)}`);
        failed(new Error(`the server never reported that ${fits}; it reported${said.join("")}`));
      }, DEADLINE);
      this.#waiting.add(look);
      look();
    });
  }

  /** All that it has reported: what a page knows may be on its way still. */
  async all() {
    await this.ask("sockets");
    return this.reports;
  }

  /** The arguments of each event of this name that it got so far. */
  async got(event) {
    return (await this.all()).filter(({ got }) => got === event).map(({ args }) => args);
  }

  /** Waits for an event of this name; its arguments. */
  async gets(event, after) {
    const fits = ({ got }) => got === event;
    fits.toString = () => `it got ${event}`;
    return (await this.until(fits, after)).args;
  }

  /** Gives it a command; its answer. */
  async ask(op, command = {}) {
    const id = ++this.#asked;
    this.#process.stdin.write(`${JSON.stringify({ id, op, ...command })}\n`);
    const answer = await this.until(({ re }) => re === id);
    if (!answer.ok) throw new Error(`${op}: ${answer.error}`);
    return answer;
  }

  /** It stands still, and its connections stay open, until `thaw`. */
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  thaw() {
    this.#process.kill("SIGCONT");
  }

  async close() {
    if (this.#process.exitCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** npm's socket.io. Ends with the test. */
export async function socketio(t, config = {}) {
  const port = await freePort();
  const server = new Server(process.execPath, [SOCKETIO, JSON.stringify({ port, ...config })]);
  t.after(() => server.close());
  server.port = port;
  server.url = `http://127.0.0.1:${port}`;
  await server.until(({ listening }) => listening !== undefined);
  return server;
}

/** The reference server. Ends with the test. */
export async function reference(t, args = []) {
  const server = new Server(`${TARGET}/debug/rejoin-server`, ["--port", "0", "--dev", ...args]);
  t.after(() => server.close());
  const { line } = await server.until(({ line }) => line?.includes("listens on"));
  [server.url] = /http:[^\s,]+/.exec(line);
  server.token = async (user, name) => (await fetch(`${server.url}/dev/token?user=${user}&name=${name}`)).text();
  return server;
}
