// Binary in JSON lines: {"$binary": "<base64>"} at any depth.

export function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$binary === "string" && Object.keys(value).length === 1) {
    return Uint8Array.from(atob(value.$binary), (letter) => letter.charCodeAt(0));
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fromJson(field)]));
}

export function toJson(value) {
  if (value instanceof Uint8Array) return { $binary: btoa(String.fromCharCode(...value)) };
  if (Array.isArray(value)) return value.map(toJson);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toJson(field)]));
}
