// One client that is driven, and what it reports.

import { Client, RealtimeClient, RejoinError } from "/rejoin/rejoin.js";
import { toJson } from "./binary.js";

/** What the client tells about itself under the name of every event too. */
const OWN_OF_EVERY_EVENT = ["handlerError", "overflow", "warning", "storeError", "accountChanged", "messageStatus"];

/** What commands say of the chat layer, and the client has as a class of its own. */
const CHAT_ONLY = ["typing"];

let numbers = 0;

/** A command that makes no sense. */
export function malformed(message) {
  return Object.assign(new Error(message), { code: 1003, kind: "invalidPayload" });
}

const unsupported = (detail) => new RejoinError({ code: 1005, detail });

export class Driven {
  /** Receipts by their numbers. */
  receipts = new Map();
  #numbers = new Map();
  #asked = new Map();
  #subscriptions = [];
  #print;
  #name;
  #last;
  #token;

  constructor(name, of, { chat, namespace, provider, ...options }, print) {
    this.#name = name;
    this.#print = print;
    if (chat !== undefined && chat !== null && typeof chat !== "boolean") {
      throw new RejoinError({ code: 1002, option: "chat", detail: "it is a boolean" });
    }
    if (provider) this.#provide(options);
    if (of instanceof Driven) this.#createOf(of, chat, namespace, options);
    else if (chat ?? true) {
      this.chat = new RealtimeClient(of, { ...options, namespace: namespace ?? undefined });
      this.client = this.chat;
      this.socket = this.chat.socket;
    } else {
      for (const name of CHAT_ONLY) {
        if (options[name] !== undefined) throw unsupported(`option \`${name}\` without the chat layer`);
      }
      this.client = new Client(of, options);
      this.socket = this.client.socket(namespace ?? "/");
    }
    this.ended = new Promise((ended) => {
      this.socket.onStatus((status) => {
        this.#last = status;
        this.#say(line(status));
        if (status.state === "closed") ended();
      });
      if (this.socket.state === "idle") this.idle = true;
    });
  }

  #createOf(of, chat, namespace, options) {
    if (chat) throw unsupported("the chat layer on another client's link");
    this.client = of.chat?.client ?? of.client;
    this.socket = this.client.socket(namespace ?? "/", options);
    this.#token ??= (token) => this.socket.setToken(token);
  }

  /** The auth is a provider that gives the last token, and answers nothing before the first one. */
  #provide(options) {
    let give;
    let token = new Promise((given) => (give = given));
    options.token = () => token;
    this.#token = (given) => {
      give(given);
      token = Promise.resolve(given);
    };
  }

  setToken(token) {
    if (this.#token !== undefined) return this.#token(token);
    this.client.setToken(token);
  }

  /** A receipt's number once it is accepted, and the line of its outcome. */
  async sent(receipt) {
    const number = ++numbers;
    this.#numbers.set(receipt.id, number);
    this.receipts.set(number, receipt);
    try {
      await receipt.accepted();
    } catch (error) {
      this.receipts.delete(number);
      throw error;
    }
    const outcome = receipt.outcome().then(({ status, reply, error }) => ({
      client: this.#name,
      receipt: number,
      outcome: status,
      reply: reply === undefined ? undefined : toJson(reply),
      error: error === undefined ? undefined : fields(error),
    }));
    return { receipt: number, outcome };
  }

  state() {
    const status = this.socket.status;
    const { id, state, transport = null } = this.socket;
    return { ...line(status), state, id, transport };
  }

  on(event) {
    this.#listen(event, false);
  }

  once(event) {
    if (event === "*") throw unsupported("`once` for every event");
    this.#listen(event, true);
  }

  #listen(event, once) {
    const ends = [];
    if (event === "*") {
      const source = this.chat ?? this.socket;
      ends.push(source.onAny((name, ...args) => this.#event(name, args)));
      ends.push(this.socket.onNotice((notice) => OWN_OF_EVERY_EVENT.includes(notice.type) && this.#notice(notice)));
    } else if (this.chat !== undefined) {
      const report = (...args) => this.#event(event, args.map((arg) => this.#own(event, arg)));
      ends.push(once ? this.chat.once(event, report) : this.chat.on(event, report));
    } else {
      const report = (...args) => this.#event(event, args);
      ends.push(once ? this.socket.once(event, report) : this.socket.on(event, report));
      const end = this.socket.onNotice((notice) => {
        if (notice.type !== event) return;
        if (once) end();
        this.#notice(notice);
      });
      ends.push(end);
    }
    this.#subscriptions.push({ event, ends });
  }

  off(event) {
    for (const entry of this.#subscriptions.filter((entry) => entry.event === event)) {
      for (const end of entry.ends) end();
    }
    if (event === "*") this.socket.offAny();
    else (this.chat ?? this.socket).off(event);
  }

  reply(ack, args) {
    const answer = this.#asked.get(ack);
    if (answer === undefined) throw malformed(`no event came with the ack ${ack}`);
    answer(...args);
  }

  #event(event, args) {
    const told = { client: this.#name, event };
    const answer = args.at(-1);
    if (typeof answer === "function") {
      told.ack = ++numbers;
      this.#asked.set(told.ack, answer);
      args = args.slice(0, -1);
    }
    this.#print({ ...told, args: toJson(args) });
  }

  #notice({ type, ...notice }) {
    this.#event(type, [this.#own(type, notice)]);
  }

  /** The client's own, as lines have it: an error's fields among the others, and receipts by our numbers. */
  #own(event, told) {
    if (told instanceof RejoinError) return fields(told);
    if (event === "overflow") return { ...told, receipt: this.#numbers.get(told.receipt) };
    if (event === "connectionStatusChange") return line(told);
    if (event === "messageStatus") return told.error ? { ...told, error: fields(told.error) } : told;
    if (told?.error instanceof RejoinError) {
      const { error, ...rest } = told;
      return { ...rest, ...fields(error) };
    }
    return told;
  }

  #say(told) {
    this.#print({ client: this.#name, ...told });
  }
}

/** A status as its line has it. */
function line({ error, ...status }) {
  return error === undefined ? status : { ...status, error: fields(error) };
}

function fields({ code, kind, message, serverCode, data }) {
  return { code, kind, message, serverCode, data };
}
