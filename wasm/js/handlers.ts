// The event-handler registry: handlers run in the order of their registration, over the list as it was when the event's
// turn came; one that throws is told, and the others run all the same.

type Handler = (...args: any[]) => void;

/** Removes the handler that it came with. Calling it again does nothing. */
export type Unsubscribe = () => void;

interface Entry {
  handler: Handler;
  once: boolean;
  gone: boolean;
}

export class Handlers {
  /** Lists are replaced, never changed: whoever runs one has it as it was. */
  #lists = new Map<string, readonly Entry[]>();

  /** `failed` is told what a handler threw. */
  constructor(private readonly failed: (event: string, thrown: unknown) => void) {}

  add(event: string, handler: Handler, once = false): Unsubscribe {
    event = String(event);
    if (typeof handler !== "function") throw new TypeError(`the handler of \`${event}\` is not a function`);
    const entry = { handler, once, gone: false };
    this.#lists.set(event, [...(this.#lists.get(event) ?? []), entry]);
    return () => this.#drop(event, (other) => other === entry);
  }

  /** Removes one handler of an event, wherever it stands, or all of them. */
  remove(event: string, handler?: Handler): void {
    this.#drop(String(event), (entry) => handler === undefined || entry.handler === handler);
  }

  has(event: string): boolean {
    return this.#lists.has(event);
  }

  clear(): void {
    for (const event of this.#lists.keys()) this.remove(event);
  }

  /** Where they are kept under another name than what they are run for has, `told` is that. */
  run(event: string, args: unknown[], told = event): void {
    for (const entry of this.#lists.get(event) ?? []) {
      if (entry.once) {
        // Not a second time, if its own code has the event come again.
        if (entry.gone) continue;
        this.#drop(event, (other) => other === entry);
      }
      try {
        entry.handler(...args);
      } catch (thrown) {
        this.failed(told, thrown);
      }
    }
  }

  #drop(event: string, which: (entry: Entry) => boolean): void {
    const list = this.#lists.get(event);
    if (list === undefined) return;
    const rest = list.filter((entry) => {
      const goes = which(entry);
      entry.gone ||= goes;
      return !goes;
    });
    if (rest.length > 0) this.#lists.set(event, rest);
    else this.#lists.delete(event);
  }
}
