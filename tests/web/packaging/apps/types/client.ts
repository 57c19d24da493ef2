// The client for any events, with types of the app's own.

import { Client, RejoinError, load } from "rejoin";
import type {
  Binary,
  ClientOptions,
  EmitOptions,
  Emitter,
  ErrorKind,
  Hint,
  Notice,
  Outcome,
  Pending,
  Receipt,
  Socket,
  State,
  Stats,
  Unsubscribe,
} from "rejoin";

interface News {
  title: string;
  bytes?: Binary;
}

type Listen = {
  news(item: News, acknowledge: (read: boolean) => void): void;
  count(howMany: number): void;
};

type Emit = {
  subscribe(topic: string, since?: number): void;
  publish(item: News): void;
};

const options: ClientOptions = {
  auth: async () => ({ token: "secret" }),
  query: { version: "2" },
  transports: ["websocket", "polling"],
  protocol: "socketio",
  path: "/socket.io/",
  withCredentials: true,
  requireTls: true,
  ackTimeout: 5_000,
  connectTimeout: 10_000,
  delivery: "atLeastOnce",
  account: "me",
  queue: { capacity: 10, bytes: 1_000, overflow: "reject", ttl: 1_000, ttlByEvent: { publish: 500 } },
  reconnect: { initialDelay: 100, maxDelay: 1_000, multiplier: 2, maxAttempts: 5, jitter: false, seed: 1 },
  limits: { message: 1_000, attachments: 1, depth: 10, outgoing: 1_000 },
  pageLifecycle: false,
};

export const client = new Client<Listen, Emit>(new URL("https://chat.example.com"), options);
export const socket: Socket<Listen, Emit> = client.socket();
export const admin: Socket = client.socket<any, any>("/admin", { token: "secret" });
export const anything = new Client("https://chat.example.com");

const off: Unsubscribe = socket.on("news", ({ title, bytes }, acknowledge) => {
  const text: string = title;
  const length: number | undefined = bytes?.byteLength;
  acknowledge(text.length === length);
});
off();
socket.once("count", (howMany) => howMany.toFixed());
socket.off("count");
socket.onAny((event: string, ...args) => event + args.length);
socket.onStatus(({ state, previous, reason, retryIn, transport, error }) => {
  const states: State[] = [state, previous];
  const kind: ErrorKind | undefined = error?.kind;
  return [states, kind, reason === "ping timeout", (retryIn ?? 0) + 1, transport === "polling"];
});
socket.onNotice((notice: Notice) => {
  switch (notice.type) {
    case "connectionFailed":
      return notice.attempts + notice.error.code;
    case "reconnected":
      return notice.recovered;
    case "overflow":
      return notice.receipt;
    case "messageStatus":
      return notice.messageId + notice.status;
    default:
      return notice.type;
  }
});

/** What became of a message, by its status. */
export async function outcome(receipt: Receipt<[number]>): Promise<number | string> {
  const outcome: Outcome<[number]> = await receipt;
  switch (outcome.status) {
    case "delivered":
      return outcome.reply[0].toFixed();
    case "rejected":
    case "unconfirmed":
      return outcome.error.retryable ? (outcome.error.retryAfter ?? 0) : outcome.error.message;
    case "sent":
    case "expired":
    case "dropped":
    case "cancelled": {
      const none: undefined = outcome.error;
      return none ?? outcome.status;
    }
  }
}

/** Everything else that a socket does. */
export async function use(): Promise<void> {
  await load("/rejoin.wasm");
  await load(fetch("/rejoin.wasm"));
  await load(new Uint8Array(4));
  client.connect();
  const receipt = socket.emit("publish", { title: "hello", bytes: new Uint8Array(1) });
  await receipt.accepted();
  const id: number | undefined = receipt.id ?? receipt.messageId?.length;
  const cancelled: boolean = receipt.cancel();
  const options: EmitOptions = { ack: true, timeout: 10, volatile: false, reliable: true, ttl: 10, lane: "a" };
  const emitter: Emitter<Emit> = socket.with(options);
  const count = await emitter.request<number>("subscribe", "sport", 3);
  const any = await anything.socket().request("whatever", 1, "two", [3]);
  const pending: Pending[] = socket.pending();
  const stats: Stats | undefined = socket.stats();
  const hint: Hint = "suspend";
  client.hint(hint);
  client.setToken("other");
  client.setAuth({ token: "other" });
  await socket.writable();
  console.log(id, cancelled, count.toFixed(), any.what, pending[0]?.written, stats?.ackMs?.p99, socket.transport);
  socket.disconnect();
  client.forget();
  client.close();
}

/** Errors, by kind. */
export function explain(error: unknown): string {
  if (!(error instanceof RejoinError)) return String(error);
  const code: number = error.code;
  switch (error.kind) {
    case "rateLimited":
      return `in ${error.retryAfter} ms`;
    case "refused":
      return JSON.stringify(error.data);
    case "server":
      return error.serverCode ?? error.message;
    default:
      return `${code}`;
  }
}

/** Signatures as npm's types have them: a callback that comes last is the acknowledgement. */
type ToServer = {
  add(a: number, b: number, answer: (sum: number) => void): void;
  find(name: string, limit?: number, answer?: (found: string[], more: boolean) => void): void;
  ping(answer: () => void): void;
  anything(value: any): void;
  note(text: string): void;
};

export const typed = new Client<Listen, ToServer>("https://chat.example.com");

export async function answers(): Promise<void> {
  const socket = typed.socket();
  const sum: number = (await socket.request("add", 1, 2)).valueOf();
  const found: string[] = (await socket.with({ timeout: 1 }).request("find", "x")).concat("y");
  await socket.request("find", "x", 2);
  await socket.request("ping");
  socket.emit("add", sum, 2);
  socket.emit("anything", found);
  socket.with({ ack: true }).emit("note", "text");
  // Not known from the signature.
  (await socket.request("note", "text")).anything;
  const other: boolean = await socket.request<boolean>("note", "text");
  socket.off();

  const untyped = new Client("https://chat.example.com").socket();
  const three: number = await untyped.request<number>("add", 1, 2);
  const more: string = await untyped.with({ ttl: 1 }).request<string>("add", three, other);
  const any: { deep: string } = await untyped.request("add", more);
  untyped.emit("add", any, () => {});
}
