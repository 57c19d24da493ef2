// The methods of the chat layer, by their names. What they take is looked at, so that a test's mistake shows.

import { RejoinError } from "/rejoin/rejoin.js";
import { malformed } from "./driven.js";

const text = (value) => typeof value === "string";
const maybe = (value) => value === undefined || value === null || text(value);
const type = (value) => value === "private" || value === "group";
const any = () => true;
const texts = (value) => Array.isArray(value) && value.every(text);

function room(value) {
  const { name, description, isPrivate, password, ...more } = value ?? {};
  const known = text(name) && maybe(description) && maybe(password) && [undefined, null, true, false].includes(isPrivate);
  return known && Object.keys(more).length === 0;
}

const METHODS = {
  sendPrivateMessage: [text, text],
  sendGroupMessage: [text, text],
  startTyping: [type, text],
  stopTyping: [type, text],
  joinRoom: [text, maybe],
  leaveRoom: [text],
  createRoom: [room],
  inviteToGame: [text, text],
  sendGameMove: [text, any],
  markNotificationsRead: [texts],
  forget: [],
};

/** Calls a method; the receipt, if it sends. */
export function call(chat, method, args) {
  if (chat === undefined) throw new RejoinError({ code: 1005, detail: "the chat layer, which this client does not have" });
  if (!Object.hasOwn(METHODS, method)) throw malformed(`there is no method \`${method}\``);
  const checks = METHODS[method];
  const fits = args.length <= checks.length && checks.every((check, at) => (check === any ? at in args : check(args[at])));
  if (!fits) throw malformed(`these are no arguments of \`${method}\``);
  return chat[method](...args.map((arg) => arg ?? undefined));
}
