// An app, or a part of one, that knows the errors and makes no client.

import { RejoinError } from "rejoin";

report({ isOne: new Error("another") instanceof RejoinError });
