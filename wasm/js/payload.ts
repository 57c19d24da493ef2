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

function isBinary(value: unknown): value is Binary {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** Objects deeper than this are remembered, so that circles end; most payloads have none. */
const SHALLOW = 3;

/** What was looked at in this payload already. */
let seen: Set<object> | undefined;

function hasBinary(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (isBinary(value)) return true;
  if (depth > SHALLOW) {
    seen ??= new Set();
    if (seen.has(value)) return false;
    seen.add(value);
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return hasBinary(toJSON.call(value, ""), depth + 1);
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (hasBinary(item, depth + 1)) return true;
  }
  return false;
}

/**
 * Writes values as JSON.
 *
 * @throws RejoinError `invalidPayload` for what has no JSON: a `bigint`, a circle, a `toJSON` that throws.
 */
export function encode(value: unknown): Encoded {
  try {
    if (!hasBinary(value, 0)) return { json: JSON.stringify(value) ?? "null", attachments: undefined };
    const attachments: Uint8Array[] = [];
    // Not an arrow: `this` holds the value as it was before `toJSON`, which Node's Buffer has.
    const json = JSON.stringify(value, function (this: Record<string, unknown>, key, after: unknown) {
      const original = this[key];
      if (!isBinary(original)) return after;
      attachments.push(bytes(original));
      return { _placeholder: true, num: attachments.length - 1 } satisfies Placeholder;
    });
    return { json, attachments };
  } catch (thrown) {
    throw wrongPayload(said(thrown));
  } finally {
    seen = undefined;
  }
}

function bytes(binary: Binary): Uint8Array {
  if (binary instanceof ArrayBuffer) return new Uint8Array(binary);
  return new Uint8Array(binary.buffer, binary.byteOffset, binary.byteLength);
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
      // Not by assignment, which a key `__proto__` would turn into something else.
      Object.defineProperty(fields, key, { value: restore(field, attachments), ...OWN });
    }
  }
  return value;
}

const OWN = { writable: true, enumerable: true, configurable: true };
