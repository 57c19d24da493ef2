// What the tests share: one browser and one server, from the first test that asks to the last.

import { after } from "node:test";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { ARGS, executable } from "../../browser.js";
import { startServer } from "./server.js";

let browsing;
let serving;

/** The server. */
export function server() {
  return (serving ??= startServer());
}

after(async () => {
  await (await browsing)?.close();
  await (await serving)?.close();
});

/** What `talk` says in the end, over a WebSocket. */
export const TALKED = { text: "hello", bytes: [1, 2, 3], transport: "websocket", chat: "connected" };

/** How long a page may take to report. Far beyond what anything takes. */
const PATIENCE = 60_000;

/**
 * Opens a page with the server's address in its query. `report()` in the page resolves `reported`; whatever it complains about
 * is in `complaints`, and the addresses that it asked for are in `requests`.
 */
export async function visit(address) {
  browsing ??= chromium.launch({ executablePath: executable(), args: ARGS });
  const context = await (await browsing).newContext();
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  const log = [];
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error}`));
  page.on("console", (message) => {
    log.push(message.text());
    // Every page is asked for an icon, and these have none.
    if (message.location().url.endsWith("/favicon.ico")) return;
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.exposeBinding("violated", (_, told) => complaints.push(`policy: ${told}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      globalThis.violated(`${violatedDirective} ${blockedURI}`),
    );
  });
  let report;
  await page.exposeBinding("report", (_, told) => report(told));
  const reported = new Promise((resolve, reject) => {
    report = resolve;
    const late = () => reject(new Error(`the page has reported nothing; ${JSON.stringify({ complaints, log, requests })}`));
    setTimeout(late, PATIENCE).unref();
    page.on("pageerror", late);
  });
  reported.catch(() => {});
  const url = new URL(address);
  url.searchParams.set("server", (await server()).url);
  await page.goto(url.href);
  return { page, reported, complaints, requests, close: () => context.close() };
}

/** Opens a page that talks, and sees that it did, and complained about nothing. Gives the addresses that it asked for. */
export async function visitTalking(address, talked = TALKED) {
  const { reported, complaints, requests, close } = await visit(address);
  assert.deepEqual(await reported, talked);
  assert.deepEqual(complaints, []);
  await close();
  return requests;
}
