// The chat end to end: two users, each in a browser context of their own, and the reference server.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./kit/browser.js";
import { reference } from "./kit/servers.js";

const ALICE = { id: "alice", username: "Alice" };
const BOB = { id: "bob", username: "Bob" };

async function join(t, server, { id, username }, options = {}) {
  const page = await open(t);
  await page.run(
    async ({ url, options }) => {
      globalThis.chat = watch(new RealtimeClient(url, options));
      chat.onAny((event, told) => tell({ event, told }));
      /** Waits for an event, the next one that was not waited for. */
      let after = 0;
      globalThis.event = async (name) => {
        const line = await until((line) => line.event === name, after);
        after = log.indexOf(line) + 1;
        return line.told;
      };
      globalThis.done = async (receipt) => {
        const { status, reply, error } = await receipt;
        if (status !== "delivered") throw new Error(`${status}: ${error?.message}`);
        return reply[0];
      };
      chat.connect();
      await connected();
    },
    { url: server.url, options: { token: await server.token(id, username), ...options } },
  );
  return page;
}

async function two(t, args, options) {
  const server = await reference(t, args);
  const [alice, bob] = await Promise.all([join(t, server, ALICE, options), join(t, server, BOB, options)]);
  return { server, alice, bob };
}

/** What an event brought; plain JSON has its name in it too. */
async function heard(page, name) {
  const { type, ...told } = await page.run((name) => event(name), name);
  return told;
}

for (const protocol of ["socketio", "json"]) {
  test(`${protocol}: private and group messages, rooms and who is in them`, async (t) => {
    const { alice, bob } = await two(t, [], { protocol });
    const greeting = await heard(alice, "connectionStatus");
    assert.deepEqual([greeting.connected, greeting.userId, greeting.username], [true, "alice", "Alice"]);
    assert.ok(greeting.features.includes("ack"));

    const sent = await alice.run(async () => {
      const receipt = chat.sendPrivateMessage("bob", "hello 😀");
      const { messageId } = receipt;
      return { messageId, reply: await done(receipt) };
    });
    assert.deepEqual(sent.reply, { ok: true, id: sent.messageId });
    const message = await heard(bob, "privateMessage");
    assert.deepEqual([message.id, message.sender, message.content], [sent.messageId, ALICE, "hello 😀"]);
    assert.deepEqual(await heard(alice, "messageSent"), { id: sent.messageId, recipientId: "bob", delivered: true });

    const { id } = await bob.run(() => done(chat.createRoom({ name: "tea", description: "at five", password: "sugar" })));
    const created = await heard(bob, "roomCreated");
    assert.deepEqual([created.id, created.name], [id, "tea"]);
    const refused = await alice.run(async (id) => {
      const { status, error } = await chat.joinRoom(id, "salt");
      return [status, error.kind, (await event("roomJoinFailed")).roomId];
    }, id);
    assert.deepEqual(refused, ["rejected", "server", id]);
    await alice.run((id) => done(chat.joinRoom(id, "sugar")), id);
    const joined = await heard(alice, "roomJoined");
    assert.equal(joined.room, id);
    assert.deepEqual(joined.members.map(({ id }) => id).sort(), ["alice", "bob"]);
    assert.deepEqual(await heard(bob, "userJoinedRoom"), { roomId: id, user: ALICE });

    await bob.run((id) => done(chat.sendGroupMessage(id, "for all")), id);
    const group = await heard(alice, "groupMessage");
    assert.deepEqual([group.room, group.sender, group.content], [id, BOB, "for all"]);

    await alice.run((id) => done(chat.leaveRoom(id)), id);
    assert.deepEqual(await heard(alice, "roomLeft"), { roomId: id });
    assert.deepEqual(await heard(bob, "userLeftRoom"), { roomId: id, user: ALICE });
    const late = await alice.run(async (id) => (await chat.sendGroupMessage(id, "too late")).status, id);
    assert.equal(late, "rejected");
  });

  test(`${protocol}: typing begins, is stopped, and stops by itself`, async (t) => {
    const { alice, bob } = await two(t, [], { protocol, typing: { autoStop: 300 } });
    await alice.run(() => (chat.startTyping("private", "bob"), chat.startTyping("private", "bob")));
    assert.deepEqual(await heard(bob, "typingStart"), { userId: "alice", username: "Alice" });
    await alice.run(() => chat.stopTyping("private", "bob"));
    assert.deepEqual(await heard(bob, "typingStop"), { userId: "alice" });
    await alice.run(() => chat.startTyping("private", "bob"));
    await heard(bob, "typingStart");
    assert.deepEqual(await heard(bob, "typingStop"), { userId: "alice" });
    // A message ends it too.
    await alice.run(() => (chat.startTyping("private", "bob"), void chat.sendPrivateMessage("bob", "typed")));
    await heard(bob, "typingStart");
    await heard(bob, "typingStop");
    await heard(bob, "privateMessage");
    const counts = await bob.run(() => ["typingStart", "typingStop"].map((name) => log.filter(({ event }) => event === name).length));
    assert.deepEqual(counts, [3, 3]);
    const wrong = await alice.run(() => {
      try {
        chat.startTyping("room", "bob");
      } catch (error) {
        return error.kind;
      }
    });
    assert.equal(wrong, "invalidPayload");
  });

  test(`${protocol}: games, notifications, and friends that come and go`, async (t) => {
    const { server, alice, bob } = await two(t, [], { protocol });
    const { id } = await alice.run(() => done(chat.inviteToGame("bob", "chess")));
    assert.deepEqual(await heard(bob, "gameInvite"), { from: ALICE, gameType: "chess", inviteId: id });
    const move = { from: "e2", to: ["e4"] };
    await bob.run(({ id, move }) => done(chat.sendGameMove(id, move)), { id, move });
    const told = await heard(alice, "gameMove");
    assert.deepEqual([told.gameId, told.player, told.move, told.gameState.total], [id, BOB, move, 1]);

    // Whoever is away finds it as a notification.
    await alice.run(() => done(chat.sendPrivateMessage("carol", "for later")));
    const carol = await join(t, server, { id: "carol", username: "Carol" }, { protocol });
    const notification = await heard(carol, "notification");
    assert.match(JSON.stringify(notification), /Alice/);
    await carol.run((id) => done(chat.markNotificationsRead([id])), notification.id);
    assert.deepEqual(await heard(carol, "notificationsMarkedRead"), { notificationIds: [notification.id] });
    await carol.run(() => done(chat.sendPrivateMessage("alice", "thank you")));
    await heard(alice, "privateMessage");
    await carol.run(() => chat.disconnect());
    const gone = await alice.run(async () => {
      for (;;) {
        const change = await event("friendStatusChange");
        if (change.status === "offline") return change;
      }
    });
    assert.equal(gone.userId, "carol");
  });
}

