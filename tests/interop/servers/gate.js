// What stands between the network and engine.io: a proxy or a balancer that has its own mind.
//
//   {"upgrade": 403}                       WebSocket requests are answered with this status
//   {"upgrade": "silent"}                  they are never answered
//   {"request": 503, "retryAfter": "1"}    all other requests are, with a Retry-After where it is given
//   {"request": "silent"}
//   {…, "times": 2}                        only so many of them; without it, all
//   {"location": "http://…"}               where a redirect leads
//   {"sticky": "node"}                     sets a cookie of this name at a session's first request, and answers 400 to
//                                          later requests of the session that come without it

import { report } from "./control.js";

export function guard(http, answers = {}) {
  const requests = http.listeners("request");
  const upgrades = http.listeners("upgrade");
  http.removeAllListeners("request");
  http.removeAllListeners("upgrade");
  let current = { ...answers };
  let stuck = [];

  // How this request is answered, if not by engine.io.
  function answer(request, kind) {
    const wanted = current[kind];
    if (wanted !== undefined && (current.times === undefined || current.times-- > 0)) return wanted;
    const { sticky } = current;
    const session = new URL(request.url, "http://localhost").searchParams.has("sid");
    const has = (request.headers.cookie ?? "").split("; ").includes(`${sticky}=1`);
    if (sticky && session && !has) return 400;
  }

  function headers() {
    const own = { "Content-Type": "text/html" };
    if (current.retryAfter !== undefined) own["Retry-After"] = current.retryAfter;
    if (current.location !== undefined) own.Location = current.location;
    return own;
  }

  http.on("request", (request, response) => {
    const wanted = answer(request, "request");
    if (wanted === "silent") return void stuck.push(request.socket);
    if (wanted !== undefined) {
      report({ turnedAway: request.method, status: wanted });
      return response.writeHead(wanted, headers()).end("<html>not here</html>");
    }
    // Not by reading it, which is engine.io's to do.
    const { "content-length": bytes, "content-type": type } = request.headers;
    if (request.method === "POST") report({ post: Number(bytes), type });
    for (const listener of requests) listener.call(http, request, response);
  });

  http.on("upgrade", (request, socket, head) => {
    const wanted = answer(request, "upgrade");
    if (wanted === undefined) {
      for (const listener of upgrades) listener.call(http, request, socket, head);
      return;
    }
    report({ turnedAway: "UPGRADE", status: wanted });
    if (wanted === "silent") return void stuck.push(socket);
    const lines = Object.entries({ ...headers(), "Content-Length": 0, Connection: "close" });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.end(`HTTP/1.1 ${wanted} Not here\r\n${text}\r\n`);
  });

  return {
    // A header of the answer to a session's first request.
    cookie() {
      return current.sticky ? { "Set-Cookie": `${current.sticky}=1; Path=/; HttpOnly` } : {};
    },
    set(answers) {
      current = { ...answers };
      for (const socket of stuck) socket.destroy();
      stuck = [];
    },
  };
}
