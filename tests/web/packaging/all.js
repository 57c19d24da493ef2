// All of them, in one process: they share a browser and a server, and two bundlers at once would get in each other's way.

import "./tarball.test.js";
import "./types.test.js";
import "./static.test.js";
import "./failures.test.js";
import "./vite.test.js";
import "./webpack.test.js";
import "./esbuild.test.js";
import "./shaking.test.js";
import "./node.test.js";
