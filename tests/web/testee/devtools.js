// One page in a browser, steered by the DevTools protocol itself: a library for it takes a second to load, which a suite of
// hundreds of testees would wait for.

import WebSocket from "ws";

/** The suite's servers are of another origin than the page, and know nothing of CORS; ../tests has what is about that. */
export const TESTEE_ARGS = ["--disable-web-security"];

export class Page {
  #socket;
  #session;
  #next = 0;
  #answers = new Map();
  #listeners = new Map();

  /** Opens a page in a context of its own, which goes with the connection. */
  static async open(address) {
    const page = new Page();
    page.#socket = new WebSocket(address, { perMessageDeflate: false });
    page.closed = new Promise((closed) => page.#socket.on("close", closed));
    await new Promise((open, failed) => page.#socket.on("open", open).on("error", failed));
    page.#socket.on("message", (text) => page.#hear(JSON.parse(text)));
    const { browserContextId } = await page.#ask("Target.createBrowserContext", { disposeOnDetach: true });
    const { targetId } = await page.#ask("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await page.#ask("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId;
    await Promise.all([page.send("Runtime.enable"), page.send("Page.enable"), page.send("Inspector.enable")]);
    return page;
  }

  /** Calls `listener` with what a protocol event says. */
  on(event, listener) {
    this.#listeners.set(event, listener);
  }

  /** Gives the page a function of one text. */
  async bind(name, call) {
    const calls = (this.calls ??= new Map());
    calls.set(name, call);
    this.on("Runtime.bindingCalled", ({ name, payload }) => calls.get(name)?.(payload));
    await this.send("Runtime.addBinding", { name });
  }

  /** Goes to an address, and waits until it has loaded. */
  async goto(url) {
    const loaded = new Promise((loaded) => this.on("Page.loadEventFired", loaded));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** Evaluates an expression; what it gives, once that is there. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Makes a call of the protocol, in this page. */
  send(method, params = {}) {
    return this.#ask(method, params, this.#session);
  }

  close() {
    this.#socket.close();
    return this.closed;
  }

  #ask(method, params, sessionId) {
    const id = ++this.#next;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject, method }));
  }

  #hear({ id, result, error, method, params }) {
    if (id === undefined) return this.#listeners.get(method)?.(params);
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) answer.reject(new Error(`${answer.method}: ${error.message}`));
    else answer.resolve(result);
  }
}
