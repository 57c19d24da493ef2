// What became of one message: its receipt, and the one outcome it ends in.

import { RejoinError, wrongPayload } from "./errors.js";

/**
 * How one message ended. Every message ends in exactly one of these:
 *
 * - `delivered`: the server acknowledged it; `reply` is its answer, one item an argument.
 * - `sent`: it was handed to the browser. No more is known: nobody was asked to acknowledge it.
 * - `rejected`: it was refused, here or by the server, and will not be sent again.
 * - `unconfirmed`: it was written, and no answer can come any more: the server may or may not have it.
 * - `expired`: its time to live passed before it was sent.
 * - `dropped`: it was never written: the queue was full, or it was volatile and there was no connection.
 * - `cancelled`: it was cancelled before it was written.
 */
export type Outcome<Reply extends unknown[] = any[]> =
  | { readonly status: "delivered"; readonly reply: Reply; readonly error?: undefined }
  | { readonly status: "rejected" | "unconfirmed"; readonly error: RejoinError; readonly reply?: undefined }
  | {
      readonly status: "sent" | "expired" | "dropped" | "cancelled";
      readonly reply?: undefined;
      readonly error?: undefined;
    };

/** How a receipt reaches the client that it belongs to. */
export interface Steering {
  cancel(receipt: Receipt): boolean;
}

/**
 * The sender's half of one message: `await` it for its {@link Outcome}, or let it go and the message is sent all the same.
 *
 * It never rejects: a failure is an outcome. Letting it go never cancels the message; {@link Receipt.cancel} does.
 */
export class Receipt<Reply extends unknown[] = any[]> implements PromiseLike<Outcome<Reply>> {
  /**
   * A number that names this message within its client, as `pending()` and `overflow` give it; undefined until the
   * WebAssembly is loaded, and where the message was refused before that.
   */
  id: number | undefined;
  /** The UUIDv7 under which a server removes duplicates: of reliable messages, once they have an `id`. */
  messageId: string | undefined;

  #steering: Steering;
  #outcome: Outcome<Reply> | undefined;
  #accepted = false;
  // Made when someone asks: most receipts are let go.
  #ends: PromiseWithResolvers<Outcome<Reply>> | undefined;
  #accepts: PromiseWithResolvers<void> | undefined;

  /** @internal */
  constructor(steering: Steering) {
    this.#steering = steering;
  }

  /** Waits for the outcome, as `await receipt` does. */
  outcome(): Promise<Outcome<Reply>> {
    if (this.#outcome !== undefined) return Promise.resolve(this.#outcome);
    this.#ends ??= withResolvers();
    return this.#ends.promise;
  }

  then<A = Outcome<Reply>, B = never>(
    fulfilled?: ((outcome: Outcome<Reply>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.outcome().then(fulfilled, rejected);
  }

  /**
   * Waits until the message is in the client's care: on disk where there is a store, as soon as the WebAssembly is loaded
   * otherwise. Rejects with the reason for which it was refused.
   */
  accepted(): Promise<void> {
    if (this.#outcome?.status === "rejected" && !this.#accepted) return Promise.reject(this.#outcome.error);
    if (this.#accepted || this.#outcome !== undefined) return Promise.resolve();
    this.#accepts ??= withResolvers();
    return this.#accepts.promise;
  }

  /**
   * Takes the message back if it was not written yet. Says whether it did. One that waits to be sent again is not, and ends
   * `unconfirmed`.
   */
  cancel(): boolean {
    return this.#outcome === undefined && this.#steering.cancel(this);
  }

  /** @internal */
  accept(): void {
    this.#accepted = true;
    this.#accepts?.resolve();
  }

  /** @internal */
  end(outcome: Outcome<Reply>): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#ends?.resolve(outcome);
    if (this.#accepts === undefined || this.#accepted) return;
    if (outcome.status === "rejected") this.#accepts.reject(outcome.error);
    else this.#accepts.resolve();
  }
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** `Promise.withResolvers`, which browsers have since 2024 only. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  const made = {} as PromiseWithResolvers<T>;
  made.promise = new Promise<T>((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** The server's answer, or the error that says why there is none. */
export async function replyOf(receipt: Receipt): Promise<any> {
  const outcome = await receipt.outcome();
  switch (outcome.status) {
    case "delivered":
      return outcome.reply[0];
    case "rejected":
    case "unconfirmed":
      throw outcome.error;
    case "dropped":
      throw new RejoinError({ code: 4001 });
    case "expired":
      throw wrongPayload("its time to live passed before it was sent");
    case "cancelled":
      throw wrongPayload("it was cancelled");
    case "sent":
      throw new RejoinError({ code: 1005, detail: "the message asked for no acknowledgement" });
  }
}
