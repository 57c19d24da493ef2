// The chat layer.

import { RealtimeClient, RejoinError } from "rejoin";
import type { ChatEvents, NewRoom, Outcome, Provided, RealtimeOptions, TargetType, User } from "rejoin";

const token: Provided<string> = () => Promise.resolve("secret");
const options: RealtimeOptions = { token, namespace: "/chat", typing: { autoStop: 1, refresh: 1, expiry: 1 } };

export const chat = new RealtimeClient("https://chat.example.com", options);

chat.on("privateMessage", ({ id, sender, content, timestamp }) => {
  const from: User = sender;
  const text: string = `${id} ${from.username} ${content} ${timestamp}`;
  return text;
});
chat.on("groupMessage", (message) => message.room.length + message.sender.id.length);
chat.on("typingStart", ({ userId, roomId }) => userId + (roomId ?? ""));
chat.on("roomJoined", ({ room, members }) => members.map(({ username }) => `${room} ${username}`));
chat.on("closing", ({ code, retryAfterMs }) => (code === "banned" ? 0 : (retryAfterMs ?? 0)));
chat.on("connectionStatusChange", ({ state, retryIn }) => state === "waiting" && retryIn);
chat.on("connectionFailed", ({ attempts, error }) => attempts + error.code);
chat.on("error", (error) => (error instanceof RejoinError ? error.kind : error.event));
chat.on("messageStatus", ({ status }) => status === "delivered");
chat.on("accountChanged", ({ account, held }) => account.length + held);
chat.on("an_event_of_its_own", (first, second) => [first, second]);
chat.on("an_event_of_its_own", (first: string, second?: { deep: number }) => first.length + (second?.deep ?? 0));
const off: () => void = chat.once("reconnected", ({ recovered }) => !recovered);
off();
chat.off("privateMessage");
chat.onAny((event, ...args) => `${event}${args.length}`);

/** A handler that is made elsewhere. */
export const handler: (event: ChatEvents["gameMove"]) => void = ({ player, gameState }) => console.log(player, gameState);
chat.on("gameMove", handler);
chat.off("gameMove", handler);

export async function use(target: TargetType): Promise<Outcome[]> {
  chat.connect();
  chat.startTyping(target, "bob");
  chat.stopTyping("group", "room");
  const room: NewRoom = { name: "room", isPrivate: true, password: "secret" };
  const outcomes = await Promise.all([
    chat.sendPrivateMessage("bob", "hello"),
    chat.sendGroupMessage("room", "hello"),
    chat.createRoom(room),
    chat.joinRoom("room", "secret"),
    chat.leaveRoom("room"),
    chat.inviteToGame("bob", "chess"),
    chat.sendGameMove("game", { from: "e2", to: "e4" }),
    chat.markNotificationsRead(["one"]),
  ]);
  const id = await chat.client.socket("/other").request<string>("who");
  chat.socket.emit("anything", id.length);
  return outcomes;
}
