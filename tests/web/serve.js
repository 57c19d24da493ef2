// Serves files to the browser, from folders by the beginnings of their paths.

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves on a loopback port. `folders` maps the beginning of a path to a folder; `pages` maps a path to a text, which is
 * HTML; `answers` maps a path to a function that answers otherwise, as long as it is there; `headers` go with every other
 * answer.
 */
export async function serve({ folders = {}, pages = {}, answers = {}, headers = {} }) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    if (Object.hasOwn(answers, path)) return answers[path](response);
    if (Object.hasOwn(pages, path)) {
      response.writeHead(200, { "Content-Type": TYPES[".html"], ...headers });
      return response.end(pages[path]);
    }
    const start = Object.keys(folders).find((start) => path.startsWith(start));
    const file = start === undefined ? undefined : join(folders[start], path.slice(start.length));
    if (file === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      return response.writeHead(404).end("not here");
    }
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    }),
  };
}

/** The folder of the npm package. */
export const PACKAGE = new URL("../../wasm/pkg/", import.meta.url).pathname;
