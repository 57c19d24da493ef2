// Runs one browser for many testees, and a command with its address in REJOIN_BROWSER:
//
//   node shared.js cargo test -p rejoin-interop
//
// Each testee has a context of its own in it. To start a browser takes longer than most cases of the suite.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ARGS, executable } from "./browser.js";

const profile = mkdtempSync(join(tmpdir(), "rejoin-browser-"));
const browser = spawn(
  executable(),
  [
    ...ARGS,
    "--headless=new",
    "--remote-debugging-port=0",
    `--user-data-dir=${profile}`,
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Many pages at once, and none of them is in front.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // The suite's servers are of another origin than its page, and know nothing of CORS.
    "--disable-web-security",
  ],
  { stdio: ["ignore", "ignore", "pipe"] },
);

const address = await new Promise((found, failed) => {
  browser.on("exit", (status) => failed(new Error(`the browser ended with ${status}`)));
  createInterface({ input: browser.stderr }).on("line", (line) => {
    const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (address !== undefined) found(address);
  });
});

const [program, ...args] = process.argv.slice(2);
const command = spawn(program, args, { stdio: "inherit", env: { ...process.env, REJOIN_BROWSER: address } });
command.on("exit", (status) => {
  browser.removeAllListeners("exit");
  browser.on("exit", () => {
    rmSync(profile, { recursive: true, force: true });
    process.exit(status ?? 1);
  });
  browser.kill();
});
