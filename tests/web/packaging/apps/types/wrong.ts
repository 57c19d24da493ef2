// What must not compile. A line that does is an error, because nothing is left to be expected.

import { Client, RealtimeClient } from "rejoin";
import type { Outcome, RejoinError } from "rejoin";
import { chat } from "./chat.js";
import { client, socket, typed } from "./client.js";

// @ts-expect-error the event's payload is another
chat.on("privateMessage", ({ room }) => room);
// @ts-expect-error the event has no such payload
chat.on("typingStop", (event: { nothing: number }) => event);
// @ts-expect-error a handler is a function
chat.on("privateMessage", "no function");
// @ts-expect-error there is no such target
chat.startTyping("everybody", "bob");
// @ts-expect-error a message is text
chat.sendPrivateMessage("bob", { text: "hello" });
// @ts-expect-error a room has a name
chat.createRoom({ isPrivate: true });

// @ts-expect-error there is no such event to hear
socket.on("gossip", () => {});
// @ts-expect-error its argument is a number
socket.on("count", (howMany: string) => howMany);
// @ts-expect-error there is no such event to send
socket.emit("news", { title: "hello" });
// @ts-expect-error the title is missing
socket.emit("publish", {});
// @ts-expect-error so it is with options
socket.with({ ack: true }).emit("publish", { title: 1 });
// @ts-expect-error there is no such option
socket.with({ acknowledge: true });
// @ts-expect-error there is no such hint
client.hint("asleep");
// @ts-expect-error a token is text
client.setToken(1);

// @ts-expect-error there is no such option
new Client("https://chat.example.com", { reconnection: true });
// @ts-expect-error nor such a transport
new Client("https://chat.example.com", { transports: ["webtransport"] });
// @ts-expect-error times are numbers
new Client("https://chat.example.com", { ackTimeout: "5s" });
// @ts-expect-error typing is the chat layer's
new Client("https://chat.example.com", { typing: { autoStop: 1 } });
// @ts-expect-error nor has the chat layer it as a number
new RealtimeClient("https://chat.example.com", { typing: 1 });
// @ts-expect-error an address is needed
new RealtimeClient();

export function narrow(outcome: Outcome, error: RejoinError): unknown {
  // @ts-expect-error there is an error only where something failed
  const message: string = outcome.error.message;
  // @ts-expect-error there is no such status
  if (outcome.status === "lost") return message;
  // @ts-expect-error there is no such kind
  if (error.kind === "somethingElse") return error;
  // @ts-expect-error it cannot be changed
  error.code = 1;
  return outcome;
}

// @ts-expect-error what is no event of the chat has arguments that nobody knows: such as a name that is misspelt
chat.on("privateMesage", ({ content }) => content);
// @ts-expect-error so with once
chat.once("an_event_of_its_own", (first) => first.length);

// @ts-expect-error the callback is not sent
typed.socket().emit("add", 1, 2, (sum: number) => sum);
// @ts-expect-error nor is its place
typed.socket().request("ping", () => {});
// @ts-expect-error an argument is missing
typed.socket().request("add", 1);
// @ts-expect-error the answer is a number
const text: Promise<string> = typed.socket().request("add", 1, 2);
// @ts-expect-error it is a list
const list: Promise<string> = typed.socket().request("find", "x", 2);
export { list, text };
