// The page's life and the network, as browsers tell of them.

/** What the platform knows and the client cannot. */
export type Hint = "online" | "offline" | "foreground" | "background" | "suspend";

/** Or that the page was hidden, which only ends typing. */
export type Sign = Hint | "hidden";

/** Tells `tell` until the function is called that it returns. In workers there is the network only, in Node nothing. */
export function watchPage(url: string, tell: (sign: Sign) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const target = globalThis as Partial<Window & typeof globalThis>;
  if (typeof target.addEventListener !== "function") return () => {};
  const listen = (on: EventTarget, event: string, sign: (event: Event) => Sign | undefined) => {
    const handle = (event: Event) => {
      const told = sign(event);
      if (told !== undefined) tell(told);
    };
    on.addEventListener(event, handle, { signal });
  };
  const global = globalThis as unknown as EventTarget;
  listen(global, "online", () => "online");
  // A server on this machine can be reached without any network.
  listen(global, "offline", () => (isLoopback(url) ? undefined : "offline"));
  const connection = (target.navigator as { connection?: EventTarget } | undefined)?.connection;
  if (connection?.addEventListener) {
    listen(connection, "change", () => (target.navigator!.onLine === false ? undefined : "online"));
  }
  if (typeof document !== "undefined") {
    // An open WebSocket would keep the page out of the back-forward cache.
    listen(global, "pagehide", () => "suspend");
    listen(global, "pageshow", (event) => ((event as PageTransitionEvent).persisted ? "foreground" : undefined));
    listen(document, "freeze", () => "suspend");
    listen(document, "resume", () => "foreground");
    listen(document, "visibilitychange", () => (document.visibilityState === "hidden" ? "hidden" : "foreground"));
  }
  return () => stop.abort();
}

function isLoopback(url: string): boolean {
  try {
    const { hostname } = new URL(url);
    return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname);
  } catch {
    return false;
  }
}
