// What a client is made with, and that it is what it says: JavaScript has no types when it runs.

import type { Settings } from "./glue/rejoin.js";
import { encodeText } from "./payload.js";
import { RejoinError, said, wrongOption } from "./errors.js";

/** A value, or a function that is asked for it at each attempt to connect. It has 10 s. */
export type Provided<T> = T | (() => T | PromiseLike<T>);

/** The delays between attempts: `min(maxDelay, initialDelay * multiplier^n)`, each times a factor drawn from [0.5, 1]. */
export interface ReconnectOptions {
  /** Delay before the first attempt after a loss, in ms. Default 1,000. */
  initialDelay?: number;
  /** No delay is longer than this, in ms. Default 5,000. */
  maxDelay?: number;
  /** How much longer each delay is than the one before. Default 2. */
  multiplier?: number;
  /** After so many attempts to connect again the state is `failed`. Default: without end, as with `Infinity`. */
  maxAttempts?: number;
  /** Whether delays are jittered. Default true. */
  jitter?: boolean;
  /** The seed of jitter and message ids, for tests that are to repeat exactly. Never set it in production. */
  seed?: number;
}

/** The bounds of what waits to be sent, per socket. */
export interface QueueOptions {
  /** How many messages may wait while there is no connection, and be unanswered while there is one. Default 100. */
  capacity?: number;
  /** The same in bytes. Default 4 MiB. */
  bytes?: number;
  /** What happens when it is full: the oldest message goes, or the new one is refused. Default `dropOldest`. */
  overflow?: "dropOldest" | "reject";
  /** How long a message may wait before it is `expired`, in ms. Default: for ever. */
  ttl?: number;
  /** The same for single kinds of messages, by the names of their events on the wire: `{ game_move: 30_000 }`. */
  ttlByEvent?: Record<string, number>;
}

/** How typing indicators are timed. */
export interface TypingOptions {
  /** `typing_stop` goes out this long after the last `startTyping`, in ms. Default 3,000. */
  autoStop?: number;
  /** While typing goes on, `typing_start` is sent again this often, in ms. Default 2,000. */
  refresh?: number;
  /** Someone else is taken to have stopped this long after their last start, in ms. Default 6,000. */
  expiry?: number;
}

/** Bounds on what a server can make the client hold. */
export interface LimitOptions {
  /** One message from the server, attachments included, in bytes. Default 16 MiB. */
  message?: number;
  /** Binary attachments of one message. Default 10. */
  attachments?: number;
  /** Nesting of JSON. Default 128. */
  depth?: number;
  /** What waits to be written while connected, in bytes. Default 1 MiB. */
  outgoing?: number;
}

/** What a socket can have of its own. */
export interface SocketOptions {
  /** Credentials that are sent on connect: an object, or a function that gives one. */
  auth?: Provided<object>;
  /** The credentials `{ token }`, or a function that gives the token. */
  token?: Provided<string>;
  /** How long an acknowledgement is waited for, in ms, from when the message is written. Default 10,000. */
  ackTimeout?: number;
  queue?: QueueOptions;
  /** Whether a reliable message is sent again after a lost link. Default `auto`: as the server's greeting says. */
  delivery?: "auto" | "atMostOnce" | "atLeastOnce";
  /** The id of the user who is signed in, as the server's greeting will name it. Default: whoever the greeting names. */
  account?: string;
}

/** What a client is made with. Every option has a default that is right for most. */
export interface ClientOptions extends SocketOptions {
  /** What is spoken with the server: Socket.IO, or one JSON object per WebSocket message. Default `socketio`. */
  protocol?: "socketio" | "json";
  /** The path that the server listens on. Default `/socket.io/`; for plain JSON that of the address, or `/ws`. */
  path?: string;
  /** Parameters of the handshake's query. They end up in server logs: no place for a token. */
  query?: Record<string, string>;
  /** How links are made, in order of preference. Default `["websocket", "polling"]`. */
  transports?: readonly ("websocket" | "polling")[];
  /** Sends cookies along, also to another origin. */
  withCredentials?: boolean;
  /** Refuses to connect without TLS. */
  requireTls?: boolean;
  reconnect?: ReconnectOptions;
  /** The limit of a whole handshake, in ms: credentials, link, session, namespace. Default 20,000. */
  connectTimeout?: number;
  limits?: LimitOptions;
  /** Whether the client looks at the page's life and at the network by itself. Default true. */
  pageLifecycle?: boolean;
}

/** What a chat client is made with. */
export interface RealtimeOptions extends ClientOptions {
  /** The namespace of the chat. Default `/`. */
  namespace?: string;
  typing?: TypingOptions;
}

/** @internal What a value is; a `text` may be a number, as ids are in some apps. */
type Check = "number" | "positive" | "boolean" | "string" | "text" | readonly string[] | Group | "own";
/** @internal */
interface Group {
  [name: string]: Check;
}

const socket: Group = {
  auth: "own",
  token: "own",
  ackTimeout: "number",
  queue: {
    capacity: "number",
    bytes: "number",
    overflow: ["dropOldest", "reject"],
    ttl: "number",
    ttlByEvent: "own",
  },
  delivery: ["auto", "atMostOnce", "atLeastOnce"],
  account: "string",
};

const client: Group = {
  ...socket,
  protocol: ["socketio", "json"],
  path: "string",
  query: "own",
  transports: "own",
  withCredentials: "boolean",
  requireTls: "boolean",
  reconnect: {
    initialDelay: "number",
    maxDelay: "number",
    multiplier: "number",
    maxAttempts: "number",
    jitter: "boolean",
    seed: "number",
  },
  connectTimeout: "number",
  limits: { message: "number", attachments: "number", depth: "number", outgoing: "number" },
  pageLifecycle: "own",
};

