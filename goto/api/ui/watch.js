// The one loop that asks what is new. A hidden page asks nothing, and goes on from its cursor when it is shown again.
import { call, readListeners, refused, token } from "./calls.js";
import * as journal from "./journal.js";
import { changed, passed, readAll } from "./reads.js";
import { store } from "./store.js";

const APART = 250; // ms between two answers
const QUIET = 1500; // ms without an entry, after which nothing passes any more
const LONGEST = 15; // s between two tries

/** Figures by listener, and of its rules, as the watch has them. */
export const counts = store({});
export const runs = store({});
/** Since when goto does not answer; null while it does. */
export const gone = store(null);

let cursor = "";
let next = 0;
let hiddenAt = null;
let abort = new AbortController();

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const shown = () => new Promise((done) => addEventListener("visibilitychange", done, { once: true }));
const once = (of) => new Promise((done) => { const leave = of.watch(() => done(leave())); });
const total = (by) => Object.values(by).reduce((sum, one) => sum + (one.exchanges ?? 0), 0);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return;
  hiddenAt ??= total(counts.value);
  abort.abort();
});

export async function watch() {
  let tries = 1;
  for (;;) {
    while (document.hidden) await shown();
    while (refused.value) await once(token);
    abort = new AbortController();
    const asked = performance.now();
    try {
      const answer = await call("GET", `/goto/watch?wait=20s&journal=y&runs=y${cursor && `&since=${cursor}`}`, {
        accept: "application/json",
        signal: abort.signal,
      });
      if (answer.status === 401) continue;
      if (!answer.ok) throw new Error(answer.text);
      const back = gone.value !== null;
      gone.set(null);
      tries = 1;
      await took(JSON.parse(answer.text), back);
      await pause(Math.max(0, APART - (performance.now() - asked)));
    } catch (error) {
      if (error.name === "AbortError") continue;
      gone.set(gone.value ?? { since: new Date(), why: error.message });
      await pause(1000 * tries);
      tries = Math.min(2 * tries, LONGEST);
    }
  }
}

let silence = 0;

async function took(answer, back) {
  const first = !cursor;
  cursor = answer.cursor;
  if (answer.restarted) {
    journal.restarted();
    next = 0;
  }
  const { entries = [], next: after = 0, evicted = 0 } = answer.journal ?? {};
  // numbers have no gaps: those between that are not told are gone
  const told = entries.filter((one) => one.seq > next).length;
  const lost = first || answer.restarted ? 0 : Math.max(0, after - next - told, away(answer, told));
  next = Math.max(next, after);
  journal.given(evicted);
  if (entries.length || lost) journal.take(entries, lost);
  counts.set(answer.counts ?? {});
  runs.set(merged(answer));
  clearTimeout(silence);
  silence = setTimeout(() => counts.set(stopped(counts.value)), QUIET);
  const named = answer.changed ?? [];
  if (first || back || answer.restarted || named.includes("/listeners") || named.some((path) => path.endsWith("/label"))) {
    await readListeners();
  }
  if (back || answer.restarted) readAll();
  else changed(named);
  if (entries.length || Object.keys(answer.runs ?? {}).length) passed();
}

/** Exchanges while the page was hidden of which it is told no more: the journal may have been off meanwhile. */
function away(answer, told) {
  const before = hiddenAt;
  hiddenAt = null;
  return before === null || answer.more ? 0 : total(answer.counts ?? {}) - before - told;
}

function merged(answer) {
  const all = answer.restarted ? {} : { ...runs.value };
  for (const [port, targets] of Object.entries(answer.runs ?? {})) all[port] = { ...all[port], ...targets };
  return all;
}

const stopped = (by) =>
  Object.fromEntries(Object.entries(by).map(([port, one]) => [port, { ...one, perSecond: one.inFlight ? one.perSecond : 0 }]));
