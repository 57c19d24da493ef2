// The chat protocol as it began: no acknowledgement, no features, message ids are ignored. Users are who they say.

let messages = 0;

export function plainChat(namespace, socket) {
  const user = { id: socket.handshake.auth.token, username: socket.handshake.auth.token };
  const others = (id) => [...namespace.sockets.values()].filter((other) => other.data.user?.id === id);
  const message = ({ content, timestamp }) => ({ id: `m${++messages}`, sender: user, content, timestamp });
  socket.data.user = user;
  socket.emit("connection_status", { connected: true, userId: user.id, username: user.username });

  socket.on("private_message", (payload) => {
    const sent = message(payload);
    const recipients = others(payload.recipientId);
    for (const other of recipients) other.emit("private_message", sent);
    const { recipientId } = payload;
    socket.emit("message_sent", { id: sent.id, recipientId, delivered: recipients.length > 0 });
  });
  socket.on("group_message", (payload) => {
    const { roomId: room } = payload;
    if (!socket.rooms.has(room)) return socket.emit("error", { message: `you are not in ${room}` });
    socket.to(room).emit("group_message", { ...message(payload), room });
  });
  socket.on("join_room", ({ roomId, password }) => {
    if (roomId === "vault" && password !== "sesame") {
      return socket.emit("join_room_failed", { roomId, reason: "wrong_password" });
    }
    socket.join(roomId);
    const inside = [...namespace.sockets.values()].filter((other) => other.rooms.has(roomId));
    socket.emit("room_joined", { room: roomId, members: inside.map((other) => other.data.user) });
    socket.to(roomId).emit("user_joined_room", { roomId, user });
  });
  socket.on("leave_room", ({ roomId }) => {
    socket.leave(roomId);
    socket.emit("room_left", { roomId });
    socket.to(roomId).emit("user_left_room", { roomId, user });
  });
  socket.on("create_room", ({ name }) => {
    socket.join(name);
    socket.emit("room_created", { id: name, name });
  });
  for (const event of ["typing_start", "typing_stop"]) {
    socket.on(event, ({ type, recipientId, roomId }) => {
      const typist = { userId: user.id, username: user.username };
      if (type === "group") return socket.to(roomId).emit(event, { ...typist, roomId });
      for (const other of others(recipientId)) other.emit(event, typist);
    });
  }
}
