// A plain-JSON server as many apps have one: every WebSocket frame is one object. It knows rooms, and nothing of
// message ids unless it is told to.
//
// Usage: node json.js '{"port":3000,"token":"secret","features":["ack"],"gate":{…}}'
//
//   port       the loopback port to listen on, at /ws
//   token      what has to be authenticated with; without it nobody has to
//   features   what is announced; with "ack" a frame that has an `id` is answered
//   gate       how requests are answered before this server sees them (gate.js)
//
// `echo` comes back with its data: beside its type, or in the answer to its id. `refuse_me` is refused with the data as
// the error. Happenings it reports:
//
//   {"listening":3000}
//   {"link":1,"at":12.3,"path":"/ws","query":{…},"headers":{…}}
//   {"linkClosed":1,"reason":1000}
//   {"joined":"/","link":1,"auth":{…}}              it was authenticated, or need not be
//   {"refused":"/","link":1,"auth":{…}}
//   {"got":"echo","args":[{…}],"id":"…"}            any frame but `authenticate` and `ping`
//   {"heartbeat":1}                                 a ping came

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { report, serve } from "./control.js";
import { guard } from "./gate.js";

const config = JSON.parse(process.argv[2]);
const http = createServer((request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ server: http, path: "/ws" });
guard(http, config.gate);

let links = 0;
let messages = 0;
let mute = false;

class Client {
  rooms = new Set();

  constructor(socket) {
    this.socket = socket;
    this.link = ++links;
    this.user = { id: `guest${this.link}`, username: "Guest" };
  }

  say(type, fields) {
    if (!mute) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  get in() {
    return config.token === undefined || this.token === config.token;
  }
}

const clients = new Set();

function others(client, room) {
  return [...clients].filter((other) => other !== client && other.rooms.has(room));
}

const types = {
  authenticate(client, { token }) {
    client.token = token;
    const known = { link: client.link, auth: { token } };
    if (!client.in) {
      report({ refused: "/", ...known });
      return client.say("authentication_failed", { message: "not on the list" });
    }
    client.user = { id: `u${client.link}`, username: "User" };
    report({ joined: "/", ...known });
    client.say("authenticated", { user: client.user });
  },
  ping(client) {
    report({ heartbeat: client.link });
    client.say("pong");
  },
  join_room(client, { room }) {
    client.rooms.add(room);
    client.say("room_joined", { room });
    for (const other of others(client, room)) other.say("user_joined", { room, user: client.user });
  },
  leave_room(client, { room }) {
    client.rooms.delete(room);
    client.say("room_left", { room });
    for (const other of others(client, room)) other.say("user_left", { room, user: client.user });
  },
  message(client, { room, content }) {
    if (!client.rooms.has(room)) return client.say("error", { message: `you are not in ${room}` });
    const message = { id: ++messages, room, user: client.user, content, timestamp: Date.now() };
    for (const other of others(client, room)) other.say("chat_message", message);
  },
  echo(client, data, id) {
    if (id === undefined) client.say("echo", data);
    return { data };
  },
  refuse_me: (client, error) => ({ ok: false, error }),
};

sockets.on("connection", (socket, request) => {
  const client = new Client(socket);
  const { pathname: path, searchParams } = new URL(request.url, "http://localhost");
  const query = Object.fromEntries(searchParams);
  clients.add(client);
  report({ link: client.link, at: performance.now(), path, query, headers: request.headers });
  socket.on("error", () => {});
  socket.on("close", (reason) => {
    clients.delete(client);
    report({ linkClosed: client.link, reason });
  });
  socket.on("message", (bytes, isBinary) => {
    if (isBinary) return socket.close(1003);
    const { type, data = {}, id } = JSON.parse(bytes.toString());
    if (type !== "authenticate" && type !== "ping") report({ got: type, args: [data], id });
    if (!client.in && type !== "authenticate" && type !== "ping") return client.say("error", { message: "who are you?" });
    const answer = types[type]?.(client, data, id);
    if (id !== undefined && config.features?.includes("ack")) client.say("ack", { id, ok: true, ...answer });
  });
  client.say("connection", { clientId: `c${client.link}`, message: "welcome", features: config.features });
  if (client.in) report({ joined: "/", link: client.link, auth: {} });
});

serve({
  // Says this to everyone: the fields stand beside the type.
  async emit({ event, args }) {
    for (const client of clients) client.say(event, args[0]);
  },
  // Writes a frame as it is; binary where it is base64.
  async raw({ text, base64 }) {
    for (const { socket } of clients) socket.send(base64 === undefined ? text : Buffer.from(base64, "base64"));
  },
  // Closes every link in good order, or breaks it off.
  async disconnect({ code = 1000 }) {
    for (const { socket } of clients) socket.close(code);
  },
  async drop() {
    for (const { socket } of clients) socket.terminate();
  },
  // Says nothing any more, not even `pong`, or speaks again.
  async mute({ mute: wanted }) {
    mute = wanted;
  },
  async admit({ token }) {
    config.token = token;
  },
});

http.listen(config.port, "127.0.0.1", () => report({ listening: config.port }));
