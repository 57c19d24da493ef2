// One client on this side of the border: calls go over it, and what happens comes back, a batch at a time. Until the
// WebAssembly is there, calls wait here, and are made in their order then.

import { Link, Settings } from "./glue/rejoin.js";
import { RejoinError, type RawError } from "./errors.js";
import type { Setting } from "./options.js";
import { encode, restore } from "./payload.js";
import { Receipt, type Outcome, type Steering } from "./receipt.js";
import { idle, type ConnectionStatus, type Notice } from "./status.js";
import { asciiAt, isLoaded, load, onPanic } from "./wasm.js";

/** A namespace's socket, as this file knows it. */
export interface SocketEnd extends Steering {
  heard(event: string, args: unknown[]): void;
  changed(status: ConnectionStatus): void;
  noticed(notice: Notice): void;
}

/** What comes over the border; wasm/src/border.rs says how. */
type Entry = [number, any, any, any, ...any[]];

/** What a call that sends gives: the receipt's number, below zero where it is not accepted yet, or its outcome. */
export type Taken = number | string;

/** So many calls may wait for the WebAssembly. The queue's own bounds hold once it is there. */
const MOST_EARLY = 10_000;

interface Call {
  make(link: Link): void;
  socket?: SocketEnd;
  event?: string;
  receipt?: Receipt;
}

export class Border {
  #link: Link | undefined;
  #waiting: Call[] = [];
  #make: () => Link;
  /** Why no call will ever be made. */
  #dead: RejoinError | undefined;
  #loads = 0;
  #isLoading = false;
  #isTelling = false;
  /** Where the sockets stand while there is no WebAssembly. */
  #status: ConnectionStatus = idle;
  /** The sockets, those too that have no number yet. */
  #ends = new Set<SocketEnd>();
  #sockets: SocketEnd[] = [];
  #numbers = new Map<SocketEnd, number>();
  #receipts = new Map<number, Receipt>();
  /** Sockets that could not be made, and why. */
  #refused = new Map<SocketEnd, ConnectionStatus>();
  /** Who waits until a socket is writable. */
  #writers = new Set<() => void>();

