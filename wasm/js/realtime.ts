// The chat layer.

import type { Link } from "./glue/rejoin.js";
import { Border, type Taken } from "./border.js";
import { address, Client } from "./client.js";
import { wrongPayload } from "./errors.js";
import { eventName, isOwn, wireName, type ChatEvents } from "./events.js";
import type { Unsubscribe } from "./handlers.js";
import { known, read, type RealtimeOptions } from "./options.js";
import type { Hint } from "./page.js";
import { encodeText, text } from "./payload.js";
import type { Receipt } from "./receipt.js";
import type { Socket } from "./socket.js";
import type { ConnectionStatus, Notice, Pending, State, Stats } from "./status.js";

/** Whether a target is a user or a room. */
export type TargetType = "private" | "group";

/** A room to create. */
export interface NewRoom {
  name: string;
  /** What it is about. */
  description?: string;
  /** Whether it is hidden from those who are not in it. */
  isPrivate?: boolean;
  /** What has to be known to join it. Kept in memory, to join again after a reconnect; never stored. */
  password?: string;
}

type Handler<Event extends string> = Event extends keyof ChatEvents
  ? (event: ChatEvents[Event]) => void
  : Custom["handler"];

interface Custom {
  // A method's parameters may be annotated; those that are not are unknown. `unknown` itself could be taken apart unseen.
  handler(...args: ({} | null | undefined)[]): void;
}

/** The names of events, offered while typing, and any other. */
type EventName = keyof ChatEvents | (string & {});

/**
 * A chat client: private and group messages, rooms, typing, games, notifications.
 *
 * Messages are reliable: each carries a message id and is acknowledged, and is sent again after a lost link, wherever the
 * server says in its greeting that it acknowledges and removes duplicates. Against other servers they are sent at most once.
 * While offline they wait in the queue; typing does not. A send never throws: what no server would take, such as a message to
 * an empty id, ends `rejected` at once.
 */
export class RealtimeClient {
  /** The client underneath, for sockets of other namespaces over the same link. */
  readonly client: Client;
  /** The socket underneath: for events that the chat layer does not know. */
  readonly socket: Socket;
  #off: { name: string; handler: unknown; end: Unsubscribe }[] = [];

  /**
   * @param url `http`, `https`, `ws` or `wss`, a host, and a port where it is not the scheme's own.
   * @throws RejoinError `invalidOption` with the option's name. Once the WebAssembly is loaded also `invalidUrl`, and
   * `invalidOption` for what only it checks, such as options that exclude each other; before that those are told as
   * `connectionFailed`.
   */
  constructor(url: string | URL, options: RealtimeOptions = {}) {
    const border = new Border(address(url), read(options, known.chat), true);
    const { pageLifecycle } = options;
    this.client = new Client(url, pageLifecycle === undefined ? {} : { pageLifecycle }, border);
    this.socket = this.client.socket(options.namespace);
  }

  /** Connects, and stays connected until {@link RealtimeClient.disconnect}: a lost link is made anew by itself. */
  connect(): void {
    this.socket.connect();
  }

  /** Disconnects. What waits in the queue stays for the next `connect`. */
  disconnect(): void {
    this.socket.disconnect();
  }

  /** Whether messages go out at once. */
  get isConnected(): boolean {
    return this.socket.connected;
  }

  /** Where the connection stands now. */
  get state(): State {
    return this.socket.state;
  }

  /** Where the connection stands now, and how it came there. */
  get status(): ConnectionStatus {
    return this.socket.status;
  }

  /** Sends a message to a user, in order with all that is sent to that user. */
  sendPrivateMessage(userId: string, content: string): Receipt {
    return this.#send("private_message", { userId, content }, (link, id, content) => link.send_message(false, id, content));
  }

  /**
   * Sends a message to a room, in order with all that is sent there. While the room is being joined it waits; if the server
   * refuses to let the user in again, it ends `rejected` with `roomRefused`.
   */
  sendGroupMessage(roomId: string, content: string): Receipt {
    return this.#send("group_message", { roomId, content }, (link, id, content) => link.send_message(true, id, content));
  }

  /**
   * Tells a user or a room that the user types. Call it at each keystroke: it is sent at most every 2 s, and the stop follows by
   * itself 3 s after the last call. Nothing is sent while offline.
   *
   * @throws RejoinError `invalidPayload` if there is no such type of target, or the target is no string.
   */
  startTyping(type: TargetType, target: string): void {
    this.#type(type, target, true);
  }

  /** Tells that the user stopped typing. Sending a message to the target does so too. */
  stopTyping(type: TargetType, target: string): void {
    this.#type(type, target, false);
  }

  /** Joins a room, now and after every reconnect until it is left. */
  joinRoom(roomId: string, password?: string): Receipt {
    return this.#send("join_room", { roomId }, (link, roomId, password) => link.join_room(roomId, password), { password });
  }

  /** Leaves a room and does not join it again. What was sent to it before goes out before. */
  leaveRoom(roomId: string): Receipt {
    return this.#send("leave_room", { roomId }, (link, roomId) => link.leave_room(roomId));
  }

  /** Creates a room. Its creator is in it; the reply `{ ok, id }` names it. */
  createRoom(room: NewRoom): Receipt {
    const { name, description, isPrivate = false, password } = room ?? ({} as NewRoom);
    const create = (link: Link, name: string, description?: string, password?: string) =>
      link.create_room(name, description, isPrivate, password);
    return this.#send("create_room", { name }, create, { description, password });
  }

