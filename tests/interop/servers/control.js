// How the suite steers a server: one JSON object per line, commands on standard input, answers and happenings
// on standard output.
//
//   {"id":1,"op":"emit",…}    ->  {"re":1,"ok":true,…}  or  {"re":1,"ok":false,"error":"…"}
//   whatever happens          ->  {"got":"echo",…}, {"joined":"/",…}, …
//
// The end of standard input ends the server, so that none outlives the suite.

import { createInterface } from "node:readline";

// One line, at once: the suite waits for it.
export function report(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// `commands` maps an op to an async function of the command; what it resolves to is merged into the answer.
export function serve(commands) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const command = JSON.parse(line);
    try {
      const answer = await commands[command.op](command);
      report({ re: command.id, ok: true, ...answer });
    } catch (error) {
      report({ re: command.id, ok: false, error: error.message });
    }
  });
  lines.on("close", () => process.exit(0));
}
