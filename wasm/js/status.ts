// Where a connection stands, and what the client has to tell about itself.

import type { RejoinError } from "./errors.js";

/**
 * Where a connection stands:
 *
 * - `idle`: `connect` was not called yet, or the WebAssembly is still being loaded.
 * - `connecting`: an attempt is under way.
 * - `connected`: the server took the namespace, rooms are joined again, and what was queued is on its way.
 * - `waiting`: the last attempt failed or the link was lost; the next starts by itself after `retryIn` ms.
 * - `offline`: there is no network; no attempt is made until there is.
 * - `paused`: the page is frozen; it goes on when it is back.
 * - `closed`: `disconnect` was called. `connect` opens it again.
 * - `failed`: the server refused, or the attempts are used up. Nothing more happens until `connect` is called.
 */
export type State = "idle" | "connecting" | "connected" | "waiting" | "offline" | "paused" | "closed" | "failed";

/** Why a connection ended or could not be made. */
export type Reason =
  | "io server disconnect"
  | "io client disconnect"
  | "ping timeout"
  | "transport close"
  | "transport error"
  | "parse error"
  | "connect timeout"
  | "connect error"
  | "offline"
  | "background"
  | "replaced"
  | "banned"
  | "shutdown"
  | "slowConsumer";

/** How bytes travel to the server. */
export type Transport = "websocket" | "polling";

/** Where a connection stands, and how it came there. */
export interface ConnectionStatus {
  readonly state: State;
  readonly previous: State;
  /** Why, where something ended or failed. */
  readonly reason: Reason | null;
  /** While `waiting`: how long after this change the next attempt starts, in ms. */
  readonly retryIn: number | null;
  /** Whether the server took up the session where it was lost, so that nothing was missed. */
  readonly recovered: boolean;
  /** How the link is made, while there is one. */
  readonly transport: Transport | null;
  /** What exactly went wrong, where something did. */
  readonly error?: RejoinError;
}

/** Before anything happened. */
export const idle: ConnectionStatus = {
  state: "idle",
  previous: "idle",
  reason: null,
  retryIn: null,
  recovered: false,
  transport: null,
};

/**
 * Five attempts in a row failed: raised once per outage, and attempts go on. Or the WebAssembly cannot be loaded: raised each time;
 * `connect`, or the network's return, tries again.
 */
export interface ConnectionFailed {
  readonly attempts: number;
  readonly error: RejoinError;
}

/** Connected again after the connection was lost. */
export interface Reconnected {
  /** Whether the server took up the session where it was lost, so that nothing was missed. */
  readonly recovered: boolean;
}

/** A handler threw. The other handlers ran all the same. */
export interface HandlerError {
  /** Its `cause` is what was thrown. */
  readonly error: RejoinError;
}

/** The queue was full and its oldest message was dropped. */
export interface Overflow {
  /** The `id` of its receipt. */
  readonly receipt: number;
  readonly event: string;
  readonly messageId?: string;
}

/** A message with an id ended. Its receipt says the same: this is for screens that were closed meanwhile. */
export interface MessageStatus {
  readonly messageId: string;
  readonly status: "delivered" | "sent" | "rejected" | "unconfirmed" | "expired" | "dropped" | "cancelled";
  readonly error?: RejoinError;
}

/** Messages wait that were accepted for another user than the one who is connected. */
export interface AccountChanged {
  /** Whose the first of them is. */
  readonly account: string;
  /** How many are held back. */
  readonly held: number;
}

/** Something that works but should not stay as it is. */
export interface Warning {
  readonly message: string;
}

/** What the client tells about itself, by name. */
export interface Notices {
  connectionFailed: ConnectionFailed;
  reconnected: Reconnected;
  handlerError: HandlerError;
  overflow: Overflow;
  messageStatus: MessageStatus;
  accountChanged: AccountChanged;
  warning: Warning;
  storeError: { readonly error: RejoinError };
  error: { readonly error: RejoinError };
}

/** What the client tells about itself: one of {@link Notices}, with its name as `type`. */
export type Notice = { [Name in keyof Notices]: { readonly type: Name } & Notices[Name] }[keyof Notices];

/** What a socket and its link have done since the client was made. Times are in ms. */
export interface Stats {
  /** Of the link: how often it was tried to connect. */
  readonly attempts: number;
  /** Of the link: how often that led to a connection. */
  readonly connects: number;
  /** Of the link: how many of those came after a connection that was lost. */
  readonly reconnects: number;
  /** Messages that wait to be written. */
  readonly queued: number;
  /** Messages that were written and wait for their acknowledgement. */
  readonly unacked: number;
  /** How long the oldest of both has waited. */
  readonly oldestMs: number | null;
  readonly sent: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly unconfirmed: number;
  readonly expired: number;
  readonly dropped: number;
  readonly cancelled: number;
  /** How often a message was written again after its link was lost. */
  readonly retries: number;
  /** Of the link. */
  readonly bytesIn: number;
  /** Of the link. */
  readonly bytesOut: number;
  /** Of the link: how long the server took to answer the last probe or CONNECT. */
  readonly rttMs: number | null;
  /** How long the last 128 acknowledgements took. */
  readonly ackMs: { readonly p50: number; readonly p99: number } | null;
}

/** A message that waits to be sent or to be acknowledged. */
export interface Pending {
  /** The `id` of its receipt; undefined while the WebAssembly is being loaded. */
  readonly receipt: number | undefined;
  readonly event: string;
  readonly messageId?: string;
  /** Whether it was written to a link and waits for its acknowledgement. */
  readonly written: boolean;
}
