// A tab that can be hidden for real: playwright has every page believe that it is in front.

import { after } from "node:test";
import { start } from "../../browser.js";
import { Page } from "../../testee/devtools.js";
import { within } from "./deadline.js";
import { site as served } from "./site.js";

let browser;
let site;
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens a tab with the package in it. `before` runs in it before anything else. */
export async function tab(t, { before } = {}) {
  site ??= await served();
  browser ??= await start([], { throttled: true });
  const page = await Page.open(browser.address);
  t.after(() => page.close());
  const { targetInfo } = await page.send("Target.getTargetInfo");
  const { browserContextId } = targetInfo;
  // What the page writes to its WebSockets.
  page.frames = [];
  page.on("Network.webSocketFrameSent", ({ response }) => page.frames.push(response.payloadData));
  await page.send("Network.enable");
  if (before) await page.send("Page.addScriptToEvaluateOnNewDocument", { source: `(${before})()` });
  page.run = async (run, arg) => {
    const running = page.evaluate(`(${run})(${JSON.stringify(arg)})`);
    return within(running, async () => `the page is not done with ${run}\nIt has seen ${await page.evaluate("JSON.stringify(log.slice(-8))")}`);
  };
  page.home = site.url;
  page.hide = async () => {
    const other = await page.send("Target.createTarget", { url: "about:blank", browserContextId });
    await page.run(() => until(({ visible }) => visible === "hidden"));
    page.other = other.targetId;
  };
  page.show = async () => {
    const after = await page.run(() => log.length);
    await page.send("Page.bringToFront");
    await page.run((after) => until(({ visible }) => visible === "visible", after), after);
  };
  page.freeze = () => page.send("Page.setWebLifecycleState", { state: "frozen" });
  page.resume = () => page.send("Page.setWebLifecycleState", { state: "active" });
  await page.goto(`${site.url}/`);
  await page.run(() => {
    document.addEventListener("visibilitychange", () => tell({ visible: document.visibilityState }));
    for (const event of ["freeze", "resume"]) document.addEventListener(event, () => tell({ page: event }));
  });
  return page;
}