  /** Invites a user to a game of some type. */
  inviteToGame(userId: string, gameType: string): Receipt {
    return this.#send("game_invite", { userId, gameType }, (link, userId, gameType) => link.invite_to_game(userId, gameType));
  }

  /** Makes a move in a game: anything that has JSON, without binary. Moves of one game stay in order. */
  sendGameMove(gameId: string, move: unknown): Receipt {
    const given = () => [text(gameId, "gameId"), encodeText(move, "a move")] as const;
    return this.socket.sent("game_move", true, given, (link, _, [id, json]) => link.send_game_move(id, json));
  }

  /** Tells that the user has read these notifications, so that the server does not send them again. */
  markNotificationsRead(notificationIds: readonly string[]): Receipt {
    const given = () => {
      // Of a text it would be the letters.
      if (!Array.isArray(notificationIds)) throw wrongPayload("`notificationIds` is a list of ids");
      return notificationIds.map((id) => text(id, "notificationIds"));
    };
    return this.socket.sent("mark_notifications_read", true, given, (link, _, ids) => link.mark_notifications_read(ids));
  }

  /**
   * Calls `handler` for each event of this name: one of {@link ChatEvents}, or any other event of the server by its name on the
   * wire.
   */
  on<Event extends EventName>(event: Event, handler: Handler<Event>): Unsubscribe {
    return this.#listen(event, handler, false);
  }

  /** Calls `handler` for the next event of this name only. */
  once<Event extends EventName>(event: Event, handler: Handler<Event>): Unsubscribe {
    return this.#listen(event, handler, true);
  }

  /** Removes one handler of an event, or all of them; without arguments, all handlers of all events. */
  off<Event extends EventName>(event?: Event, handler?: Handler<Event>): void {
    // Not for a name that is undefined by mistake.
    const name = arguments.length > 0 && eventName(wireName(event!));
    for (const entry of [...this.#off]) {
      if (name === false || (entry.name === name && (handler === undefined || entry.handler === handler))) entry.end();
    }
  }

  /** Calls `handler` for every event from the server, before the event's own handlers. */
  onAny(handler: (event: EventName, ...args: any[]) => void): Unsubscribe {
    return this.socket.onAny((event, ...args) => handler(eventName(event), ...args));
  }

  #listen(event: string, handler: (...args: any[]) => void, once: boolean): Unsubscribe {
    const onWire = wireName(event);
    const name = eventName(onWire);
    const ends: Unsubscribe[] = [];
    const end = () => {
      for (const end of ends) end();
      this.#off = this.#off.filter((entry) => entry.end !== end);
    };
    const call = (...args: any[]) => {
      if (once) end();
      handler(...args);
    };
    if (name === "connectionStatusChange") ends.push(this.socket.onStatus(call));
    else {
      ends.push(this.socket.on(onWire, call));
      if (isOwn(name)) ends.push(this.socket.onNoticeOf(name, asEvent(call)));
    }
    this.#off.push({ name, handler, end });
    return end;
  }

  /** What the client has done so far, in numbers; undefined until the WebAssembly is loaded. */
  stats(): Stats | undefined {
    return this.socket.stats();
  }

  /** What waits to be sent or acknowledged, in order. */
  pending(): Pending[] {
    return this.socket.pending();
  }

  /** Takes back everything that waits to be written: those messages end `cancelled`. */
  clear(): void {
    this.socket.clear();
  }

  /** Waits until a message would not be refused as `overloaded`. */
  writable(): Promise<void> {
    return this.socket.writable();
  }

  /** Has another token from now on. Connected, it signs in again with it, over the same link. */
  setToken(token: string): void {
    this.client.setToken(token);
  }

  /** Has other credentials from now on, as {@link RealtimeClient.setToken} does. */
  setAuth(auth: object): void {
    this.client.setAuth(auth);
  }

  /** Tells what is known about the network and the app, as {@link Client.hint} does. */
  hint(hint: Hint): void {
    this.client.hint(hint);
  }

  /** Disconnects and keeps nothing of the user who was signed in. `connect` works again, for the next user. */
  forget(): void {
    this.client.forget();
  }

  /** Ends the client for good. */
  close(): void {
    this.client.close();
  }

  /** Sends texts, by the names of the arguments that they are given as. */
  #send(event: string, required: object, send: (link: Link, ...texts: any[]) => Taken, optional: object = {}): Receipt {
    const given = () => [
      ...Object.entries(required).map(([name, value]) => text(value, name)),
      ...Object.entries(optional).map(([name, value]) => (value == null ? undefined : text(value, name))),
    ];
    return this.socket.sent(event, true, given, (link, _, texts) => send(link, ...texts));
  }

  #type(type: TargetType, target: string, starts: boolean): void {
    const isGroup = type === "group";
    if (!isGroup && type !== "private") throw wrongPayload("`type` is `private` or `group`");
    const id = text(target, "target");
    this.socket.call((link) => link.type_to(isGroup, id, starts));
  }
}

/** A notice as the event that it is here. */
function asEvent(handler: (event: any) => void): (notice: Notice) => void {
  return (notice) => {
    const { type, ...event } = notice;
    handler(type === "error" ? notice.error : event);
  };
}
