/** Far beyond what anything takes here, in ms. */
export const DEADLINE = 45_000;

/** Waits for something; where it does not come, `why` says what was seen instead. */
export async function within(promise, why) {
  let timer;
  const late = new Promise((_, failed) => {
    timer = setTimeout(async () => failed(new Error(await why())), DEADLINE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
