// What the tests find in the page.

import * as rejoin from "/rejoin/rejoin.js";

/** What has happened, as the tests tell it with `tell`. */
const log = [];
const waiting = new Set();

function tell(line) {
  log.push(line);
  for (const look of waiting) look();
  return line;
}

/** Waits for a line that fits, among those after the first `after` too; gives it. */
function until(fits, after = 0) {
  return new Promise((found) => {
    const look = () => {
      const line = log.slice(after).find(fits);
      if (line === undefined) return;
      waiting.delete(look);
      found(line);
    };
    waiting.add(look);
    look();
  });
}

/** Tells each change of state of a socket or chat client, as `{ state, of }`. */
function watch(of, name = "") {
  const socket = of.socket instanceof Function ? of.socket() : (of.socket ?? of);
  socket.onStatus((status) => tell({ ...status, of: name, error: status.error?.kind, message: status.error?.message }));
  socket.onNotice(({ error, ...notice }) => tell({ ...notice, notice: notice.type, error: error?.kind, of: name }));
  return of;
}

const connected = (after, name = "") => until(({ state, of }) => state === "connected" && of === name, after);

Object.assign(globalThis, rejoin, { log, tell, until, watch, connected });
