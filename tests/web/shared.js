// Runs one browser for many testees, and a command with its address in REJOIN_BROWSER:
//
//   node shared.js cargo test -p rejoin-interop
//
// Each testee has a context of its own in it. To start a browser takes longer than most cases of the suite.

import { spawn } from "node:child_process";
import { start } from "./browser.js";
import { TESTEE_ARGS } from "./testee/devtools.js";

const browser = await start(TESTEE_ARGS);
const [program, ...args] = process.argv.slice(2);
const command = spawn(program, args, {
  stdio: "inherit",
  env: { ...process.env, REJOIN_BROWSER: browser.address },
});
command.on("exit", async (status) => {
  await browser.close();
  process.exit(status ?? 1);
});
