// What every app here does with the package: it has a request answered, and connects a chat client.

import { Client, RealtimeClient } from "rejoin";

export async function talk(server, options = {}) {
  const client = new Client(server, options);
  const socket = client.socket();
  const refused = new Promise((_, reject) => socket.onNotice((notice) => notice.error && reject(notice.error)));
  client.connect();
  const request = socket.request("echo", { text: "hello", bytes: new Uint8Array([1, 2, 3]) });
  const { text, bytes } = await Promise.race([request, refused]);
  const { transport } = socket;
  client.close();

  const chat = new RealtimeClient(server, { ...options, namespace: "/chat" });
  const state = await new Promise((resolve) => {
    chat.on("connectionStatusChange", ({ state }) => state !== "connecting" && resolve(state));
    chat.connect();
  });
  chat.close();
  return { text, bytes: [...bytes], transport, chat: state };
}
