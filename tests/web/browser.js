// The browser that the tests use: Chromium, without a window.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is: as CHROMIUM says, or where Debian has it. */
export function executable() {
  const path = process.env.CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));
  if (path === undefined) throw new Error("there is no Chromium: install it, or name it in CHROMIUM");
  return path;
}

/** Root has no sandbox; /dev/shm is small in containers. */
export const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"];

/** Many pages at once, and none of them is in front. */
const UNTHROTTLED = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/**
 * Starts one that is steered by the DevTools protocol: its address, and how to end it. In a `throttled` one, pages that are
 * hidden fare as they do for users.
 */
export async function start(args = [], { throttled = false } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "rejoin-browser-"));
  const browser = spawn(
    executable(),
    [
      ...ARGS,
      ...args,
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(throttled ? [] : UNTHROTTLED),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const gone = new Promise((gone) => browser.on("exit", gone));
  const address = await new Promise((found, failed) => {
    gone.then((status) => failed(new Error(`the browser ended with ${status}`)));
    createInterface({ input: browser.stderr }).on("line", (line) => {
      const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (address !== undefined) found(address);
    });
  });
  const close = async () => {
    browser.kill();
    await gone;
    // Its own children may still be writing.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { address, close };
}
