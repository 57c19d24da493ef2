// Pages in a real browser, with the npm package in them.

import { after } from "node:test";
import { chromium } from "playwright-core";
import { ARGS, executable } from "../../browser.js";
import { within } from "./deadline.js";
import { site as served } from "./site.js";

// One for the tests of a file: to start it takes longer than most of them.
let started;
let browser;
let site;
after(async () => {
  await started;
  await browser?.close();
  await site?.close();
});

async function start() {
  site = await served();
  browser = await chromium.launch({
    executablePath: executable(),
    args: [...ARGS, "--host-resolver-rules=MAP *.example.com 127.0.0.1"],
    // What playwright switches off, and some tests are about.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

/** A context with pages of its own, which goes with the test. */
export async function context(t, options) {
  await (started ??= start());
  const made = await browser.newContext(options);
  t.after(() => made.close());
  return made;
}

/**
 * Opens a page with the package in it. `before` runs in it before anything else; `at` is another host that leads here.
 */
export async function open(t, { in: where, before, arg, at, hold, route = {} } = {}) {
  const page = await (where ?? (await context(t))).newPage();
  page.errors = [];
  page.said = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => page.said.push({ type: message.type(), text: message.text() }));
  if (before) await page.addInitScript(before, arg);
  if (hold) page.release = await held(page, hold);
  for (const [path, answer] of Object.entries(route)) await page.route(path, answer);
  page.home = at === undefined ? site.url : site.url.replace("127.0.0.1", at);
  await page.goto(`${page.home}/`);
  await page.waitForFunction("globalThis.log !== undefined");
  page.run = (run, arg) => within(page.evaluate(run, arg), () => seen(page, run));
  page.leave = () => page.goto(`${page.home}/elsewhere`);
  page.back = async () => {
    const shown = page.waitForEvent("console", (message) => message.text().startsWith("pageshow"));
    await page.evaluate("history.back()");
    // Where it was made anew it says nothing.
    if ((await shown).text() !== "pageshow true") throw new Error("it was not kept in the back-forward cache");
  };
  await page.evaluate(() => addEventListener("pageshow", ({ persisted }) => console.log(`pageshow ${persisted}`)));
  page.devtools = await page.context().newCDPSession(page);
  return page;
}

/** Holds back what the page asks for until the function is called that this gives. */
async function held(page, path) {
  const waiting = [];
  let free = false;
  await page.route(path, (route) => (free ? route.continue() : void waiting.push(route)));
  return async (answer = (route) => route.continue()) => {
    free = true;
    await Promise.all(waiting.splice(0).map(answer));
    return waiting;
  };
}

async function seen(page, run) {
  const log = await Promise.race([
    page.evaluate("JSON.stringify(globalThis.log?.slice(-8))").catch((error) => error.message),
    new Promise((late) => setTimeout(late, 3_000, "(the page does not answer)")),
  ]);
  return `the page is not done with ${run}\nIt has seen ${log}\n${JSON.stringify(page.said)} ${page.errors}`;
}