  /** @throws RejoinError if the WebAssembly is there and refuses these settings. */
  constructor(url: string, settings: readonly Setting[], chat: boolean) {
    onPanic(Border.panicked);
    // Else what is on that side would keep this side for ever, which keeps that one.
    const self = new WeakRef(this);
    this.#make = () => {
      const made = new Settings(url);
      for (const set of settings) set(made);
      return made.build(chat, (text: string | number, attachments: Uint8Array[] | undefined, length: number) => {
        const border = self.deref();
        if (border !== undefined) border.#hear(text, attachments, length);
      });
    };
    if (died !== undefined) {
      // What is left of it would hang for ever.
      this.#end(died);
      this.#fail(died);
    } else if (isLoaded()) this.#link = rethrowing(this.#make);
    else this.retry();
    living.add(this);
  }

  /** Loads what could not be loaded before. */
  retry(): void {
    if (this.#link !== undefined || this.#dead !== undefined || this.#isLoading) return;
    this.#isLoading = true;
    this.#loads += 1;
    void load()
      .then(
        () => this.#open(),
        (thrown: Error) => this.#fail(new RejoinError({ code: 2001, detail: thrown.message }, { cause: thrown })),
      )
      .finally(() => (this.#isLoading = false));
  }

  /** The app wants to be connected. */
  wanted(): void {
    const dead = this.#dead;
    if (dead === undefined) return this.retry();
    if (this.#isTelling) return;
    // Whoever listens now may not have heard.
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#fail(dead);
    });
  }

  /** Makes a call, now or once there is someone to call. */
  call(make: (link: Link) => void): void {
    if (this.#link !== undefined) this.#over(make);
    else if (this.#dead === undefined) this.#waiting.push({ make });
  }

  /** The same for one socket, by its number. */
  callOn(socket: SocketEnd, make: (link: Link, number: number) => void): void {
    this.call((link) => {
      const number = this.#numbers.get(socket);
      if (number !== undefined) make(link, number);
    });
  }

  /** Makes a call that sends. */
  send(socket: SocketEnd, event: string, reliable: boolean, send: (link: Link, socket: number) => Taken): Receipt<any> {
    const receipt = new Receipt(socket);
    const make = (link: Link) => {
      const taken = send(link, this.#numbers.get(socket)!);
      if (typeof taken === "string") {
        const [[status, , error]] = JSON.parse(taken);
        return receipt.end(outcome(status, error));
      }
      receipt.id = Math.abs(taken);
      if (reliable) receipt.messageId = link.message_id();
      this.#receipts.set(receipt.id, receipt);
      if (taken > 0) receipt.accept();
    };
    const refused = this.#dead ?? this.#refused.get(socket)?.error;
    if (refused !== undefined) receipt.end({ status: "rejected", error: refused });
    else if (this.#link !== undefined) {
      this.#over(make);
      // It died of this message.
      if (this.#dead !== undefined) receipt.end({ status: "unconfirmed", error: this.#dead });
    } else if (this.#waiting.length >= MOST_EARLY) receipt.end({ status: "rejected", error: new RejoinError({ code: 4001 }) });
    else this.#waiting.push({ make, socket, event, receipt });
    return receipt;
  }

  /** A message that is refused before anyone is asked. */
  refused(socket: SocketEnd, error: RejoinError): Receipt<any> {
    const receipt = new Receipt(socket);
    receipt.end({ status: "rejected", error });
    return receipt;
  }

  /** Looks at something, if there is someone to ask. */
  ask<T>(socket: SocketEnd, ask: (link: Link, socket: number) => T): T | undefined {
    const number = this.#numbers.get(socket);
    if (this.#link === undefined || number === undefined) return undefined;
    return this.#over((link) => ask(link, number));
  }

  /** Waits until a message would not be refused, or nobody is there any more to refuse it. */
  async writable(socket: SocketEnd): Promise<void> {
    if (this.#link === undefined && this.#dead === undefined) {
      await new Promise<void>((resolve) => {
        this.#writers.add(resolve);
        this.call(() => resolve());
      });
    }
    const writable = this.ask(socket, (link, number) => link.writable(number));
    if (writable === undefined) return;
    await new Promise<void>((resolve) => {
      this.#writers.add(resolve);
      void writable.then(() => {
        this.#writers.delete(resolve);
        resolve();
      });
    });
  }

  /** Ends the client. Where nothing is loaded, that is all done here: it may never be. */
  close(): void {
    living.delete(this);
    if (this.#link !== undefined) return this.call((link) => link.close());
    if (this.#dead !== undefined) return;
    this.#end(new RejoinError({ code: 1004 }));
    this.#change({ state: "closed", reason: "io client disconnect" });
  }

  /** Joins a socket to this client: it has a number there. */
  join(socket: SocketEnd, number: (link: Link) => number): void {
    this.#ends.add(socket);
    const join = (link: Link) => {
      const at = number(link);
      this.#sockets[at] = socket;
      this.#numbers.set(socket, at);
    };
    if (this.#link !== undefined) return this.call(join);
    const make = (link: Link) => {
      try {
        rethrowing(() => join(link));
      } catch (thrown) {
        // Its own settings are wrong: that is its end, and nobody else's.
        this.#refused.set(socket, { ...idle, state: "failed", reason: "connect error", error: thrown as RejoinError });
        throw thrown;
      }
    };
    this.#waiting.push({ make, socket });
  }

  /** Whether calls are made at once. */
  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** Where a socket stands, as long as only this side knows. */
  status(socket: SocketEnd): ConnectionStatus {
    return this.#refused.get(socket) ?? this.#status;
  }

  /** Messages that wait for the WebAssembly. */
  early(socket: SocketEnd): { receipt: Receipt; event: string }[] {
    return this.#waiting.flatMap(({ socket: of, receipt, event }) =>
      of === socket && receipt !== undefined ? [{ receipt, event: event! }] : [],
    );
  }

  /** Takes a message back, if it was not written yet. */
  cancel(socket: SocketEnd, receipt: Receipt): boolean {
    const id = receipt.id;
    if (id !== undefined) return this.ask(socket, (link, number) => link.cancel(number, id)) ?? false;
    const at = this.#waiting.findIndex((call) => call.receipt === receipt);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    receipt.end({ status: "cancelled" });
    return true;
  }

  /** Makes a call over the border. What lies behind it may die of it: the app that calls hears so as it hears of any end. */
  #over<T>(make: (link: Link) => T): T | undefined {
    const link = this.#link;
    if (link === undefined) return undefined;
    try {
      return rethrowing(() => make(link));
    } catch (thrown) {
      if (thrown instanceof RejoinError) throw thrown;
      // A trap, or the app's stack has overflown in there: what it was doing is left as it was.
      this.#die(bug(thrown));
      return undefined;
    }
  }

  #open(): void {
    if (this.#dead !== undefined) return;
    let link: Link;
    try {
      link = rethrowing(this.#make);
    } catch (thrown) {
      return this.#die(thrown as RejoinError);
    }
    this.#status = idle;
    // Who made these calls has gone on, and is told last: what they call then comes behind all of this.
    const failed: { socket: SocketEnd | undefined; error: RejoinError }[] = [];
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      const { make, socket, receipt } = call;
      const refused = this.#refused.get(socket!)?.error;
      try {
        if (refused === undefined) rethrowing(() => make(link));
        else receipt?.end({ status: "rejected", error: refused });
      } catch (thrown) {
        const error = thrown instanceof RejoinError ? thrown : bug(thrown);
        receipt?.end({ status: "rejected", error });
        if (error !== thrown) return this.#die(error);
        failed.push({ socket, error });
      }
    }
    this.#link = link;
    for (const { socket, error } of failed) {
      const status = this.#refused.get(socket!);
      if (status !== undefined) socket!.changed(status);
      if (socket !== undefined) socket.noticed({ type: "error", error });
      else this.#notice({ type: "error", error });
    }
  }

  /** The WebAssembly cannot be loaded. Calls wait on. */
  #fail(error: RejoinError): void {
    this.#change({ state: "failed", reason: "connect error", error });
    this.#notice({ type: "connectionFailed", attempts: this.#loads, error });
  }

  /** There will never be anyone to call. */
  #die(error: RejoinError): void {
    if (this.#dead !== undefined) return;
    const link = this.#link;
    this.#end(error);
    this.#fail(error);
    if (link === undefined) return;
    console.error("rejoin: a bug has ended the client", error.cause);
    // Its WebSocket would stay open, if it still can be told. Not now: it is dying below this call.
    setTimeout(() => {
      corpses.push(link);
      try {
        link.close();
      } catch {}
    });
  }

  #end(error: RejoinError): void {
    this.#dead = error;
    this.#link = undefined;
    for (const { receipt } of this.#waiting.splice(0)) receipt?.end({ status: "rejected", error });
    for (const receipt of this.#receipts.values()) receipt.end({ status: "unconfirmed", error });
    this.#receipts.clear();
    for (const resolve of this.#writers) resolve();
    this.#writers.clear();
  }

  #change(change: Partial<ConnectionStatus>): void {
    const previous = this.#status.state;
    this.#status = { ...idle, ...change, previous };
    for (const socket of this.#ends) socket.changed(this.#status);
  }

  #notice(notice: Notice): void {
    for (const socket of this.#ends) socket.noticed(notice);
  }

  /** Ends all: they share the one instance that has died. */
  static panicked(text: string): void {
    for (const border of living) border.#die(bug(new Error(text)));
  }

  #hear(text: string | number, attachments: Uint8Array[] | undefined, length: number): void {
    // What is dead may still move.
    if (this.#dead !== undefined) return;
    const entries: Entry[] = JSON.parse(typeof text === "string" ? text : asciiAt(text, length));
    let taken = 0;
    for (const entry of entries) {
      const [number, name] = entry;
      if (attachments !== undefined && entry[3] > 0) {
        restore(entry[4], attachments.slice(taken, (taken += entry[3])));
      }
      try {
        if (number < 0) this.#settle(entry);
        else if (typeof name === "string") this.#tell(this.#sockets[number], number, name, entry[2], entry[4]);
        else if (name === 0) this.#sockets[number]?.changed(withError(entry[2]));
        else this.#sockets[number]?.noticed(withError({ type: entry[2], ...entry[3] }));
      } catch (thrown) {
        // Handlers are guarded; this is so that nothing behind it is lost, whatever it was.
        console.error(thrown);
      }
    }
  }

  #settle(entry: Entry): void {
    const [what, id] = entry;
    const receipt = this.#receipts.get(id);
    if (what === -1) return receipt?.accept();
    this.#receipts.delete(id);
    receipt?.end(outcome(entry[2], entry[4]));
  }

  #tell(socket: SocketEnd | undefined, number: number, name: string, reply: 0 | number[], args: unknown[]): void {
    if (reply !== 0) args.push(this.#answer(number, reply));
    socket?.heard(name, args);
  }

  /** What a handler answers a server with that asked for it: the last argument, as npm's client has it. */
  #answer(number: number, to: number[]): (...args: unknown[]) => void {
    let answered = false;
    return (...args) => {
      const { json, attachments } = encode(args);
      if (answered) return;
      answered = true;
      try {
        this.#over((link) => link.reply(number, Float64Array.from(to), json, attachments));
      } catch (thrown) {
        // Too late: the connection that asked is gone.
        if (!["linkLost", "closed"].includes((thrown as RejoinError).kind)) throw thrown;
      }
    };
  }
}

/** Those that are not closed: they hear even if the app holds nothing but its handlers. */
const living = new Set<Border>();

/** What has ended every client of this page. */
let died: RejoinError | undefined;

function bug(cause: unknown): RejoinError {
  return (died ??= new RejoinError({ code: 1004, detail: "a bug has ended all clients of this page; load it anew" }, { cause }));
}

/** Kept, so that the garbage collector does not call into them once more. */
const corpses: Link[] = [];

function outcome(status: any, told: any): Outcome {
  if (status === "delivered") return { status, reply: told };
  return told === undefined ? { status } : { status, error: new RejoinError(told as RawError) };
}

function withError<T extends { error?: any }>(told: T): T {
  if (told.error !== undefined) told.error = new RejoinError(told.error);
  return told;
}

/** The client throws errors as text. */
function rethrowing<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw typeof thrown === "string" ? new RejoinError(JSON.parse(thrown)) : thrown;
  }
}
