// One namespace of a client.

import type { Link } from "./glue/rejoin.js";
import type { Border, SocketEnd, Taken } from "./border.js";
import { RejoinError, said } from "./errors.js";
import { Handlers, type Unsubscribe } from "./handlers.js";
import { credentials, known, read } from "./options.js";
import { encode, text } from "./payload.js";
import { replyOf, type Receipt } from "./receipt.js";
import type { ConnectionStatus, Notice, Pending, State, Stats, Transport } from "./status.js";

/** The events of one direction, each with its handler's signature: `{ news(title: string): void }`. */
export type EventsMap = { [event: string]: any };
/** Any event with any arguments. */
export type AnyEvents = { [event: string]: (...args: any[]) => void };

type Name<Events> = Extract<keyof Events, string>;
type Args<Handler> = Handler extends (...args: infer A) => any ? A : any[];
type Callback = (...args: any[]) => any;
/** What is sent: a callback that comes last, as npm's types have it, stands for the acknowledgement. */
type Sent<Handler> = Last<Args<Handler>> extends Callback ? Front<Args<Handler>> : Args<Handler>;
/** What the server acknowledges with, as that callback says. */
type Reply<Handler> = Last<Args<Handler>> extends (...args: infer A) => any ? A[0] : any;
/** The last argument, unless it can be anything. */
type Last<A extends any[]> = Required<A> extends [...any[], infer L] ? (unknown extends L ? never[] : L) : never[];
/** All but the last; one that need not be given keeps its place, and is never given. */
type Front<A extends any[]> = A extends [...infer F, Callback]
  ? F
  : { [K in keyof A]: A[K] extends Callback | undefined ? undefined : A[K] };

/** How one message is to be treated. What is no option, or no value for one, is refused by {@link Socket.with}. */
export interface EmitOptions {
  /** Asks the server for an acknowledgement: the outcome is then `delivered` with its answer. */
  ack?: boolean;
  /** How long the acknowledgement is waited for, in ms, from when the message is written; above zero. Asks for one. */
  timeout?: number;
  /** Sent only if it can be sent now: dropped while there is no connection or too much is waiting. */
  volatile?: boolean;
  /**
   * Carries a `messageId`, added to its first argument, which must be an object, and is sent again after a lost link if the
   * server acknowledges and removes duplicates.
   */
  reliable?: boolean;
  /** How long it may wait to be sent, in ms; above zero. */
  ttl?: number;
  /** Order holds within a lane, and a lane that has to wait does not hold up the others. */
  lane?: string;
}

const ACK = 1;
const VOLATILE = 2;
const RELIABLE = 4;

/** What the client's own is registered under, beside notices by their types. */
const ANY = "onAny";
const STATUS = "connectionStatusChange";
const NOTICE = "onNotice";
const FAILED = "handlerError";

/** What npm's client raises and this one never does. */
const ELSEWHERE = ["connect", "disconnect", "connect_error"];
let warned = false;

/** What was asked for, or else what the event's signature says. By an index: what it is assigned to asks for nothing. */
type Asked<T, Handler> = { said: Reply<Handler>; asked: T }[[T] extends [never] ? "said" : "asked"];

/** Sends with options; made by {@link Socket.with}. */
export interface Emitter<Emit extends EventsMap = AnyEvents> {
  emit<E extends Name<Emit>>(event: E, ...args: Sent<Emit[E]>): Receipt;
  request<T = never, E extends Name<Emit> = Name<Emit>>(event: E, ...args: Sent<Emit[E]>): Promise<Asked<T, Emit[E]>>;
}

/**
 * One namespace: its own state, queue, handlers and credentials, over the link that all sockets of a client share.
 *
 * Nothing here waits for the network: a call is taken, and what becomes of it is told by a {@link Receipt}, a state or an
 * event.
 */
export class Socket<Listen extends EventsMap = AnyEvents, Emit extends EventsMap = AnyEvents> implements Emitter<Emit> {
  /** The namespace, `/` for the default one. */
  readonly namespace: string;
  #border: Border;
  #handlers = new Handlers((event, thrown) => this.#failed(event, thrown));
  /** Apart, for a server may give its events any name. */
  #own = new Handlers((event, thrown) => this.#failed(event, thrown));
  #end: SocketEnd;

