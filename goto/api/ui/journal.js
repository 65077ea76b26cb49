// The exchanges that the page has seen: the newest 1,000, and what stands still while somebody looks at it.
import { store } from "./store.js";

const MOST = 1000;

/** Newest first. Each has a `key`: numbers begin anew with a goto that is started again. */
let entries = [];
let byKey = new Map();
let run = 0;

export const away = store(0);
export const journal = store({ entries, fallen: 0, missed: 0, evicted: 0, still: null });

let fallen = 0;
let missed = 0;
let evicted = 0;
let still = null;

function tell() {
  journal.set({ entries: still ?? entries, fallen, missed, evicted, still: still && { fresh: fresh() } });
}

const fresh = () => entries.filter((one) => one.place > (still[0]?.place ?? 0)).length;

let place = 0;

/** Entries of the watch, oldest first, new ones and ones that have ended since. `lost` were never told. */
export function take(told, lost) {
  const added = [];
  for (const one of told) {
    const key = `${run}.${one.seq}`;
    const known = byKey.get(key);
    if (known) Object.assign(known, one, { version: (known.version ?? 0) + 1 });
    else {
      const made = { ...one, key, run, place: ++place };
      byKey.set(key, made);
      added.push(made);
    }
  }
  missed += lost;
  put(added);
}

function put(added) {
  entries = [...added.sort((a, b) => b.place - a.place), ...entries];
  for (const one of entries.slice(MOST)) {
    byKey.delete(one.key);
    fallen += 1;
  }
  entries = entries.slice(0, MOST);
  tell();
}

export const isNow = (entry) => entry.run === undefined || entry.run === run;

export function given(number) {
  evicted = number;
}

export function restarted() {
  run += 1;
  put([{ key: `${run}.start`, run, place: ++place, mark: "goto was started again", time: new Date().toISOString() }]);
}

export function clear() {
  entries = [];
  byKey = new Map();
  still = null;
  fallen = 0;
  missed = 0;
  tell();
}

export function stand(stands) {
  if (stands === (still !== null)) return;
  still = stands ? entries : null;
  tell();
}
