// How large the package is for whoever downloads it, beside socket.io-client.

import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const files = {
  "rejoin.wasm": "../pkg/rejoin.wasm",
  "rejoin.js": "../pkg/rejoin.js",
  "socket.io-client (esm.min)": "../node_modules/socket.io-client/dist/socket.io.esm.min.js",
};

const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(8);
console.log(`${"KiB".padEnd(28)}     raw    gzip  brotli`);
for (const [name, path] of Object.entries(files)) {
  const bytes = readFileSync(new URL(path, import.meta.url));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes, { params })];
  console.log(name.padEnd(28) + sizes.map(({ length }) => kib(length)).join(""));
}
