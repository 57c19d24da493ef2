// webpack's programming interface, as a promise.

import { join } from "node:path";
import webpack from "webpack";

/** Bundles an app into a folder in it. Rejects with webpack's errors and warnings. */
export function bundle(folder, name, { output, ...config } = {}) {
  const path = join(folder, name);
  // A file of more than 244 KiB is worth a warning to it; of no other there may be any.
  const whole = { mode: "production", context: folder, performance: { hints: false }, output: { path, ...output }, ...config };
  return new Promise((resolve, reject) => {
    webpack(whole, (error, stats) => {
      if (error !== null) return reject(error);
      if (stats.hasErrors() || stats.hasWarnings()) return reject(new Error(stats.toString("errors-warnings")));
      resolve(path);
    });
  });
}
