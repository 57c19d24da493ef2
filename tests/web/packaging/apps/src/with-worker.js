// A page whose worker talks.

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ error: `the worker failed: ${message}` });
worker.postMessage(new URLSearchParams(location.search).get("server"));
