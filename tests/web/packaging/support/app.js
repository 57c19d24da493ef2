// Apps that have the package as npm installs it: from its tarball, without a network.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PACKAGE } from "../../serve.js";

const APPS = new URL("../apps/", import.meta.url).pathname;

const folder = mkdtempSync(join(realpathSync(tmpdir()), "rejoin-packaging-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function npm(args, cwd) {
  return execFileSync("npm", [...args, "--silent"], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** The tarball, as it would be published. */
export const TARBALL = join(folder, npm(["pack", PACKAGE, "--pack-destination", folder], folder).trim());

const MANIFEST = JSON.stringify({ name: "app", private: true, type: "module" });

const installed = join(folder, "installed");
mkdirSync(installed);
writeFileSync(join(installed, "package.json"), MANIFEST);
npm(["install", TARBALL, "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], installed);

let apps = 0;

/**
 * Makes an app: the package in `node_modules`, what stands in `apps/`, and these files, by path. With `rename`, `"rejoin"` is
 * written otherwise in its sources.
 */
export function app(files = {}, { rename } = {}) {
  const made = join(folder, `app-${++apps}`);
  cpSync(join(installed, "node_modules"), join(made, "node_modules"), { recursive: true });
  cpSync(APPS, made, { recursive: true });
  const all = { "package.json": MANIFEST, ...files };
  if (rename !== undefined) {
    for (const name of readdirSync(join(APPS, "src"))) {
      const source = readFileSync(join(APPS, "src", name), "utf8");
      all[`src/${name}`] = source.replaceAll('from "rejoin"', `from "${rename}"`);
    }
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(made, path)), { recursive: true });
    writeFileSync(join(made, path), text);
  }
  return made;
}

/** An app in a workspace: the package is installed in the folder above. */
export function workspace() {
  const above = app({ "package.json": JSON.stringify({ private: true, workspaces: ["packages/*"] }) });
  const inner = join(above, "packages/app");
  cpSync(APPS, inner, { recursive: true });
  writeFileSync(join(inner, "package.json"), MANIFEST);
  return inner;
}

/** A page with this script, and with what else stands in its head. */
export function html(script, head = "") {
  return `<!doctype html><title>app</title>${head}<script type="module" src="${script}"></script>`;
}

/** The files in a folder, by their paths in it. */
export function files(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return found.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort();
}
