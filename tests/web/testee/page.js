// Takes the commands, and answers each. It holds no logic of its own, so that what the package lacks shows.
// The contract is CONFORMANCE's: one JSON object per line, in both directions.

import { load } from "/rejoin/rejoin.js";
import { fromJson, toJson } from "./binary.js";
import { call } from "./call.js";
import { Driven, malformed } from "./driven.js";

const print = (line) => globalThis.printLine(JSON.stringify(line));

const clients = new Map();
/** Who waits for outcomes. */
const outcomes = new Set();

function client(name) {
  const known = clients.get(name);
  if (known === undefined) throw malformed(`there is no client \`${name}\``);
  return known;
}

const ops = {
  create({ client: name, url, of, options = {} }) {
    if (clients.has(name)) throw malformed(`client \`${name}\` is there already`);
    if ((url === undefined) === (of === undefined)) throw malformed("`create` has either `url` or `of`");
    clients.set(name, new Driven(name, of === undefined ? url : client(of), options, print));
  },
  connect: (command) => client(command.client).socket.connect(),
  disconnect: (command) => client(command.client).socket.disconnect(),
  clear: (command) => client(command.client).socket.clear(),
  pending: (command) => ({ pending: client(command.client).socket.pending().length }),
  state: (command) => ({ state: client(command.client).state() }),
  stats: (command) => ({ stats: client(command.client).socket.stats() }),
  on: (command) => client(command.client).on(command.event),
  once: (command) => client(command.client).once(command.event),
  off: (command) => client(command.client).off(command.event),
  reply: ({ client: name, ack, args = [] }) => client(name).reply(ack, args.map(fromJson)),
  hint({ client: name, hint }) {
    if (!["online", "offline", "foreground", "background"].includes(hint)) throw malformed(`there is no hint \`${hint}\``);
    client(name).client.hint(hint);
  },
  token: ({ client: name, token }) => client(name).setToken(token),
  cancel({ client: name, receipt }) {
    const known = client(name).receipts.get(receipt);
    if (known === undefined) throw malformed("there is no such receipt");
    known.cancel();
  },
  emit({ client: name, event, args = [], ack, volatile, reliable, timeout, ttl, lane }) {
    const options = { ack, volatile, reliable, ttl, lane };
    // A time for an acknowledgement that is not asked for would ask for it.
    if (ack || reliable) options.timeout = timeout;
    const driven = client(name);
    return driven.sent(driven.socket.with(options).emit(event, ...args.map(fromJson)));
  },
  call({ client: name, method, args = [] }) {
    const driven = client(name);
    const receipt = call(driven.chat, method, args);
    return receipt === undefined ? {} : driven.sent(receipt);
  },
};

async function exit(id) {
  // The end of standard input follows, and says the same.
  globalThis.take = () => {};
  print({ re: id ?? null, ok: true });
  for (const { client } of clients.values()) client.close();
  // What is closed has told everything within moments; a store that hangs is not waited for.
  const all = Promise.all([...clients.values()].map((driven) => driven.ended).concat([...outcomes]));
  await Promise.race([all, new Promise((late) => setTimeout(late, 3_000))]);
  // Lines are printed in order: when this is through, they all are.
  globalThis.exited("");
}

function take(line) {
  let command;
  try {
    command = JSON.parse(line);
    if (typeof command !== "object" || command === null || Array.isArray(command)) throw malformed("a command is a JSON object");
    if (command.op === "exit") return void exit(command.id);
    if (!Object.hasOwn(ops, command.op ?? "")) throw malformed(command.op ? `there is no op \`${command.op}\`` : "a command has an `op`");
    const answer = ops[command.op](command);
    if (!(answer instanceof Promise)) return print({ re: command.id, ok: true, ...answer });
    follow(command.id, answer);
  } catch (error) {
    refuse(command?.id, error);
  }
}

/** Answers a command that sent something, as soon as that is accepted, and then tells its outcome. */
function follow(id, answer) {
  const done = answer.then(
    ({ receipt, outcome }) => {
      print({ re: id, ok: true, receipt });
      return outcome.then((line) => print(line));
    },
    (error) => refuse(id, error),
  );
  outcomes.add(done);
  done.finally(() => outcomes.delete(done));
}

function refuse(id, error) {
  const { code = 1003, kind = "invalidPayload", message } = error;
  print({ re: id ?? null, ok: false, error: { code, kind, message } });
}

globalThis.take = take;
globalThis.ready = load();
