// The events of the chat layer, by the names that they have here.

import type { RejoinError } from "./errors.js";
import type {
  AccountChanged,
  ConnectionFailed,
  ConnectionStatus,
  HandlerError,
  MessageStatus,
  Overflow,
  Reconnected,
  Warning,
} from "./status.js";

/** Who somebody is. */
export interface User {
  readonly id: string;
  readonly username: string;
}

/** A message from one user to another. */
export interface PrivateMessage {
  readonly id: string;
  readonly sender: User;
  readonly content: string;
  /** ISO 8601 in UTC, or as the server has it. */
  readonly timestamp: string;
}

/** A message to a room. */
export interface GroupMessage extends PrivateMessage {
  /** The room's id. */
  readonly room: string;
}

/** The server has a message of ours. */
export interface MessageSent {
  readonly id: string;
  readonly recipientId: string;
  /** Whether the recipient was connected. */
  readonly delivered: boolean;
}

/** Somebody types: to us, or in a room. */
export interface TypingStart {
  readonly userId: string;
  readonly username: string;
  readonly roomId?: string;
}

/** Somebody stopped typing. Raised exactly once per start, at the latest 6 s after their last sign. */
export interface TypingStop {
  readonly userId: string;
  readonly roomId?: string;
}

/** We are in a room. */
export interface RoomJoined {
  /** The room's id. */
  readonly room: string;
  readonly members: readonly User[];
}

/** A room could not be joined, or not again. */
export interface RoomJoinFailed {
  readonly roomId: string;
  /** The server's reason, or `timeout`. */
  readonly reason: string;
}

/** Somebody came into a room that we are in, or left it. */
export interface RoomMembership {
  readonly roomId: string;
  readonly user: User;
}

/** A room was created. Its creator is in it. */
export interface RoomCreated {
  readonly id: string;
  readonly name: string;
}

/** Somebody invites us to a game. */
export interface GameInvite {
  readonly from: User;
  readonly gameType: string;
  readonly inviteId: string;
}

/** Somebody made a move in a game that we are in. */
export interface GameMove {
  readonly gameId: string;
  readonly player: User;
  readonly move: any;
  /** The game after it, as the server tells it. */
  readonly gameState: any;
}

/** Something to show to the user. */
export interface Notification {
  readonly id?: string;
  readonly title: string;
  readonly message: string;
  readonly icon?: string;
}

/** A friend came or went. */
export interface FriendStatusChange {
  readonly userId: string;
  /** For example `online` or `offline`. */
  readonly status: string;
  readonly timestamp: string;
}

/** The server's greeting. */
export interface Greeting {
  readonly connected: boolean;
  readonly userId: string;
  readonly username: string;
  /** What the server promises: `ack`, `dedupe` and so on. */
  readonly features?: readonly string[];
  /** With whom we have had private messages, where the server keeps that. */
  readonly friends?: readonly (User & { readonly status: string })[];
}

/** The server did not take something, because it was too much. */
export interface RateLimitExceeded {
  readonly message?: string;
  readonly action?: string;
  readonly event?: string;
  readonly messageId?: string;
  readonly retryAfterMs?: number;
}

/** The server could not do something, and nobody waits for its answer. */
export interface ServerError {
  readonly message: string;
  readonly code?: string;
  readonly event?: string;
  readonly messageId?: string;
}

/** The server is about to disconnect, and says why. After `replaced` and `banned` the client does not come back by itself. */
export interface Closing {
  readonly code: "replaced" | "banned" | "shutdown" | "idle" | (string & {});
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** Every event of a chat client: its name, and what its handlers get. */
export interface ChatEvents {
  privateMessage: PrivateMessage;
  groupMessage: GroupMessage;
  messageSent: MessageSent;
  typingStart: TypingStart;
  typingStop: TypingStop;
  roomJoined: RoomJoined;
  roomJoinFailed: RoomJoinFailed;
  roomLeft: { readonly roomId: string };
  roomCreated: RoomCreated;
  userJoinedRoom: RoomMembership;
  userLeftRoom: RoomMembership;
  gameInvite: GameInvite;
  gameMove: GameMove;
  notification: Notification;
  notificationsMarkedRead: { readonly notificationIds: readonly string[] };
  friendStatusChange: FriendStatusChange;
  connectionStatus: Greeting;
  rateLimitExceeded: RateLimitExceeded;
  closing: Closing;
  /** The server's warnings, and the client's own. */
  warning: Warning;
  /** The server's errors; and the client's own, where the server sent what cannot be read. */
  error: ServerError | RejoinError;

  // What the client itself has to tell.
  connectionStatusChange: ConnectionStatus;
  connectionFailed: ConnectionFailed;
  reconnected: Reconnected;
  handlerError: HandlerError;
  overflow: Overflow;
  messageStatus: MessageStatus;
  accountChanged: AccountChanged;
  storeError: { readonly error: RejoinError };
}

/** The chat protocol's events as on the wire. Here they are in camelCase. */
const WIRE =
  "closing connection_status error friend_status_change game_invite game_move group_message join_room_failed message_sent " +
  "notification notifications_marked_read private_message rate_limit_exceeded room_created room_joined room_left typing_start " +
  "typing_stop user_joined_room user_left_room warning";

interface Names {
  /** By either name. */
  wire: Map<string, string>;
  here: Map<string, string>;
}

let names: Names | undefined;

function known(): Names {
  if (names === undefined) {
    names = { wire: new Map(), here: new Map() };
    for (const wire of WIRE.split(" ")) {
      const camel = wire.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      // The one event that begins like its neighbours instead.
      const here = camel === "joinRoomFailed" ? "roomJoinFailed" : camel;
      names.here.set(wire, here);
      names.wire.set(camel, wire).set(here, wire);
    }
  }
  return names;
}

/** What an event is called on the wire; a name that the chat protocol does not know stays as it is. */
export function wireName(name: string): string {
  return known().wire.get(name) ?? name;
}

/** And what it is called here. */
export function eventName(onWire: string): string {
  return known().here.get(onWire) ?? onWire;
}

/** What the client itself tells, under the same names. */
const OWN =
  " connectionFailed reconnected handlerError overflow messageStatus accountChanged warning storeError error ";

export function isOwn(name: string): boolean {
  return OWN.includes(` ${name} `);
}
