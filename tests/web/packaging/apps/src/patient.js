// A page that sends before the WebAssembly is there, and keeps what it is told.

import { Client } from "rejoin";

const client = new Client(new URLSearchParams(location.search).get("server"));
const socket = client.socket();
const states = [];
const failures = [];
const unhandled = [];

addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
addEventListener("error", ({ message }) => unhandled.push(message));

socket.onStatus(({ state }) => states.push(state));
socket.onNotice(({ type, attempts, error }) => {
  if (type !== "connectionFailed") return;
  failures.push({ attempts, kind: error.kind, message: error.message });
  report(look());
});

function look() {
  return { state: socket.state, states, failures, unhandled, pending: socket.pending().length };
}

function send(...numbers) {
  return numbers.map((number) => socket.with({ ack: true }).emit("echo", number));
}

client.connect();
const receipts = send(1, 2, 3);

/** Tries again, having sent more meanwhile, and says what became of everything. */
globalThis.again = async () => {
  receipts.push(...send(4, 5));
  client.connect();
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer: ${JSON.stringify(look())}`)), 20_000));
  const outcomes = await Promise.race([Promise.all(receipts), late]);
  return { ...look(), replies: outcomes.map(({ status, reply }) => [status, ...(reply ?? [])]) };
};

/** What is known once everything that had begun is over. */
globalThis.later = () => new Promise((resolve) => setTimeout(() => resolve(look()), 0));
