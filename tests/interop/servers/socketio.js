// npm's socket.io as the suite's independent server: it answers a few events, and reports all that happens to it.
//
// Usage: node socketio.js '{"port":3000,"namespaces":["/news"],"token":"secret","dropOnJoin":"link","socketio":{…}}'
//
//   port         the loopback port to listen on
//   namespaces   the namespaces beside "/"
//   token        what `auth.token` has to be; a CONNECT without it is refused with a message and data
//   refuse       {"times":1,"message":"too busy","data":{…}}: refuses so many CONNECTs, whatever their token
//   greeting     an event, as [name, ...args], that is emitted as soon as a namespace is joined
//   dropOnJoin   "link" or "namespace": what is closed as soon as a namespace is joined
//   chat         true: the chat protocol as it began, without acknowledgements and features (plain_chat.js)
//   socketio     options of socket.io and engine.io, e.g. transports, allowUpgrades, cookie, cors, pingInterval,
//                maxHttpBufferSize, connectionStateRecovery
//   gate         how requests are answered before engine.io sees them (gate.js)
//
// Events it answers, in every namespace: `echo` comes back with its arguments, as an acknowledgement where one
// is asked for; `silence` is never acknowledged. Happenings it reports:
//
//   {"listening":3000}
//   {"link":1,"at":12.3,"path":"/socket.io/",     a new Engine.IO session; `at` is in milliseconds
//    "query":{…},"headers":{…},"transport":"polling"}
//   {"upgraded":1,"transport":"websocket"}        link 1 has changed its transport
//   {"heartbeat":1}                               a pong came on link 1
//   {"linkClosed":1,"reason":"transport close"}
//   {"joined":"/","link":1,"socket":"…","auth":{…},"recovered":false,"at":12.3}
//   {"refused":"/","link":1,"auth":{…},"at":12.3}
//   {"left":"/","link":1,"reason":"client namespace disconnect"}
//   {"got":"echo","namespace":"/","args":[…],"ack":true}
//   {"post":187,"type":"text/plain;…"}            a long-polling request brought so many bytes

import { createServer } from "node:http";
import { Server } from "socket.io";
import { fromJson, toJson } from "./binary.js";
import { report, serve } from "./control.js";
import { guard } from "./gate.js";
import { plainChat } from "./plain_chat.js";

const config = JSON.parse(process.argv[2]);
const http = createServer();
const io = new Server(http, config.socketio);
const gate = guard(http, config.gate);
const namespaces = ["/", ...(config.namespaces ?? [])].map((name) => io.of(name));

function refuse(message, data) {
  const error = new Error(message);
  error.data = data;
  return error;
}

let links = 0;
io.engine.on("initial_headers", (headers) => Object.assign(headers, gate.cookie()));
io.engine.on("connection", (link) => {
  link.number = ++links;
  const { url, headers, _query: query } = link.request;
  const { name: transport } = link.transport;
  report({ link: link.number, at: performance.now(), path: url.split("?")[0], query, headers, transport });
  link.on("upgrade", ({ name }) => report({ upgraded: link.number, transport: name }));
  link.on("heartbeat", () => report({ heartbeat: link.number }));
  link.on("close", (reason) => report({ linkClosed: link.number, reason }));
});

for (const namespace of namespaces) {
  namespace.use((socket, next) => {
    const { auth } = socket.handshake;
    const reportRefusal = () => report({ refused: namespace.name, link: socket.conn.number, auth, at: performance.now() });
    if (config.refuse?.times > 0) {
      config.refuse.times--;
      reportRefusal();
      return next(refuse(config.refuse.message ?? "not now", config.refuse.data));
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
    if (config.chat) plainChat(namespace, socket);
    if (config.greeting) socket.emit(...config.greeting);
    if (config.dropOnJoin === "link") socket.conn.close();
    if (config.dropOnJoin === "namespace") socket.disconnect();
  });
}

// The sockets that a command is for: all of a namespace, those in a room, or the one of an id.
function chosen({ namespace = "/", room, socket }) {
  const all = io.of(namespace).sockets;
  if (socket !== undefined) return all.has(socket) ? [all.get(socket)] : [];
  return [...all.values()].filter((each) => room === undefined || each.rooms.has(room));
}

serve({
  // Emits to the chosen sockets; with `ack`, to one of them, and answers with what it acknowledged.
  async emit(command) {
    const { namespace = "/", event, args, ack, volatile } = command;
    const sockets = chosen(command);
    // Through the room, so that the adapter keeps it for who can be recovered.
    let to = io.of(namespace);
    if (command.room !== undefined) to = to.to(command.room);
    else if (command.socket !== undefined) to = to.to(command.socket);
    if (volatile) to = to.volatile;
    if (!ack) return void to.emit(event, ...fromJson(args));
    if (sockets.length === 0) throw new Error(`nobody is in ${namespace}`);
    return new Promise((resolve, reject) => {
      sockets[0].timeout(5000).emit(event, ...fromJson(args), (error, ...reply) =>
        error ? reject(error) : resolve({ reply: toJson(reply) }),
      );
    });
  },
  // Puts the chosen sockets into a room.
  async join(command) {
    for (const socket of chosen({ ...command, room: undefined })) socket.join(command.room);
  },
  // Writes a message to every link in "/" as it is, whether it makes sense or not.
  async raw({ text }) {
    for (const socket of io.sockets.sockets.values()) socket.conn.write(text);
  },
  // Disconnects the chosen sockets; with `close`, their links too.
  async disconnect(command) {
    for (const socket of chosen(command)) socket.disconnect(command.close ?? false);
  },
  // Breaks the links of the chosen sockets off, as a network does that fails.
  async drop(command) {
    for (const { conn: { transport } } of chosen(command)) {
      // On polling while a request waits, which may be only after this one has its answer.
      const destroy = () => (transport.req ? transport.req.socket.destroy() : transport.once("ready", destroy));
      if (transport.name === "websocket") transport.socket.terminate();
      else destroy();
    }
  },
  // The sockets of a namespace, with how they are connected.
  async sockets(command) {
    const line = (socket) => ({
      id: socket.id,
      link: socket.conn.number,
      transport: socket.conn.transport.name,
      rooms: [...socket.rooms],
      recovered: socket.recovered,
    });
    return { sockets: chosen(command).map(line) };
  },
  // Other answers to requests from now on.
  async gate({ gate: answers }) {
    gate.set(answers);
  },
  // Another token, or refusals, from now on.
  async admit({ token, refuse }) {
    Object.assign(config, { token, refuse });
  },
  // Stops listening and breaks every connection off; sessions that can be recovered are kept. `listen` goes on.
  async close() {
    http.closeAllConnections();
    for (const id of Object.keys(io.engine.clients)) io.engine.clients[id].transport.socket?.terminate?.();
    await new Promise((resolve) => http.close(resolve));
  },
  async listen() {
    await new Promise((resolve) => http.listen(config.port, "127.0.0.1", resolve));
  },
});

http.listen(config.port, "127.0.0.1", () => report({ listening: config.port }));
