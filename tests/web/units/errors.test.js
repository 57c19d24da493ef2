// The sentences of errors stand in Rust and in TypeScript; sdk/tests/errors.rs holds Rust to the same file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RejoinError } from "../../../wasm/pkg/rejoin.js";

const lines = readFileSync(new URL("errors.txt", import.meta.url), "utf8").trimEnd().split("\n");

test("an error says in TypeScript what it says in Rust", () => {
  assert.ok(lines.length >= 26);
  for (const line of lines) {
    const [kind, retryable, json, sentence] = line.split("\t");
    const error = new RejoinError(JSON.parse(json));
    // Options have other names in Rust.
    assert.equal(error.message, sentence.replace("connect_timeout", "connectTimeout"));
    assert.equal(error.kind, kind);
    assert.equal(error.retryable, retryable === "true");
    assert.ok(error instanceof Error && error.name === "RejoinError");
  }
});

test("an option that the client refuses has its name of this side", () => {
  const named = (option) => new RejoinError({ code: 1002, option, detail: "…" }).message;
  assert.match(named("typing.auto_stop"), /`typing.autoStop`/);
  assert.match(named("backoff.initial"), /`reconnect.initialDelay`/);
  assert.match(named("backoff.multiplier"), /`reconnect.multiplier`/);
});
