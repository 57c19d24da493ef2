// What is in the tarball, and that what a debugger shows leads to the sources.

import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { app, files, TARBALL } from "./support/app.js";

const folder = app();
const installed = join(folder, "node_modules/rejoin");
const SOURCES = new URL("../../../wasm/js/", import.meta.url).pathname;

/** What users' code can name is declared in these. */
const TYPES = "client errors events handlers index options page payload realtime receipt socket status wasm".split(" ");

function read(path) {
  return readFileSync(join(installed, path), "utf8");
}

test("the tarball holds what users need, and nothing else", () => {
  const listed = execFileSync("tar", ["-tzf", TARBALL], { encoding: "utf8" }).trim().split("\n");
  const expected = [
    ...["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json", "rejoin.js", "rejoin.js.map", "rejoin.wasm"],
    ...TYPES.map((name) => `types/${name}.d.ts`),
  ];
  assert.deepEqual(listed.sort(), expected.map((path) => `package/${path}`).sort());
  assert.deepEqual(files(installed), expected.sort());
});

test("the manifest says what a user of the package has to do with, and no more", () => {
  const manifest = JSON.parse(read("package.json"));
  for (const name of ["dependencies", "devDependencies", "scripts", "bin"]) assert.equal(manifest[name], undefined, name);
  for (const target of Object.values(manifest.exports).flatMap((to) => (typeof to === "string" ? [to] : Object.values(to)))) {
    assert.ok(files(installed).includes(target.slice(2)), target);
  }
});

test("no declaration names a file that is not there", () => {
  for (const path of files(installed).filter((path) => path.endsWith(".d.ts"))) {
    for (const [, from] of read(path).matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
      const target = join(dirname(path), from).replace(/\.js$/, ".d.ts");
      assert.ok(files(installed).includes(target), `${path} names ${from}`);
    }
  }
});

test("the script evaluates no text, so that no policy has to allow it", () => {
  const evaluating = /\beval\s*\(|\bFunction\s*\(|set(?:Timeout|Interval)\(\s*["'`]/g;
  assert.deepEqual(read("rejoin.js").match(evaluating) ?? [], []);
});

test("the source map has all sources with it", () => {
  assert.match(read("rejoin.js"), /\n\/\/# sourceMappingURL=rejoin\.js\.map\s*$/);
  const { sources, sourcesContent } = JSON.parse(read("rejoin.js.map"));
  const ours = sources.map((source) => source.match(/\bjs\/(\w+\.ts)$/)?.[1]);
  assert.equal(ours.filter((name) => name !== undefined).length, sources.filter((name) => !name.includes("/glue/")).length);
  for (const [at, name] of ours.entries()) {
    if (name !== undefined) assert.equal(sourcesContent[at], readFileSync(join(SOURCES, name), "utf8"), name);
  }
});

test("the stack of an error leads to the lines of the sources", async () => {
  const { Client } = await import(join(installed, "rejoin.js"));
  let thrown;
  try {
    new Client("http://127.0.0.1", { ackTimeout: "soon" });
  } catch (error) {
    thrown = error;
  }
  assert.equal(thrown?.kind, "invalidOption");
  const map = new SourceMap(JSON.parse(read("rejoin.js.map")));
  const places = [...thrown.stack.matchAll(/rejoin\.js:(\d+):(\d+)/g)].map(([, line, column]) => {
    const { originalSource, originalLine } = map.findEntry(line - 1, column - 1);
    const [, name] = /\bjs\/(\w+\.ts)$/.exec(originalSource);
    return { name, text: readFileSync(join(SOURCES, name), "utf8").split("\n")[originalLine] };
  });
  assert.deepEqual(places[0].name, "errors.ts");
  assert.match(places[0].text, /return new RejoinError\(\{ code: 1002/);
  assert.deepEqual([...new Set(places.map(({ name }) => name))], ["errors.ts", "options.ts", "client.ts"]);
});
