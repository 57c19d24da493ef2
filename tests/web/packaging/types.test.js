// A user's TypeScript: what it may say, and what it may not. apps/types/ has the samples.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { app } from "./support/app.js";

const TSC = new URL("../node_modules/.bin/tsc", import.meta.url).pathname;
const folder = app({ "types/required.cts": 'import { Client } from "rejoin";\nnew Client("http://127.0.0.1").connect();\n' });

/** Compiles samples as a user would that has strict settings. */
function compiles(files, options) {
  const config = {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
      ...options,
    },
    files: files.map((name) => `types/${name}`),
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout, status } = spawnSync(TSC, ["-p", folder], { encoding: "utf8" });
  assert.equal(stdout, "");
  assert.equal(status, 0);
}

const SAMPLES = ["client.ts", "chat.ts", "wrong.ts"];

test("samples compile as for a bundler, with the package's own declarations checked too", () => {
  compiles(SAMPLES, { module: "esnext", moduleResolution: "bundler" });
});

for (const module of ["node16", "nodenext"]) {
  test(`samples compile as ES modules for Node, ${module}`, () => {
    compiles(SAMPLES, { module });
  });
}

test("a CommonJS module may require the package, as Node 22 does", () => {
  compiles(["required.cts"], { module: "nodenext" });
});

test("a project without the browser's types compiles, if it does not check declarations", () => {
  compiles(["required.cts"], { module: "nodenext", lib: ["es2022"], skipLibCheck: true });
});
