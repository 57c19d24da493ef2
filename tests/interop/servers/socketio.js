// npm's socket.io as the suite's independent server: it answers a few events, and reports all that happens to it.
//
// Usage: node socketio.js '{"port":3000,"namespaces":["/news"],"token":"secret","dropOnJoin":true,"socketio":{…}}'
//
//   port         the loopback port to listen on
//   namespaces   the namespaces beside "/"
//   token        what `auth.token` has to be; a CONNECT without it is refused with a message and data
//   dropOnJoin   close every link as soon as a namespace is joined on it
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
//   {"joined":"/","link":1,"socket":"…","auth":{…},"recovered":false}
//   {"refused":"/","link":1,"auth":{…}}
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

let links = 0;
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
    if (config.token === undefined || auth.token === config.token) return next();
    report({ refused: namespace.name, link: socket.conn.number, auth });
    const error = new Error("not on the list");
    error.data = { code: "invalid_token", given: auth.token ?? null };
    next(error);
  });

  namespace.on("connection", (socket) => {
    const link = socket.conn.number;
    const { id, recovered, handshake } = socket;
    report({ joined: namespace.name, link, socket: id, auth: handshake.auth, recovered });
    socket.on("disconnect", (reason) => report({ left: namespace.name, link, reason }));
    socket.onAny((event, ...args) => {
      const acknowledge = typeof args.at(-1) === "function" ? args.pop() : undefined;
      report({ got: event, namespace: namespace.name, args: toJson(args), ack: acknowledge !== undefined });
      if (event !== "echo") return;
      if (acknowledge) acknowledge(...args);
      else socket.emit("echo", ...args);
    });
    if (config.dropOnJoin) socket.conn.close();
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
  // Disconnects every socket of a namespace; with `close`, its link too.
  async disconnect({ namespace = "/", close = false }) {
    io.of(namespace).disconnectSockets(close);
  },
});

http.listen(config.port, "127.0.0.1", () => report({ listening: config.port }));
