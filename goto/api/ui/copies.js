// A call as it is copied: for curl, for goto ctl, and as a part of a configuration.
import { firstPort, listeners, port, text, token } from "./calls.js";

// what a terminal or an eye would take for something else: controls, and marks that turn the direction of text
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export function quoted(word) {
  const said = String(word);
  if (/^[\w@%+=:,./-]+$/.test(said)) return said;
  if (!UNSEEN.test(said.replaceAll("\n", ""))) return `'${said.replaceAll("'", `'\\''`)}'`;
  const escaped = said.replace(/[\\']/g, "\\$&").replace(new RegExp(UNSEEN, "g"), (one) =>
    [...new TextEncoder().encode(one)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  return `$'${escaped}'`;
}

const wants = () => (token.value ? ' -H "Authorization: Bearer $GOTO_ADMIN_TOKEN"' : "");

export function curl({ method, path, body }) {
  const data = body === undefined ? "" : ` --data-raw ${quoted(text(body))}`;
  const verb = method === "GET" || (method === "POST" && data) ? "" : ` -X ${method}`;
  return `curl${verb}${wants()} ${quoted(location.origin + path)}${data}`;
}

export function ctl({ path, body }) {
  const [, number, rest] = /^(?:\/goto\/port\/(\d+)(?=\/))?(.*)$/s.exec(path);
  const url = new URL(rest, location.origin);
  const words = url.pathname.split("/").filter(Boolean).map((word) => quoted(decodeURIComponent(word)));
  const options = [...url.searchParams].map(([key, value]) => `--${key} ${quoted(value)}`);
  const here = `--url ${quoted(location.origin)}${number ? ` --port ${number}` : ""}`;
  const line = ["goto ctl", here, ...words, ...options].join(" ");
  return body === undefined ? line : `printf %s ${quoted(text(body))} | ${line} -f -`;
}

/** A configuration that says the same, of a listener; settings of the `process` stand at the top in any case. */
export function yaml({ settings, process, listener = port() }) {
  if (process) return block(process);
  if (listener === firstPort) return block(settings);
  const { protocol = "http", open = true } = listeners.value[listener] ?? {};
  return block({ listeners: [{ port: listener, protocol, open, ...settings }] });
}

function block(value, indent = "") {
  return Object.entries(value)
    .map(([key, one]) => {
      if (one && typeof one === "object" && !Object.keys(one).length) return `${indent}${key}: ${JSON.stringify(one)}\n`;
      if (Array.isArray(one)) return `${indent}${key}:\n${one.map((item) => `${indent}  - ${JSON.stringify(item)}\n`).join("")}`;
      if (one && typeof one === "object") return `${indent}${key}:\n${block(one, `${indent}  `)}`;
      return `${indent}${key}: ${JSON.stringify(one)}\n`;
    })
    .join("");
}

export function curlOf(entry, origin) {
  const left = new Set(["content-length", "connection", "transfer-encoding", "host"]);
  const parts = [entry.method === "GET" ? "curl" : entry.method === "HEAD" ? "curl -I" : `curl -X ${quoted(entry.method)}`];
  parts.push("--globoff --path-as-is", quoted(/^https?:/.test(entry.uri) ? entry.uri : origin + entry.uri));
  for (const [name, value] of entry.headers ?? []) {
    const host = name.toLowerCase() === "host" && value !== new URL(origin).host;
    if (host || !left.has(name.toLowerCase())) parts.push(value ? `-H ${quoted(`${name}: ${value}`)}` : `-H ${quoted(`${name};`)}`);
  }
  const { text: body, base64 } = entry.body ?? {};
  if ((body || base64) && !entry.headers.some(([name]) => name.toLowerCase() === "content-type")) parts.push("-H Content-Type:");
  if (body) parts.push(`--data-raw ${quoted(body)}`);
  if (!base64) return parts.join(" ");
  return `base64 -d <<< ${base64} | ${parts.join(" ")} --data-binary @-`;
}

/** Put a text where it can be pasted. Without https only this machine's pages may do it the new way. */
export async function copy(said, from) {
  try {
    await navigator.clipboard.writeText(said);
  } catch {
    getSelection().selectAllChildren(from);
    document.execCommand("copy");
  }
}