test("a user who is refused or replaced hears so", async (t) => {
  const { server, alice } = await two(t, ["--max-connections", "1"], {});
  const refused = await alice.run(async () => {
    const empty = await chat.sendPrivateMessage("", "x");
    const unknown = await chat.sendGroupMessage("nowhere", "x");
    return [empty.status, unknown.status, unknown.error.serverCode !== undefined];
  });
  assert.deepEqual(refused, ["rejected", "rejected", true]);
  await join(t, server, ALICE);
  const closing = await heard(alice, "closing");
  assert.equal(closing.code, "replaced");
  const failed = await alice.run(() => until(({ state }) => state === "failed"));
  assert.deepEqual([failed.reason, failed.error], ["replaced", "kicked"]);
});

test("what a chat client can be asked, and everything that ends, starts or changes it", async (t) => {
  const { server, alice, bob } = await two(t, [], {});
  const carol = await server.token("carol", "Carol");
  const seen = await alice.run(async () => {
    await done(chat.sendPrivateMessage("bob", "first"));
    const { state, isConnected, status } = chat;
    await chat.writable();
    const { delivered, connects } = chat.stats();
    chat.disconnect();
    await until(({ state }) => state === "closed");
    const queued = [chat.sendPrivateMessage("bob", "a"), chat.sendPrivateMessage("bob", "b")];
    const pending = chat.pending().map(({ event, written, receipt }) => [event, written, queued.map(({ id }) => id).includes(receipt)]);
    const cancelled = queued[0].cancel();
    chat.clear();
    const ended = (await Promise.all(queued)).map(({ status }) => status);
    globalThis.kept = chat.sendPrivateMessage("bob", "kept");
    const offline = { state: chat.state, isConnected: chat.isConnected };
    const before = log.length;
    chat.connect();
    await connected(before);
    await done(kept);
    return { state, isConnected, status: status.state, transport: status.transport, delivered, connects, pending, cancelled, ended, offline };
  });
  assert.deepEqual(seen, {
    state: "connected",
    isConnected: true,
    status: "connected",
    transport: "websocket",
    delivered: 1,
    connects: 1,
    pending: [
      ["private_message", false, true],
      ["private_message", false, true],
    ],
    cancelled: true,
    ended: ["cancelled", "cancelled"],
    offline: { state: "closed", isConnected: false },
  });
  assert.deepEqual(
    await bob.run(async () => [(await event("privateMessage")).content, (await event("privateMessage")).content]),
    ["first", "kept"],
  );

  // Handlers by the names of the chat, of the wire, and of the client's own events.
  const ran = await alice.run(async () => {
    const ran = [];
    const handler = () => ran.push("on");
    chat.on("messageSent", handler);
    chat.on("message_sent", () => ran.push("wire"));
    chat.once("messageSent", () => ran.push("once"));
    const end = chat.on("messageSent", () => ran.push("never"));
    end();
    chat.on("connectionStatusChange", ({ state }) => ran.push(state));
    chat.on("messageStatus", ({ status }) => ran.push(status));
    await done(chat.sendPrivateMessage("bob", "1"));
    await event("messageSent");
    chat.off("messageSent", handler);
    chat.off("messageStatus");
    await done(chat.sendPrivateMessage("bob", "2"));
    chat.off("messageSent");
    await done(chat.sendPrivateMessage("bob", "3"));
    return ran;
  });
  assert.deepEqual([...ran].sort(), ["delivered", "on", "once", "wire", "wire"]);

  // A token of somebody else, hints, and the socket underneath.
  const signed = await alice.run(async (token) => {
    const before = log.length;
    chat.hint("foreground");
    chat.setToken(token);
    const greeting = await until(({ event, told }) => event === "connectionStatus" && told.userId === "carol", before);
    await done(chat.sendPrivateMessage("bob", "as Carol"));
    const { id } = chat.socket;
    chat.setAuth({ token });
    return [greeting.told.username, chat.socket.namespace, chat.client.socket("/") === chat.socket, typeof id];
  }, carol);
  assert.deepEqual(signed, ["Carol", "/", true, "string"]);

  const forgotten = await alice.run(async () => {
    const receipt = chat.socket.with({ ttl: 60_000, lane: "x" }).emit("nothing", {});
    chat.forget();
    await until(({ state }) => state === "closed", log.findLastIndex(({ state }) => state === "connected"));
    const { status } = await receipt;
    const last = chat.sendPrivateMessage("bob", "nobody's");
    chat.close();
    const { status: closed, error } = await last;
    return [status === "sent" || status === "cancelled", chat.pending().length, closed, error.kind];
  });
  assert.deepEqual(forgotten, [true, 0, "rejected", "closed"]);
});

