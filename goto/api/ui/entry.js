// One exchange that was opened: heads, bodies, times, calls.
import { link } from "./address.js";
import { originOf } from "./calls.js";
import { Act, Copy, Failed } from "./control.js";
import { curlOf } from "./copies.js";
import { isNow } from "./journal.js";
import { Bars } from "./plot.js";
import { html, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { line, ms, plain } from "./words.js";

export function Entry({ entry }) {
  const now = isNow(entry);
  const { data, error } = useRead(now ? `/goto/journal/${entry.seq}` : "", entry.end === null);
  const one = data ?? entry;
  const path = one.uri.split("?")[0];
  const when = { methods: [one.method], ...(path.startsWith("/") && { uris: [path] }) };
  return html`<div class="entry">
    ${!now && html`<p>It was of the goto before; only what was told then is here.</p>`}
    <${Failed} of=${{ error }} />
    <div class="sides">
      <section aria-label="Request"><h2>Request</h2><${Head} first=${`${one.method} ${one.uri} HTTP/${one.version ?? "1.1"}`} fields=${one.headers} /><${Body} name="Request" of=${one.body} /></section>
      <section aria-label="Answer"><h2>Answer</h2>
        ${one.status ? html`<${Head} first=${`${one.status} ${one.reason ?? ""}`} fields=${one.responseHeaders} /><${Body} name="Answer" of=${one.responseBody} />` : html`<p>${one.status === 0 ? "None was sent." : "None yet."}</p>`}</section>
    </div>
    <${Times} of=${one.ms ?? {}} />
    ${one.calls?.length > 0 && html`<h2>Calls</h2><ul>${one.calls.map((call, at) => html`<li key=${at}>${line(call.target)}: <${Url} of=${call.url} /> ${call.status ?? "no answer"} ${ms(call.ms)}</li>`)}</ul>`}
    <p class="facts">${facts(one).map(([name, said]) => html`<span key=${name}><b>${name}</b> ${line(said)}</span>`)}</p>
    <${Copy} name="as curl" said=${curlOf(one, originOf(one.listener))} />
    <p><a class="button" href=${link("rules", "", { new: JSON.stringify({ when }) })}>a rule for this</a></p>
  </div>`;
}

const facts = (one) =>
  [["number", one.seq], ["id", one.id], ["attempt", one.attempt], ["client", one.client], ["connection", one.connection && `${one.connection}, request ${one.onConnection} on it`], ["end", one.end ?? "open"], ["marks", one.by?.join(" ")]].filter(([, said]) => said);

export function Url({ of }) {
  return /^https?:\/\//i.test(of ?? "") ? html`<a href=${of} rel="noreferrer">${line(of)}</a>` : html`<span>${line(of ?? "")}</span>`;
}

function Head({ first, fields = [] }) {
  return html`<pre class="head"><strong>${line(first)}</strong>${fields.map(([name, value], at) => html`<span key=${at}>${"\n"}<b>${line(name)}:</b> ${line(value)}</span>`)}</pre>`;
}

function Body({ name, of }) {
  const [way, setWay] = useState("");
  if (!of || !of.size) return html`<p class="soft">No body.</p>`;
  if (!of.text && !of.base64) {
    return html`<p class="soft">${of.size} bytes, which are not kept. This keeps bodies of what comes next:</p><${Act} label="Keep bodies" path="/goto/journal/set/y" says=${{ process: { journal: {} } }} />`;
  }
  const bytes = of.text === undefined ? Uint8Array.from(atob(of.base64), (one) => one.charCodeAt()) : new TextEncoder().encode(of.text);
  const json = indented(of.text);
  const ways = [...(json ? ["JSON"] : []), ...(of.text === undefined ? [] : ["text"]), "hex"];
  const chosen = ways.includes(way) ? way : ways[0];
  return html`<div class="row">${ways.map((one) => html`<button key=${one} aria-pressed=${chosen === one} onClick=${() => setWay(one)}>${one}</button>`)} <span class="soft">${of.size} bytes${of.truncated ? ", cut when it was kept" : ""}</span></div>
    <pre class="body" role="region" tabindex="0" aria-label=${`${name}, body as ${chosen}`}>${chosen === "JSON" ? plain(json) : chosen === "text" ? plain(of.text) : hex(bytes)}</pre>`;
}

function indented(text) {
  try {
    return /^\s*[[{]/.test(text) ? JSON.stringify(JSON.parse(text), null, 2) : "";
  } catch {
    return "";
  }
}

function hex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.slice(at, at + 16)];
    const digits = row.map((one) => one.toString(16).padStart(2, "0")).join(" ").padEnd(48);
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits} ${row.map((one) => (one > 31 && one < 127 ? String.fromCharCode(one) : ".")).join("")}`);
  }
  return lines.join("\n");
}

function Times({ of: { wait = 0, upstream, head, end } }) {
  const whole = Math.max(end ?? 0, head ?? 0, wait);
  const spans = [["held", 0, wait], ["upstream", wait, upstream && wait + upstream], ["head", 0, head], ["whole", 0, end]].filter(([, , to]) => to);
  return whole > 0 && html`<h2>Times</h2><${Bars} whole=${whole} of=${spans.map(([name, from, to]) => [name, from, to, ms(to - from)])} />`;
}
