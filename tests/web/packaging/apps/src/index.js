// A page that talks.

import { talk } from "./talk.js";

talk(new URLSearchParams(location.search).get("server")).then(report, (error) => report({ error: String(error) }));
