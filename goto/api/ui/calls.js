// The calls that the page makes: to the goto that it comes from, with the token where one is needed.
import { address } from "./address.js";
import { store } from "./store.js";

const TOKEN = "goto-token";

export const token = store(sessionStorage.getItem(TOKEN) || "");
export const refused = store("");
export const listeners = store({});
/** The port whose settings stand at the top of a configuration. */
export let firstPort = 0;

export function remember(value) {
  if (value) sessionStorage.setItem(TOKEN, value);
  else sessionStorage.removeItem(TOKEN);
  token.set(value);
  refused.set("");
}

/** A hidden page asks nothing. */
export async function shown() {
  while (document.hidden) await new Promise((done) => addEventListener("visibilitychange", done, { once: true }));
}

export async function call(method, path, { body, accept = "text/plain", signal } = {}) {
  const headers = { Accept: accept };
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  const answer = await fetch(path, { method, headers, body: text(body), signal, cache: "no-store", credentials: "omit" });
  const said = await answer.text();
  if (answer.status === 401) refused.set(said.trim());
  return { ok: answer.ok, status: answer.status, text: said.trim(), etag: answer.headers.get("etag") };
}

/** What a read answers. Throws an Error with what goto says where it refuses. */
export async function read(path, signal) {
  await shown();
  const answer = await call("GET", path, { accept: "application/json", signal });
  const value = parsed(answer.text);
  if (!answer.ok) throw Object.assign(new Error(value?.error ?? answer.text), { status: answer.status });
  return value ?? answer.text;
}

export const text = (body) => (body === undefined || typeof body === "string" ? body : JSON.stringify(body));

function parsed(said) {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}

const OWN = Number(location.port) || (location.protocol === "https:" ? 443 : 80);

export async function readListeners() {
  const answer = await call("GET", "/listeners", { accept: "application/json" });
  if (!answer.ok) return;
  firstPort = Number(/"(\d+)"/.exec(answer.text)?.[1]); // objects order numbers anew, so it is looked for in the text
  listeners.set(JSON.parse(answer.text));
}

/** The one that was chosen, else the one that this page came from; on the admin port the first one. */
export function port() {
  return Number(address.value.query.port) || (listeners.value[OWN] ? OWN : firstPort) || OWN;
}

export const at = (path) => (port() === OWN ? path : `/goto/port/${port()}${path}`);

/** The path of a read as `at` has it, from one with its port before it. */
export const fromHere = (path) => (path.startsWith(`/goto/port/${OWN}/`) ? path.slice(`/goto/port/${OWN}`.length) : path);

export const word = encodeURIComponent;
export const value = (said) => word(said).replaceAll("%2F", "/");
export const words = (said) => word(said).replace(/%(2C|3A|40)/g, decodeURIComponent);

export function originOf(number) {
  const listener = listeners.value[number];
  if (!listener || number === OWN) return location.origin;
  return `${listener.protocol}://${location.hostname}:${number}`;
}
