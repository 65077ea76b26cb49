// What is shown stands in the address, so that a link shows it again: #view/item?key=value.
import { store } from "./store.js";

function parse() {
  const [path, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  const [view, ...item] = path.split("/");
  return { view: view || "exchanges", item: safely(item.join("/")), query: Object.fromEntries(new URLSearchParams(query)) };
}

function safely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const address = store(parse());
addEventListener("hashchange", () => address.set(parse()));

export function link(view, item = "", query = {}) {
  const { port } = address.value.query;
  const given = Object.entries({ ...(port && { port }), ...query }).filter(([, value]) => value);
  const tail = new URLSearchParams(given).toString();
  return `#${view}${item && `/${encodeURIComponent(item)}`}${tail && `?${tail}`}`;
}

export function go(view, item, query) {
  location.hash = link(view, item, query);
}

export function filter(changes) {
  const { view, item, query } = address.value;
  history.replaceState(null, "", link(view, item, { ...query, ...changes }));
  address.set(parse());
}

export function toggle(item) {
  const { view, item: open, query } = address.value;
  go(view, open === item ? "" : item, query);
}
