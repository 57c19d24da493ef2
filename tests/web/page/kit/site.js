// What is served to the pages.

import { PACKAGE, serve } from "../../serve.js";

const HEAD = `<!doctype html><link rel="icon" href="data:,">`;
const PAGE = `${HEAD}<title>page</title><script type="module" src="/kit/inside.js"></script>`;

export const site = () =>
  serve({
    folders: { "/rejoin/": PACKAGE, "/kit/": new URL("./", import.meta.url).pathname },
    pages: { "/": PAGE, "/elsewhere": `${HEAD}<title>elsewhere</title>` },
  });
