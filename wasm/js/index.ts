// What the npm package `rejoin` has to offer.

export { Client } from "./client.js";
export { RealtimeClient, type NewRoom, type TargetType } from "./realtime.js";
export { RejoinError, type ErrorKind } from "./errors.js";
export type * from "./events.js";
export type { Unsubscribe } from "./handlers.js";
export type {
  ClientOptions,
  LimitOptions,
  Provided,
  QueueOptions,
  RealtimeOptions,
  ReconnectOptions,
  SocketOptions,
  TypingOptions,
} from "./options.js";
export type { Hint } from "./page.js";
export type { Binary } from "./payload.js";
export type { Outcome, Receipt } from "./receipt.js";
export type { AnyEvents, EmitOptions, Emitter, EventsMap, Socket } from "./socket.js";
export type * from "./status.js";
export { load, type WasmSource } from "./wasm.js";
