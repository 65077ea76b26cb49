// A value that components can watch.
import { useEffect, useState } from "./preact.js";

export function store(value) {
  const watchers = new Set();
  return {
    get value() {
      return value;
    },
    set(next) {
      value = next;
      for (const tell of [...watchers]) tell();
    },
    watch(tell) {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
  };
}

export function useStore(of) {
  const [, render] = useState(0);
  const { value } = of;
  useEffect(() => {
    const tell = () => render((count) => count + 1);
    if (of.value !== value) tell(); // it was set after this was rendered
    return of.watch(tell);
  }, [of]);
  return value;
}
