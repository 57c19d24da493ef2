// npm's socket.io as the suite's independent server: it answers a few events, and reports all that happens to it.
//
// Usage: node socketio.js '{"port":3000,"namespaces":["/news"],"token":"secret","dropOnJoin":"link","socketio":{…}}'
//
//   port         the loopback port to listen on
//   namespaces   the namespaces beside "/"
//   token        what `auth.token` has to be; a CONNECT without it is refused with a message and data
//   retryAfter   refuse the first CONNECT, with this many milliseconds as `retryAfterMs` in its data
//   greeting     an event, as [name, ...args], that is emitted as soon as a namespace is joined
//   dropOnJoin   "link" or "namespace": what is closed as soon as a namespace is joined
//   socketio     options of socket.io and engine.io, e.g. pingInterval, connectionStateRecovery
//
// Events it answers, in every namespace: `echo` comes back with its arguments, as an acknowledgement where one
// is asked for; `silence` is never acknowledged. Happenings it reports:
//
//   {"listening":3000}
//   {"link":1,"at":12.3,"path":"/socket.io/",     a new Engine.IO session; `at` is in milliseconds
//    "query":{…},"headers":{…}}
//   {"heartbeat":1}                               a pong came on link 1
//   {"linkClosed":1,"reason":"transport close"}
//   {"joined":"/","link":1,"socket":"…","auth":{…},"recovered":false,"at":12.3}
//   {"refused":"/","link":1,"auth":{…},"at":12.3}
//   {"left":"/","link":1,"reason":"client namespace disconnect"}
//   {"got":"echo","namespace":"/","args":[…],"ack":true}

import { createServer } from "node:http";
import { Server } from "socket.io";
import { fromJson, toJson } from "./binary.js";
import { report, serve } from "./control.js";

const config = JSON.parse(process.argv[2]);
const http = createServer();
const io = new Server(http, config.socketio);
const namespaces = ["/", ...(config.namespaces ?? [])].map((name) => io.of(name));

function refuse(message, data) {
  const error = new Error(message);
  error.data = data;
  return error;
}

let links = 0;
let refusals = 0;
io.engine.on("connection", (link) => {
  link.number = ++links;
  const { url, headers, _query: query } = link.request;
  report({ link: link.number, at: performance.now(), path: url.split("?")[0], query, headers });
  link.on("heartbeat", () => report({ heartbeat: link.number }));
  link.on("close", (reason) => report({ linkClosed: link.number, reason }));
});

for (const namespace of namespaces) {
  namespace.use((socket, next) => {
    const { auth } = socket.handshake;
    const reportRefusal = () => report({ refused: namespace.name, link: socket.conn.number, auth, at: performance.now() });
    if (config.retryAfter !== undefined && refusals++ === 0) {
      reportRefusal();
      return next(refuse("too busy", { retryAfterMs: config.retryAfter }));
    }
    if (config.token !== undefined && auth.token !== config.token) {
      reportRefusal();
      return next(refuse("not on the list", { code: "invalid_token", given: auth.token ?? null }));
    }
    next();
  });

  namespace.on("connection", (socket) => {
    const link = socket.conn.number;
    const { id, recovered, handshake } = socket;
    report({ joined: namespace.name, link, socket: id, auth: handshake.auth, recovered, at: performance.now() });
    socket.on("disconnect", (reason) => report({ left: namespace.name, link, reason }));
    socket.onAny((event, ...args) => {
      const acknowledge = typeof args.at(-1) === "function" ? args.pop() : undefined;
      report({ got: event, namespace: namespace.name, args: toJson(args), ack: acknowledge !== undefined });
      if (event !== "echo") return;
      if (acknowledge) acknowledge(...args);
      else socket.emit("echo", ...args);
    });
    if (config.greeting) socket.emit(...config.greeting);
    if (config.dropOnJoin === "link") socket.conn.close();
    if (config.dropOnJoin === "namespace") socket.disconnect();
  });
}

serve({
  // Emits to every socket of a namespace; with `ack`, answers with the arguments of the one acknowledgement.
  async emit({ namespace = "/", event, args, ack }) {
    const sockets = await io.of(namespace).fetchSockets();
    if (sockets.length === 0) throw new Error(`nobody is in ${namespace}`);
    if (!ack) return void io.of(namespace).emit(event, ...fromJson(args));
    const socket = io.of(namespace).sockets.get(sockets[0].id);
    return new Promise((resolve, reject) => {
      socket.timeout(5000).emit(event, ...fromJson(args), (error, ...reply) =>
        error ? reject(error) : resolve({ reply: toJson(reply) }),
      );
    });
  },
  // Writes a message to every link in "/" as it is, whether it makes sense or not.
  async raw({ text }) {
    for (const socket of io.sockets.sockets.values()) socket.conn.write(text);
  },
  // Disconnects every socket of a namespace; with `close`, its link too.
  async disconnect({ namespace = "/", close = false }) {
    io.of(namespace).disconnectSockets(close);
  },
});

http.listen(config.port, "127.0.0.1", () => report({ listening: config.port }));
