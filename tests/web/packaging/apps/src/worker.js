// A worker that talks.

import { talk } from "./talk.js";

onmessage = ({ data: server }) => talk(server).then(postMessage, (error) => postMessage({ error: String(error) }));
