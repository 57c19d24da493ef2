// Errors: one table for all of them. The client hands over a code and what belongs to it; the sentences stand here.

/** What went wrong, for a `switch`: one kind per stable code. */
export type ErrorKind =
  | "invalidUrl"
  | "invalidOption"
  | "invalidPayload"
  | "closed"
  | "unsupported"
  | "unreachable"
  | "tls"
  | "connectTimeout"
  | "handshake"
  | "protocol"
  | "linkLost"
  | "slowConsumer"
  | "kicked"
  | "refused"
  | "authFailed"
  | "overloaded"
  | "ackTimeout"
  | "poison"
  | "server"
  | "rateLimited"
  | "roomRefused"
  | "store"
  | "storeBusy"
  | "storeDamaged"
  | "accountChanged"
  | "handler";

/** An error as the client hands it over. */
export interface RawError {
  code: number;
  detail?: string;
  option?: string;
  after?: number;
  data?: unknown;
  serverCode?: string;
  retryAfter?: number;
  room?: string;
  event?: string;
}

type Row = readonly [kind: ErrorKind, retryable: 0 | 1, sentence: (error: RawError) => string];

const table: Record<number, Row> = {
  1001: ["invalidUrl", 0, (e) => `the address cannot be used: ${e.detail}; give one such as https://chat.example.com`],
  1002: ["invalidOption", 0, (e) => `option \`${here(e.option!)}\` cannot be used: ${e.detail}`],
  1003: ["invalidPayload", 0, (e) => `the payload cannot be used: ${e.detail}`],
  1004: ["closed", 0, (e) => e.detail ?? "the client is closed; make a new one to go on"],
  1005: ["unsupported", 0, (e) => `not supported here: ${e.detail}`],
  2001: ["unreachable", 1, (e) => `the server cannot be reached: ${e.detail}; check the address and the network`],
  2002: ["tls", 0, (e) => `no secure connection: ${e.detail}`],
  2003: [
    "connectTimeout",
    1,
    (e) => `no connection within ${e.after} ms (${e.detail}); check the network, or raise \`connectTimeout\``,
  ],
  2004: ["handshake", 1, (e) => `the server did not open a session: ${e.detail}; check the address and \`path\``],
  2005: [
    "protocol",
    1,
    (e) => `the server sent what cannot be read: ${e.detail}; the link was closed and is opened anew`,
  ],
  2006: ["linkLost", 1, () => "the connection ended; what was not answered may or may not have arrived"],
  2007: [
    "slowConsumer",
    1,
    () => "event handlers did not keep up with the server, so the link was closed; move slow work out of them",
  ],
  2008: ["kicked", 0, (e) => `the server ended the session: ${e.detail}; call \`connect\` if it is to be opened again`],
  3001: ["refused", 0, (e) => `the server refused the connection: ${e.detail}`],
  3002: ["authFailed", 1, (e) => `the auth provider gave no credentials: ${e.detail}`],
  4001: ["overloaded", 1, () => "too much is waiting to be sent; await `writable()` and send again"],
  4002: ["ackTimeout", 1, (e) => `no acknowledgement within ${e.after} ms; the server may or may not have it`],
  4003: [
    "poison",
    0,
    () => "the connection died three times while this message was being sent; it is not tried again",
  ],
  4004: ["server", 0, (e) => `the server refused the message: ${e.detail}`],
  4005: ["rateLimited", 1, (e) => `the server limits this action: ${e.detail}`],
  4006: ["roomRefused", 0, (e) => `room \`${e.room}\` could not be joined again: ${e.detail}`],
  5001: ["store", 1, (e) => `the store failed: ${e.detail}`],
  5002: ["storeBusy", 1, (e) => `the store is in use: ${e.detail}`],
  5003: ["storeDamaged", 0, (e) => `part of the store could not be read and was set aside: ${e.detail}`],
  5004: [
    "accountChanged",
    0,
    (e) => `messages of account \`${e.detail}\` are held back; sign in as that account, or call \`forget\``,
  ],
  6001: ["handler", 0, (e) => `a handler of event \`${e.event}\` failed: ${e.detail}`],
};

/** An option that the client has refused, by its name here. */
function here(option: string): string {
  const camel = option.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return camel.replace(/^backoff\.(initial|max)$/, "reconnect.$1Delay").replace(/^backoff/, "reconnect");
}

/** Everything that can fail fails with this: `code` and `kind` are stable, `message` says what to do. */
export class RejoinError extends Error {
  /** The stable code that every platform uses, for example 4002. */
  readonly code: number;
  /** The stable name of the code, for example `ackTimeout`. */
  readonly kind: ErrorKind;
  /** Whether the same call can succeed later without a change on the caller's side. */
  readonly retryable: boolean;
  /** The server's own code, where it answered with one. */
  readonly serverCode?: string;
  /** What the server added to a refused connection. */
  readonly data?: unknown;
  /** When it may be tried again, in ms, where the server said so. */
  readonly retryAfter?: number;

  /** @internal */
  constructor(raw: RawError, options?: ErrorOptions) {
    const [kind, retryable, sentence] = table[raw.code]!;
    super(sentence(raw), options);
    this.code = raw.code;
    this.kind = kind;
    this.retryable = retryable === 1;
    if (raw.serverCode !== undefined) this.serverCode = raw.serverCode;
    if (raw.data !== undefined) this.data = raw.data;
    if (raw.retryAfter !== undefined) this.retryAfter = raw.retryAfter;
  }
}

RejoinError.prototype.name = "RejoinError";

/** An option that cannot be used. */
export function wrongOption(option: string, detail: string): RejoinError {
  return new RejoinError({ code: 1002, option, detail });
}

/** A payload that cannot be used. */
export function wrongPayload(detail: string): RejoinError {
  return new RejoinError({ code: 1003, detail });
}

/** What was thrown, in words. Anything can be thrown, and this throws nothing. */
export function said(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "what was thrown has no text";
  }
}
