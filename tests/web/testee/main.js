// The testee of the web: carries JSON lines between standard input and output and a page that drives the npm package
// (page.js). tests/interop has the suite that speaks to it.

import { createInterface } from "node:readline";
import { start } from "../browser.js";
import { PACKAGE, serve } from "../serve.js";
import { Page, TESTEE_ARGS } from "./devtools.js";

const here = new URL("./", import.meta.url).pathname;
const PAGE = `<!doctype html><title>testee</title><link rel="icon" href="data:,"><script type="module" src="/testee/page.js"></script>`;

// Lines that come before the page is there wait.
const lines = createInterface({ input: process.stdin });
const waiting = [];
let take = (line) => waiting.push(line);
lines.on("line", (line) => take(line));
lines.on("close", () => take('{"op":"exit"}'));

const server = await serve({ folders: { "/testee/": here, "/rejoin/": PACKAGE }, pages: { "/": PAGE } });
// The shared one is not ours to close.
const shared = process.env.REJOIN_BROWSER;
const own = shared === undefined ? await start(TESTEE_ARGS) : undefined;
const page = await Page.open(shared ?? own.address);

const end = new Promise((ended) => {
  page.bind("exited", () => ended(0));
  page.on("Inspector.targetCrashed", () => ended(1));
  page.closed.then(() => ended(1));
});
await page.bind("printLine", (line) => process.stdout.write(`${line}\n`));
page.on("Runtime.consoleAPICalled", ({ args }) => {
  process.stderr.write(`page: ${args.map(({ value, description }) => value ?? description).join(" ")}\n`);
});
page.on("Runtime.exceptionThrown", ({ exceptionDetails }) => {
  process.stderr.write(`page: ${exceptionDetails.exception?.description ?? exceptionDetails.text}\n`);
});

await page.goto(server.url);
await page.evaluate("globalThis.ready");
take = (line) => {
  if (line.trim() !== "") void page.evaluate(`take(${JSON.stringify(line)})`).catch(() => {});
};
for (const line of waiting.splice(0)) take(line);

const status = await end;
lines.close();
await Promise.all([page.close(), own?.close(), server.close()]);
// What was printed is read first.
process.stdout.write("", () => process.exit(status));
