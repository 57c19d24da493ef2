// The browser that the tests use: one of its own, or the one that REJOIN_BROWSER names, which many share.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is: CHROMIUM, or where Debian has it. */
export function executable() {
  const path = process.env.CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));
  if (path === undefined) throw new Error("there is no Chromium: install it, or name it in CHROMIUM");
  return path;
}

/** Root has no sandbox; /dev/shm is small in containers. */
export const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"];

/** A browser. Closing it closes what was opened with it. */
export async function open(args = []) {
  const shared = process.env.REJOIN_BROWSER;
  if (shared !== undefined && args.length === 0) return chromium.connectOverCDP(shared);
  return chromium.launch({ executablePath: executable(), args: [...ARGS, ...args] });
}