  /** @internal */
  constructor(border: Border, namespace: string, number: (link: Link) => number) {
    this.namespace = namespace;
    this.#border = border;
    this.#end = {
      cancel: (receipt) => border.cancel(this.#end, receipt),
      heard: (event, args) => {
        if (this.#own.has(ANY)) this.#own.run(ANY, [event, ...args], event);
        this.#handlers.run(event, args);
      },
      changed: (status) => this.#own.run(STATUS, [status]),
      noticed: (notice) => {
        this.#own.run(NOTICE, [notice], notice.type);
        this.#own.run(notice.type, [notice]);
      },
    };
    border.join(this.#end, number);
  }

  /** Connects, and stays connected until {@link Socket.disconnect}: a lost link is made anew by itself. */
  connect(): void {
    this.#border.wanted();
    this.call((link, socket) => link.connect(socket));
  }

  /** Leaves the namespace. What was sent before goes out before; what waits in the queue stays for the next `connect`. */
  disconnect(): void {
    this.call((link, socket) => link.disconnect(socket));
  }

  /** Whether messages go out at once. */
  get connected(): boolean {
    return this.state === "connected";
  }

  /** Where the socket stands now. */
  get state(): State {
    return this.#ask((link, socket) => link.state(socket) as State) ?? this.#border.status(this.#end).state;
  }

  /** Where the socket stands now, and how it came there. */
  get status(): ConnectionStatus {
    const last = this.#ask((link, socket) => link.last_change(socket));
    if (last === undefined) return this.#border.status(this.#end);
    const status = JSON.parse(last);
    if (status.error !== undefined) status.error = new RejoinError(status.error);
    return status;
  }

  /** The Socket.IO session id, while connected. */
  get id(): string | undefined {
    return this.#ask((link, socket) => link.id(socket));
  }

  /** How the link is made, while there is one. */
  get transport(): Transport | undefined {
    return this.#ask((link, socket) => link.transport(socket) as Transport | undefined);
  }

  /** Has another token from now on. Connected, it joins its namespace again with it, over the same link. */
  setToken(token: string): void {
    const json = credentials.token(token, "token");
    this.call((link, socket) => link.auth(socket, json));
  }

  /** Has other credentials from now on, as {@link Socket.setToken} does. */
  setAuth(auth: object): void {
    const json = credentials.object(auth, "auth");
    this.call((link, socket) => link.auth(socket, json));
  }

  /**
   * Sends an event; `undefined` arguments arrive as `null`, binary as binary. Not connected, it waits in the queue and is sent,
   * in order, on connect. It never throws: what no server would take has its outcome at once.
   */
  emit<E extends Name<Emit>>(event: E, ...args: Sent<Emit[E]>): Receipt {
    return this.#send(event, args, {});
  }

  /**
   * Sends an event and waits for the first argument of the server's acknowledgement. Rejects with a {@link RejoinError} that
   * says what became of it instead. While offline it waits in the queue. Where the event's signature ends with a callback, as
   * npm's types have it, the answer is what that gets; `request<number>(…)` says otherwise.
   */
  request<T = never, E extends Name<Emit> = Name<Emit>>(event: E, ...args: Sent<Emit[E]>): Promise<Asked<T, Emit[E]>> {
    return replyOf(this.#send(event, args, { ack: true }));
  }

  /**
   * Sends with options: `socket.with({ timeout: 2_000 }).request("add", 1, 2)`.
   *
   * @throws RejoinError `invalidOption` with the option's name.
   */
  with(options: EmitOptions): Emitter<Emit> {
    read(options, known.emit);
    options = { ...options };
    return {
      emit: (event, ...args) => this.#send(event, args, options),
      request: (event, ...args) => replyOf(this.#send(event, args, { ...options, ack: true })),
    };
  }

  #send(event: string, args: unknown[], options: EmitOptions): Receipt {
    const { timeout, ttl, lane, reliable = false } = options;
    // It counts while the WebAssembly is being loaded too.
    const due = ttl === undefined ? 0 : Date.now() + ttl;
    const flags = (options.ack ? ACK : 0) | (options.volatile ? VOLATILE : 0) | (reliable ? RELIABLE : 0);
    const encoded = () => {
      const encoded = encode(args);
      // The border copies it; until there is one, the app could change it.
      if (!this.#border.isOpen) encoded.attachments = encoded.attachments?.map((bytes) => bytes.slice());
      return encoded;
    };
    return this.sent(event, reliable, encoded, (link, socket, { json, attachments }) =>
      link.emit(socket, String(event), json, attachments, flags, timeout ?? 0, due && Math.max(1, due - Date.now()), lane?.toString()),
    );
  }

  /** @internal Sends what `given` gives now, whatever becomes of it later. What that throws is the outcome. */
  sent<T>(event: string, reliable: boolean, given: () => T, send: (link: Link, socket: number, given: T) => Taken): Receipt {
    let args: T;
    try {
      event = text(event, "event");
      args = given();
    } catch (thrown) {
      return this.#border.refused(this.#end, thrown as RejoinError);
    }
    return this.#border.send(this.#end, event, reliable, (link, socket) => send(link, socket, args));
  }

  /**
   * Calls `handler` for each event of this name. Where the server asks for an acknowledgement, the last argument is a function
   * that gives it. Handlers run in the order of their registration; one that throws is told as `handlerError`, or on the console
   * where nobody listens for that. `connect`, `disconnect` and `connect_error` are no events here: see {@link Socket.onStatus}.
   */
  on<E extends Name<Listen>>(event: E, handler: Listen[E]): Unsubscribe {
    return this.#listen(event, handler, false);
  }

  /** Calls `handler` for the next event of this name only. */
  once<E extends Name<Listen>>(event: E, handler: Listen[E]): Unsubscribe {
    return this.#listen(event, handler, true);
  }

  /** Removes one handler of an event, or all of them; without arguments, all handlers of all events. */
  off<E extends Name<Listen>>(event?: E, handler?: Listen[E]): void {
    // Not for a name that is undefined by mistake.
    if (arguments.length === 0) this.#handlers.clear();
    else this.#handlers.remove(event!, handler);
  }

  /** Calls `handler` for every event, before the event's own handlers. */
  onAny(handler: (event: string, ...args: any[]) => void): Unsubscribe {
    return this.#own.add(ANY, handler);
  }

  /** Removes one handler of every event, or all of them. */
  offAny(handler?: (event: string, ...args: any[]) => void): void {
    this.#own.remove(ANY, handler);
  }

  /** Calls `handler` for each change of state, in its place among the events. */
  onStatus(handler: (status: ConnectionStatus) => void): Unsubscribe {
    return this.#own.add(STATUS, handler);
  }

  /** Calls `handler` for what the client has to tell: overflow of the queue, repeated failure, handlers that throw. */
  onNotice(handler: (notice: Notice) => void): Unsubscribe {
    return this.#own.add(NOTICE, handler);
  }

  /** @internal Calls `handler` for the notices of one type. */
  onNoticeOf(type: string, handler: (notice: Notice) => void): Unsubscribe {
    return this.#own.add(type, handler);
  }

  /** Waits until a message would not be refused as `overloaded`. */
  writable(): Promise<void> {
    return this.#border.writable(this.#end);
  }

  /** What the socket and its link have done so far, in numbers; undefined until the WebAssembly is loaded. */
  stats(): Stats | undefined {
    return this.#ask((link, socket) => JSON.parse(link.stats(socket)) as Stats);
  }

  /** What waits to be sent or acknowledged, in order. */
  pending(): Pending[] {
    return (
      this.#ask((link, socket) => JSON.parse(link.pending(socket)) as Pending[]) ??
      this.#border.early(this.#end).map(({ event }) => ({ receipt: undefined, event, written: false }))
    );
  }

  /** Takes back everything that waits to be written: those messages end `cancelled`. */
  clear(): void {
    for (const { receipt } of this.#border.early(this.#end)) receipt.cancel();
    this.call((link, socket) => link.clear(socket));
  }

  /** @internal */
  call(call: (link: Link, socket: number) => void): void {
    this.#border.callOn(this.#end, call);
  }

  #ask<T>(ask: (link: Link, socket: number) => T): T | undefined {
    return this.#border.ask(this.#end, ask);
  }

  #listen(event: string, handler: (...args: any[]) => void, once: boolean): Unsubscribe {
    if (!warned && ELSEWHERE.includes(event)) {
      warned = true;
      console.warn(`rejoin: there is no event \`${event}\` here; use \`onStatus\``);
    }
    return this.#handlers.add(event, handler, once);
  }

  #failed(event: string, thrown: unknown): void {
    const error = new RejoinError({ code: 6001, event, detail: said(thrown) }, { cause: thrown });
    // What fails at being told so is not told again.
    if (event !== FAILED && (this.#own.has(NOTICE) || this.#own.has(FAILED))) this.#end.noticed({ type: FAILED, error });
    else console.error(error, thrown);
  }
}
