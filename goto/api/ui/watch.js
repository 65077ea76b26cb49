// The one loop that asks what is new. A hidden page asks nothing, and goes on from its cursor when it is shown again.
import { call, readListeners, refused, shown, token } from "./calls.js";
import * as journal from "./journal.js";
import { changed, passed, readAll } from "./reads.js";
import { store } from "./store.js";

const APART = 250; // ms between two answers
const QUIET = 1500; // ms without an entry, after which nothing passes any more
const LONGEST = 15; // s between two tries

export const counts = store({});
export const runs = store({});
export const gone = store(null);

let cursor = "";
let next = 0;
let hiddenAt = null;
let abort = new AbortController();

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const once = (of) => new Promise((done) => { const leave = of.watch(() => done(leave())); });
const total = (by) => Object.values(by).reduce((sum, one) => sum + (one.exchanges ?? 0), 0);

document.addEventListener("visibilitychange", () => {
  here(true);
  if (!document.hidden) return;
  hiddenAt ??= total(counts.value);
  abort.abort();
});

// A browser has six connections to a goto for all of its pages: where many are shown, none of them holds one to wait for news.
const MANY = 4; // pages beside this one
const others = new Set();
const own = Math.random();
const channel = new BroadcastChannel("goto-ui");
const here = (asks) => channel.postMessage([own, asks, document.hidden]);
let waits = false;

channel.onmessage = ({ data: [page, asks, hidden] }) => {
  if (hidden) others.delete(page);
  else others.add(page);
  if (asks && !document.hidden) here(false);
  if (crowded() && waits) abort.abort();
};

const crowded = () => others.size >= MANY;

export async function watch() {
  let tries = 1;
  here(true);
  for (;;) {
    await shown();
    while (refused.value) await once(token);
    abort = new AbortController();
    const asked = performance.now();
    const many = crowded();
    waits = !many;
    try {
      const answer = await call("GET", `/goto/watch?${many ? "" : "wait=20s&"}journal=y&runs=y${cursor && `&since=${cursor}`}`, {
        accept: "application/json",
        signal: abort.signal,
      });
      waits = false;
      if (answer.status === 401) continue;
      if (!answer.ok) throw new Error(answer.text);
      const back = gone.value !== null;
      gone.set(null);
      tries = 1;
      await took(JSON.parse(answer.text), back);
      await pause(Math.max(0, (many ? 4 : 1) * APART - (performance.now() - asked)));
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
  const hidden = unseen(answer, told);
  const lost = first || answer.restarted ? 0 : Math.max(0, after - next - told, hidden);
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

/** Of the exchanges while the page was hidden, those that it is told nothing of: the journal may have been off meanwhile. */
function unseen(answer, told) {
  if (hiddenAt === null) return 0;
  const passed = total(answer.counts ?? {}) - (answer.restarted ? 0 : hiddenAt);
  hiddenAt = null;
  journal.away.set(passed);
  return answer.more ? 0 : passed - told;
}

function merged(answer) {
  const all = answer.restarted ? {} : { ...runs.value };
  for (const [port, targets] of Object.entries(answer.runs ?? {})) all[port] = { ...all[port], ...targets };
  return all;
}

const stopped = (by) =>
  Object.fromEntries(Object.entries(by).map(([port, one]) => [port, { ...one, perSecond: one.inFlight ? one.perSecond : 0 }]));
