// What the page has read, by path. One that is shown is read again when the watch names it, or while traffic passes.
import { fromHere, read } from "./calls.js";
import { useEffect } from "./preact.js";
import { store, useStore } from "./store.js";

const kept = new Map();

const LIVE = 1000; // ms between two reads of what traffic changes

function entry(path) {
  if (!kept.has(path)) kept.set(path, { value: store({}), users: 0, live: 0, busy: null, again: false });
  return kept.get(path);
}

function refresh(path) {
  const one = entry(path);
  if (one.busy) one.again = true; // it may have been read just before what has changed
  else one.busy = ask(path, one);
  return one.busy;
}

async function ask(path, one) {
  do {
    one.again = false;
    try {
      one.value.set({ data: await read(path) });
    } catch (error) {
      // a goto that is gone leaves what it said last
      one.value.set(error.status ? { error: error.message, status: error.status } : { ...one.value.value, error: error.message });
    }
  } while (one.again && one.users);
  one.busy = null;
}

/** Read some anew. What is below another read comes after it: what is gone is not shown by then, and not asked for. */
async function again(paths) {
  const below = (path) => paths.some((other) => path.startsWith(`${other.split("?")[0]}/`));
  await Promise.all(paths.filter((path) => !below(path)).map(refresh));
  await new Promise(setTimeout);
  for (const path of paths.filter(below)) if (kept.get(path)?.users) refresh(path);
}

const shown = (fits) => [...kept].filter(([path, one]) => one.users && fits(path, one)).map(([path]) => path);

/** `{data}` or `{error}` of a read, both missing at first. A live one changes with traffic. */
export function useRead(path, live = false) {
  const one = path ? entry(path) : null;
  useEffect(() => {
    if (!one) return undefined;
    one.users += 1;
    one.live += live ? 1 : 0;
    refresh(path);
    return () => {
      one.users -= 1;
      one.live -= live ? 1 : 0;
      if (!one.users) kept.delete(path);
    };
  }, [path, live]);
  return useStore(one ? one.value : NOTHING);
}

const NOTHING = store({});

export function changed(paths) {
  const names = paths.map(fromHere);
  const named = (path) => names.some((name) => path.split("?")[0] === name || path.startsWith(`${name}/`));
  again(shown(named));
}

let soon = 0;
let last = 0;

export function passed() {
  if (soon) return;
  soon = setTimeout(() => {
    soon = 0;
    last = performance.now();
    if (!document.hidden) again(shown((_, one) => one.live));
  }, Math.max(0, last + LIVE - performance.now()));
}

export const readAll = () => again(shown(() => true));
