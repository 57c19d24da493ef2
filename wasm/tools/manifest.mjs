// The package's manifest, without what only its own build needs.

import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url)));
delete manifest.devDependencies;
console.log(JSON.stringify(manifest, null, 2));
