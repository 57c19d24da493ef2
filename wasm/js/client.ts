// A client: one server, one link, any number of sockets.

import { Border } from "./border.js";
import { wrongOption } from "./errors.js";
import { credentials, known, read, type ClientOptions, type SocketOptions } from "./options.js";
import { watchPage, type Hint } from "./page.js";
import { Socket, type AnyEvents, type EventsMap } from "./socket.js";
import { Settings } from "./glue/rejoin.js";

const HINTS: readonly Hint[] = ["online", "offline", "foreground", "background", "suspend"];

/**
 * A client of one server, for any events. Its sockets share one link.
 *
 * It can be used at once: until the WebAssembly is loaded, calls wait and are then made in their order.
 */
export class Client<Listen extends EventsMap = AnyEvents, Emit extends EventsMap = AnyEvents> {
  #border: Border;
  #sockets = new Map<string, Socket<any, any>>();
  #unwatch: () => void = () => {};

  /**
   * @param url `http`, `https`, `ws` or `wss`, a host, and a port where it is not the scheme's own.
   * @throws RejoinError `invalidOption` with the option's name. What only the client itself can refuse, an address above all, is
   * thrown once the WebAssembly is loaded; before that it is told as `connectionFailed`.
   */
  constructor(url: string | URL, options?: ClientOptions);
  /** @internal For the chat layer, whose options are its own. */
  constructor(url: string | URL, options: ClientOptions, border: Border);
  constructor(url: string | URL, options: ClientOptions = {}, border?: Border) {
    this.#border = border ?? new Border(address(url), read(options, known.client), false);
    if (options.pageLifecycle ?? true) {
      this.#unwatch = watchPage(address(url), (sign) => {
        if (sign === "hidden") this.#border.call((link) => link.stop_all_typing());
        else this.hint(sign);
      });
    }
  }

  /**
   * The socket of a namespace, made at the first call: `/` or `/name`. It is not connected yet. Options are what it has of its
   * own; the first call for a namespace decides.
   */
  socket<L extends EventsMap = Listen, E extends EventsMap = Emit>(namespace = "/", options?: SocketOptions): Socket<L, E> {
    const name = namespace.startsWith("/") ? namespace : `/${namespace}`;
    let socket = this.#sockets.get(name);
    if (socket === undefined) {
      const settings = options && read(options, known.socket);
      socket = new Socket(this.#border, name, (link) => {
        if (settings === undefined) return link.socket(name);
        const made = new Settings("");
        for (const set of settings) set(made);
        return link.socket_with(name, made);
      });
      this.#sockets.set(name, socket);
    }
    return socket;
  }

  /** Connects every socket made so far; the default namespace's, if there is none. */
  connect(): void {
    if (this.#sockets.size === 0) this.socket();
    for (const socket of this.#sockets.values()) socket.connect();
  }

  /** Disconnects every socket. `connect` works again. */
  disconnect(): void {
    for (const socket of this.#sockets.values()) socket.disconnect();
  }

  /** Has another token from now on, for all sockets that have no credentials of their own. */
  setToken(token: string): void {
    const json = credentials.token(token, "token");
    this.#border.call((link) => link.auth(undefined, json));
  }

  /** Has other credentials from now on, for all sockets that have none of their own. */
  setAuth(auth: object): void {
    const json = credentials.object(auth, "auth");
    this.#border.call((link) => link.auth(undefined, json));
  }

  /**
   * Tells what is known about the network and the app. The client does so by itself, unless `pageLifecycle` is false:
   * `offline`, `online`, `suspend` when the page is left or frozen, `foreground` when it is back.
   */
  hint(hint: Hint): void {
    if (!HINTS.includes(hint)) throw wrongOption("hint", `it is one of ${HINTS.join(", ")}`);
    if (hint === "online" || hint === "foreground") this.#border.retry();
    this.#border.call((link) => link.hint(hint));
  }

  /** Disconnects and keeps nothing of the user who was signed in. */
  forget(): void {
    this.#border.call((link) => link.forget());
  }

  /** Ends the client for good: every message gets its outcome. */
  close(): void {
    this.#unwatch();
    this.#border.close();
  }
}

/** An address that begins with a slash is one of the page's own server. */
export function address(url: string | URL): string {
  const text = String(url);
  if (!text.startsWith("/")) return text;
  // Rendered on a server there is no page, and nobody connects: such a client is there to be asked.
  return (typeof location === "undefined" ? "http://page.invalid" : location.origin) + text;
}
