// Payloads: JSON text, in which binary stands as Socket.IO's placeholders, and the binary beside it.

import { said, wrongPayload } from "./errors.js";

/** What is sent as binary, at any depth of a payload. What comes is always a `Uint8Array`. */
export type Binary = ArrayBuffer | ArrayBufferView;

/** Arguments as text. */
export interface Encoded {
  json: string;
  attachments: Uint8Array[] | undefined;
}

interface Placeholder {
  _placeholder: true;
  num: number;
}

/** What a value is, whichever frame or worker it was made in. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function isBinary(value: unknown): value is Binary {
  return ArrayBuffer.isView(value) || kindOf(value) === "ArrayBuffer";
}

/** What JSON would write as `{}`, and so lose. */
function refuse(value: unknown): void {
  const kind = kindOf(value);
  if (!/^(Blob|File|Map|Set|Promise)$/.test(kind)) return;
  throw new Error(
    `a ${kind} has no JSON: send \`await file.arrayBuffer()\`, \`Object.fromEntries(map)\`, \`[...set]\`, \`await promise\``,
  );
}

/** Objects deeper than this are remembered, so that circles end; most payloads have none. */
const SHALLOW = 3;

/** What was looked at in this payload already. */
let seen: Set<object> | undefined;

/** Whether there is, or may be, something that JSON alone would not write as it should. */
function isSpecial(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { toJSON } = value as { toJSON?: unknown };
  // What it gives is seen when it is written: it is called once only.
  if (typeof toJSON === "function") return toJSON !== Date.prototype.toJSON;
  const proto = Object.getPrototypeOf(value);
  // Most are plain, and need no closer look.
  if (proto !== Object.prototype && proto !== Array.prototype) {
    if (isBinary(value)) return true;
    refuse(value);
  }
  if (depth > SHALLOW) {
    seen ??= new Set();
    if (seen.has(value)) return false;
    seen.add(value);
  }
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (isSpecial(item, depth + 1)) return true;
  }
  return false;
}

/**
 * Writes values as JSON.
 *
 * @throws RejoinError `invalidPayload` for what has no JSON: a `bigint`, a circle, a `toJSON` that throws, a `Blob`, a `Map`, a
 * `Set`; and for a function or a symbol that is the value or an item of it, which is an argument then.
 */
export function encode(value: unknown): Encoded {
  try {
    for (const argument of Array.isArray(value) ? value : [value]) {
      const type = typeof argument;
      if (type === "function" || type === "symbol") throw new Error(`a ${type} cannot be sent; use \`request\` for an answer`);
    }
    let attachments: Uint8Array[] | undefined;
    // Not an arrow: `this` holds the value as it was before `toJSON`, which Node's Buffer has.
    const replacer = function (this: Record<string, unknown>, key: string, after: unknown) {
      const binary = [this[key], after].find(isBinary);
      if (binary === undefined) return refuse(after), after;
      const num = (attachments ??= []).push(bytes(binary)) - 1;
      return { _placeholder: true, num } satisfies Placeholder;
    };
    const json = JSON.stringify(value, isSpecial(value, 0) ? replacer : undefined) ?? "null";
    return { json, attachments };
  } catch (thrown) {
    throw wrongPayload(said(thrown));
  } finally {
    seen = undefined;
  }
}

/** Writes values that go where binary cannot be: `where`. */
export function encodeText(value: unknown, where: string): string {
  const { json, attachments } = encode(value);
  if (attachments !== undefined) throw wrongPayload(`${where} cannot hold binary; write it as a text, such as base64`);
  return json;
}

function bytes(binary: Binary): Uint8Array {
  if (!ArrayBuffer.isView(binary)) return new Uint8Array(binary);
  return new Uint8Array(binary.buffer, binary.byteOffset, binary.byteLength);
}

/**
 * A text that the app gives as argument `name`. Ids are numbers in some apps; all else would cross the border as "".
 *
 * @throws RejoinError `invalidPayload`.
 */
export function text(value: unknown, name: string): string {
  if (typeof value !== "string" && typeof value !== "number") throw wrongPayload(`\`${name}\` is a string`);
  return String(value);
}

/** Puts binary in the place of placeholders, in what was just parsed. */
export function restore(value: unknown, attachments: readonly Uint8Array[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { _placeholder, num } = value as Partial<Placeholder>;
  if (_placeholder === true && typeof num === "number") return attachments[num];
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (typeof field === "object") {
      // Not by assignment, which a key `__proto__` would turn into something else. It stays writable and enumerable.
      Object.defineProperty(fields, key, { value: restore(field, attachments) });
    }
  }
  return value;
}