const chat: Group = {
  ...client,
  namespace: "string",
  typing: { autoStop: "number", refresh: "number", expiry: "number" },
};

/** Of one message. */
const emit: Group = {
  ack: "boolean",
  timeout: "positive",
  volatile: "boolean",
  reliable: "boolean",
  ttl: "positive",
  lane: "text",
};

/** Options that other platforms have. */
const elsewhere: Record<string, string> = {
  headers: "browsers allow no headers on a WebSocket; use `auth` or `query`",
  ca: "browsers decide themselves which certificates they trust",
};

/** @internal Which options there are. */
export const known = { socket, client, chat, emit };

/** @internal Sets one option, once the client is there. */
export type Setting = (settings: Settings) => void;

/**
 * @internal Looks at every option, and says how to set it.
 *
 * @throws RejoinError `invalidOption` with the option's name, `unsupported` for those that a browser cannot have.
 */
export function read(options: object, checks: Group): Setting[] {
  const settings: Setting[] = [];
  collect(options, checks, "", settings);
  return settings;
}

function collect(options: object, checks: Group, path: string, settings: Setting[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw wrongOption(path === "" ? "options" : path.slice(0, -1), "it is an object of options");
  }
  for (const [key, value] of Object.entries(options)) {
    const name = path + key;
    if (Object.hasOwn(elsewhere, name)) throw new RejoinError({ code: 1005, detail: elsewhere[name] });
    if (!Object.hasOwn(checks, key)) throw wrongOption(name, "there is no such option");
    if (value === undefined || value === null) continue;
    // As npm's client has it.
    if (value === Infinity && name === "reconnect.maxAttempts") continue;
    const check = checks[key]!;
    if (check === "own") special[name]!(value, name, settings);
    else if (Array.isArray(check)) {
      oneOf(value, name, check);
      settings.push((to) => to.text(name, value));
    } else if (typeof check === "object") collect(value, check as Group, `${name}.`, settings);
    else if (check === "positive") {
      if (typeof value !== "number" || !(value > 0 && value < Infinity)) throw wrongOption(name, "it is a number above zero");
    } else {
      const isText = check === "text" && /string|number/.test(typeof value);
      if (!isText && typeof value !== check) throw wrongOption(name, `it is a ${check as string}`);
      if (isText || check === "string") settings.push((to) => to.text(name, value as string));
      else settings.push(numeric(value, name));
    }
  }
}

function numeric(value: unknown, name: string): Setting {
  const number = Number(value);
  if (!(number >= 0 && number < Infinity)) throw wrongOption(name, "it is a number from zero on");
  return (to) => to.number(name, number);
}

function oneOf(value: unknown, name: string, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  throw wrongOption(name, `it is one of \`${choices.join("`, `")}\``);
}

/** Options with values of their own kind. */
const special: Record<string, (value: any, name: string, settings: Setting[]) => void> = {
  auth(value, name, settings) {
    if (typeof value === "function") settings.push((to) => to.provider(() => ask(value, (auth) => object(auth, name))));
    else {
      const json = object(value, name);
      settings.push((to) => to.text(name, json));
    }
  },
  token(value, name, settings) {
    if (typeof value === "function") settings.push((to) => to.provider(() => ask(value, (token) => tokenJson(token, name))));
    else {
      const json = tokenJson(value, name);
      settings.push((to) => to.text("auth", json));
    }
  },
  "queue.ttlByEvent"(value, name, settings) {
    for (const [event, ttl] of entries(value, name)) {
      if (typeof ttl !== "number" || !(ttl >= 0)) throw wrongOption(`${name}.${event}`, "it is a number of milliseconds");
      settings.push((to) => to.ttl_of(event, ttl));
    }
  },
  query(value, name, settings) {
    for (const [key, text] of entries(value, name)) {
      if (typeof text === "object") throw wrongOption(`${name}.${key}`, "it is a string");
      settings.push((to) => to.query(key, String(text)));
    }
  },
  transports(value, name, settings) {
    if (!Array.isArray(value)) throw wrongOption(name, "it is a list of `websocket` and `polling`");
    for (const transport of value) oneOf(transport, name, ["websocket", "polling"]);
    settings.push((to) => to.transports(value.join()));
  },
  pageLifecycle(value, name) {
    if (typeof value !== "boolean") throw wrongOption(name, "it is a boolean");
  },
};

function entries(value: unknown, name: string): [string, unknown][] {
  if (typeof value !== "object" || value === null) throw wrongOption(name, "it is an object");
  return Object.entries(value);
}

function object(auth: unknown, name: string): string {
  if (typeof auth !== "object" || auth === null || Array.isArray(auth)) throw wrongOption(name, "it is an object");
  return encodeText(auth, `\`${name}\``);
}

function tokenJson(token: unknown, name: string): string {
  if (typeof token !== "string") throw wrongOption(name, "it is a string");
  return JSON.stringify({ token });
}

/** Asks the app's function; whatever it throws or rejects with arrives as a text. */
async function ask(provider: () => unknown, write: (given: unknown) => string): Promise<string> {
  try {
    return write(await provider());
  } catch (thrown) {
    throw said(thrown);
  }
}

/** @internal Credentials as the text of a JSON object. */
export const credentials = { object, token: tokenJson };
