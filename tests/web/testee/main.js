// The testee of the web: carries JSON lines between standard input and output and a page that drives the npm package
// (page.js). ../../interop has the suite that speaks to it.

import { createInterface } from "node:readline";
import { open } from "../browser.js";
import { PACKAGE, serve } from "../serve.js";

const here = new URL("./", import.meta.url).pathname;
const PAGE = `<!doctype html><title>testee</title><link rel="icon" href="data:,"><script type="module" src="/testee/page.js"></script>`;

// Lines that come before the page is there wait.
const lines = createInterface({ input: process.stdin });
const waiting = [];
let take = (line) => waiting.push(line);
lines.on("line", (line) => take(line));
lines.on("close", () => take('{"op":"exit"}'));

const server = await serve({ folders: { "/testee/": here, "/rejoin/": PACKAGE }, pages: { "/": PAGE } });
// The suite's servers are of another origin and know nothing of CORS; tests/web/tests has what is about that.
const browser = await open(process.env.REJOIN_BROWSER === undefined ? ["--disable-web-security"] : []);
const context = await browser.newContext();
const page = await context.newPage();

let ended;
const end = new Promise((resolve) => (ended = resolve));
await page.exposeFunction("printLine", (line) => process.stdout.write(`${line}\n`));
await page.exposeFunction("exited", () => ended(0));
page.on("console", (message) => process.stderr.write(`page: ${message.text()}\n`));
page.on("pageerror", (error) => process.stderr.write(`page: ${error.stack}\n`));
page.on("crash", () => ended(1));
browser.on("disconnected", () => ended(1));

await page.goto(server.url);
await page.waitForFunction(() => globalThis.take !== undefined);
take = (line) => {
  if (line.trim() !== "") page.evaluate((line) => globalThis.take(line), line).catch(() => ended(1));
};
for (const line of waiting.splice(0)) take(line);

const status = await end;
lines.close();
await context.close().catch(() => {});
await browser.close().catch(() => {});
await server.close();
// What was printed is read first.
process.stdout.write("", () => process.exit(status));