test("arguments that are numbers are texts, and those that are neither are refused by their names", async (t) => {
  const { alice, bob } = await two(t, [], {});
  const { id } = await alice.run(() => done(chat.createRoom({ name: 7, description: 8, password: 1234, isPrivate: null })));
  const created = await heard(alice, "roomCreated");
  assert.equal(created.name, "7");
  const joined = await bob.run(
    async (id) => [(await chat.joinRoom(id, "")).status, (await chat.joinRoom(id, 1234)).status, (await chat.leaveRoom(id)).status],
    id,
  );
  assert.deepEqual(joined, ["rejected", "delivered", "delivered"]);
  const refused = await alice.run(async () => {
    const receipts = [
      chat.sendPrivateMessage(undefined, "x"),
      chat.sendPrivateMessage("bob", {}),
      chat.sendGroupMessage(null, "x"),
      chat.joinRoom("r", {}),
      chat.leaveRoom(true),
      chat.createRoom(undefined),
      chat.createRoom({ name: "r", description: [] }),
      chat.createRoom({ name: "r", password: false }),
      chat.inviteToGame("bob", Symbol("s")),
      chat.markNotificationsRead("n1"),
      chat.markNotificationsRead(["n1", {}]),
      chat.markNotificationsRead(),
      chat.sendGameMove({}, 1),
      chat.socket.emit({}, 1),
    ];
    const seen = [];
    for (const receipt of receipts) {
      const { status, error } = await receipt;
      seen.push(`${status} ${error?.kind} ${/`(.*?)`/.exec(error?.message)?.[1]}`);
    }
    return seen;
  });
  const names = "userId content roomId password roomId name description password gameType notificationIds notificationIds notificationIds gameId event";
  assert.deepEqual(refused, names.split(" ").map((name) => `rejected invalidPayload ${name}`));
  const moves = await alice.run(async () => {
    const seen = [];
    for (const move of [Uint8Array.of(1), { deep: [new ArrayBuffer(1)] }, () => {}, new Map()]) {
      const { status, error } = await chat.sendGameMove("g", move);
      seen.push(`${status} ${error?.kind}`);
    }
    return seen;
  });
  assert.deepEqual(moves, Array(4).fill("rejected invalidPayload"));
});

test("typing is looked at where it is called, before the load and after it", async (t) => {
  const page = await open(t, { hold: "**/rejoin.wasm" });
  const tries = () =>
    page.run(() => {
      globalThis.chat ??= new RealtimeClient("http://127.0.0.1:9");
      return [["room", "r"], [Symbol("s"), "r"], ["group"], ["private", {}], ["private", 7]].map(([type, target]) => {
        try {
          chat.startTyping(type, target);
          chat.stopTyping(type, target);
          return "taken";
        } catch ({ kind, message }) {
          return `${kind} ${/`(.*?)`/.exec(message)[1]}`;
        }
      });
    });
  const expected = ["type", "type", "target", "target"].map((name) => `invalidPayload ${name}`).concat("taken");
  assert.deepEqual(await tries(), expected);
  await page.release();
  await page.run(() => load());
  assert.deepEqual(await tries(), expected);
});
