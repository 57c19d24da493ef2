// What is left of the package in an app that uses next to nothing of it.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { serve } from "../serve.js";
import { app, files, html } from "./support/app.js";
import { bundle } from "./support/webpack.js";
import { visit } from "./support/world.js";

/** The table of errors is 3 KiB, and some of the rest cannot be told to be without effect. The whole is 35 KiB. */
const LIMIT = 5 * 1024;

const page = "only-error.html";
const entry = "./src/only-error.js";
const folder = app({ [page]: html(entry), "src/nothing.js": 'import "rejoin"; report({});' });

/** The scripts that came out, as one text. */
function scripts(output) {
  const paths = files(output).filter((path) => path.endsWith(".js"));
  return paths.map((path) => readFileSync(join(output, path), "utf8")).join("\n");
}

function isSmall(output) {
  const text = scripts(output);
  assert.ok(text.includes("the server cannot be reached"), "the errors are there");
  assert.ok(!text.includes(".wasm"), "the WebAssembly's name is not");
  assert.ok(text.length <= LIMIT, `${text.length} bytes`);
}

test("webpack leaves the client out where only the errors are used, and emits no WebAssembly", async () => {
  const output = await bundle(folder, "webpack", { entry });
  isSmall(output);
  assert.deepEqual(files(output), ["main.js"]);
});

test("Vite leaves the client out where only the errors are used, and the page does not fetch the WebAssembly", async () => {
  const outDir = join(folder, "vite");
  const build = { outDir, rolldownOptions: { input: join(folder, page) }, modulePreload: false };
  await vite({ root: folder, configFile: false, logLevel: "warn", build });
  isSmall(outDir);
  // Vite emits what it sees before it leaves code out: the file is there, and nothing names it.
  const server = await serve({ folders: { "/": outDir } });
  const { reported, requests, close } = await visit(`${server.url}/${page}`);
  assert.deepEqual(await reported, { isOne: false });
  assert.deepEqual(requests.filter((url) => url.includes(".wasm")), []);
  await close();
  await server.close();
});

test("esbuild leaves the client out where only the errors are used", async () => {
  const outdir = join(folder, "esbuild");
  await esbuild({ entryPoints: [join(folder, entry)], outdir, bundle: true, minify: true, format: "esm", logLevel: "error" });
  isSmall(outdir);
});

test("an import of nothing is left out altogether", async () => {
  const output = await bundle(folder, "nothing", { entry: "./src/nothing.js" });
  assert.match(scripts(output), /^.{0,30}report\({}\).{0,10}$/);
});
