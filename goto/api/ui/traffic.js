// What is set for all traffic of a listener: delay, status, headers, bypass, tracking, timeouts, proxy targets.
import { at, port, value, word, words } from "./calls.js";
import { Act, Acts, Empty, Failed, useId } from "./control.js";
import { Url } from "./entry.js";
import { Form, New } from "./form.js";
import { Counts, List, state } from "./list.js";
import { useMetrics } from "./metrics.js";
import { html, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { count, criteria, given, line, ms } from "./words.js";

export function Traffic() {
  return html`<div class="cards"><${Targets} /><${One} title="Delay" name="delay" field=${["Delay", "200ms", "100ms-300ms: between them; 1s:5: the next 5; 1s@10%: by chance"]} /><${One} title="Forced status" name="status" field=${["Status", "503", "503:2: exactly the next 2; 500,502: in turn; 503@10%: by chance"]} /><${Headers} /><${Bypass} /><${Tracking} /><${Timeouts} /><${Statuses} /></div>`;
}

const Card = ({ title, children, wide }) => html`<section class=${wide ? "card whole" : "card"} aria-label=${title}><h2>${title}</h2>${children}</section>`;

/** Fields with the controls that they make: `acts(values)`, with examples where nothing is written. `fields` are `[label, example]`. */
function Set({ fields, acts }) {
  const [typed, set] = useState({});
  const [wrong, setWrong] = useState(); // the answer that refused what was written
  const id = useId();
  const values = fields.map(([label, example]) => typed[label] || example);
  const missing = fields.some(([label]) => !typed[label]);
  return html`<div class="row">${fields.map(([label, example, hint]) => html`<label key=${label}>${label} <input size="16" placeholder=${example} value=${typed[label] ?? ""} aria-invalid=${wrong && "true"} aria-describedby=${wrong}
      onInput=${(event) => set({ ...typed, [label]: event.target.value }) || setWrong()} />${hint && html` <small>${hint}</small>`}</label>`)}</div><${Acts} of=${acts(...values).map((one, at) => one && { disabled: one.typed && missing, id: id + at, done: ({ ok }) => setWrong(ok || !one.typed ? undefined : id + at), ...one })} />`;
}

const clear = (what, path, says, method) => ({ label: "Clear", method, path: at(path), says, ask: `Clear ${what} of listener ${port()}?` });
const says = (response) => ({ settings: { response } });

function One({ title, name, field }) {
  const shown = useRead(at(`/response/${name}`), true);
  return html`<${Card} title=${title}><p class="now">${line(shown.data?.message ?? "")}</p><${Failed} of=${shown} /><${Set} fields=${[field]} acts=${(value) => [
    { label: "Set", typed: true, path: at(`/response/${name}/set/${words(value)}`), says: says({ [name]: value }) },
    clear(`the ${name}`, `/response/${name}/clear`, says({ [name]: null })),
  ]} /><//>`;
}

function Headers() {
  const all = useRead(at("/response/headers"));
  const set = useRead(at("/response/headers/set")).data ?? {};
  const rows = Object.entries(all.data ?? {});
  const added = rows.flatMap(([name, values]) => {
    const left = [...values];
    if (set[name] !== undefined) left.splice(left.indexOf(set[name]), 1);
    return left.map((value) => [name, value]);
  });
  const without = (pairs, name) => pairs.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  const both = (name, more) => says({ headers: without(added, name), setHeaders: [...without(Object.entries(set), name), ...more] });
  return html`<${Card} title="Response headers"><${Failed} of=${all} />
    ${rows.map(([name, values]) => html`<div key=${name} class="item"><b>${line(name)}:</b> ${values.map(line).join(", ")}<${Act} label="Remove" path=${at(`/response/headers/remove/${word(name)}`)} ask=${`Remove header ${name}?`} says=${both(name, [])} /></div>`)}
    <${Set} fields=${[["Header", "x"], ["Value", "x1"]]} acts=${(name, value) => [
      { label: "Set", typed: true, path: at(`/response/headers/set/${word(name)}/${word(value)}`), says: both(name, [[name, value]]) },
      { label: "Add", typed: true, path: at(`/response/headers/add/${word(name)}/${word(value)}`), says: says({ headers: [...added, [name, value]] }) },
      rows.length && clear("the response headers", "/response/headers/clear", says({ headers: null, setHeaders: null })),
    ]} /><//>`;
}

function Bypass() {
  const { data, error } = useRead(at("/request/uri/bypass"), true);
  const uris = Object.entries(data?.Uris ?? {});
  const names = uris.map(([uri]) => uri);
  const config = (bypass) => ({ settings: { request: { uri: { bypass } } } });
  return html`<${Card} title="Bypass"><${Failed} of=${{ error }} />
    <p class="now">${uris.length ? `Answered with ${data.BypassStatus}, and nothing else is done with them:` : "No URI bypasses the rest."}</p>
    ${uris.map(([uri, hits]) => html`<div key=${uri} class="item"><b>${line(uri)}</b> ${count(hits)} requests<${Act} label="Remove" path=${at(`/request/uri/bypass/remove?uri=${value(uri)}`)} ask=${`Remove bypass URI ${uri}?`} says=${config({ uris: names.filter((one) => one !== uri) })} /></div>`)}
    <${Set} fields=${[["URI", "/healthz"]]} acts=${(uri) => [{ label: "Add", typed: true, path: at(`/request/uri/bypass/add?uri=${value(uri)}`), says: config({ uris: [...names, uri] }) }]} />
    <${Set} fields=${[["Status", "200"]]} acts=${(status) => [
      { label: "Set the status", typed: true, path: at(`/request/uri/bypass/status/set/${word(status)}`), says: config({ status: Number(status) }) },
      uris.length && clear("the bypass URIs", "/request/uri/bypass/clear", config({ uris: null })),
    ]} /><//>`;
}

const listed = (text) => text.split(",").map((one) => one.trim());
const statuses = (by = {}) => Object.entries(by).map(([status, hits]) => `${status}: ${count(hits)}`).join(", ");
const mapped = (by, value) => Object.fromEntries(Object.entries(by ?? {}).map(([name, one]) => [name, value(one, name)]));

function Tracking() {
  const { data, error } = useRead(at("/request/headers/track/counts"), true);
  const names = Object.keys(data ?? {});
  const config = (track) => ({ settings: { request: { headers: { track } } } });
  const figures = (of) => mapped(of.RequestCountsByHeaderValue, (hits, value) => [count(hits), statuses(of.RequestCountsByHeaderValueAndResponseStatus?.[value])]);
  return html`<${Card} title="Header tracking"><${Failed} of=${{ error }} />
    ${names.map((name) => html`<div key=${name} class="item"><b>${line(name)}</b><${Counts} label=${`Requests by ${line(name)}`} of=${figures(data[name])} heads=${["Value", "Requests", "Answers"]} />
      <${Act} label="Remove" path=${at(`/request/headers/track/${word(name)}/remove`)} ask=${`Stop tracking ${name}?`} says=${config(names.filter((one) => one !== name))} /></div>`)}
    <${Set} fields=${[["Headers", "user"]]} acts=${(more) => [
      { label: "Track", typed: true, path: at(`/request/headers/track/add/${words(more)}`), says: config([...names, ...listed(more)]) },
      names.length && { ...clear("the header counts", "/request/headers/track/counts/clear"), label: "Clear the counts" },
      names.length && clear("the tracked headers", "/request/headers/track/clear", config(null), "POST"),
    ]} /><//>`;
}

function Timeouts() {
  const { data, error } = useRead(at("/request/timeout/status"), true);
  const names = Object.keys(data?.headers ?? {});
  const all = data?.all ? ["all"] : [];
  const config = (track) => ({ settings: { request: { timeout: { track } } } });
  const ends = (by) => mapped(by, (one) => ["RequestCompleted", "ConnectionClosed", "Broken", "Aborted"].map((key) => count(one[key])));
  const heads = ["Requests", "Completed", "Client left", "Broken", "Aborted"];
  return html`<${Card} title="Timeouts"><${Failed} of=${{ error }} />
    <${Counts} label="How all requests ended" of=${ends(data?.all && { all: data.all })} heads=${heads} />
    ${names.map((name) => html`<${Counts} key=${name} label=${`How requests ended by ${line(name)}`} of=${ends(data.headers[name])} heads=${heads} />`)}
    ${!all.length && !names.length && html`<p class="now">How requests end is not tracked.</p>`}
    <${Set} fields=${[["Headers", "user"]]} acts=${(more) => [
      { label: "Track all", path: at("/request/timeout/track/all"), says: config(["all", ...names]) },
      { label: "Track by headers", typed: true, path: at(`/request/timeout/track/headers/${words(more)}`), says: config([...all, ...names, ...listed(more)]) },
      (all.length || names.length) && clear("the timeout tracking", "/request/timeout/track/clear", config(null), "POST"),
    ]} /><//>`;
}

function Statuses() {
  const { data, error } = useRead(at("/response/status/counts"), true);
  const { countsByRequestedStatus: asked = {}, countsByReportedStatus: told = {} } = data ?? {};
  const rows = mapped({ ...told, ...asked }, (_, status) => [count(told[status]), count(asked[status])]);
  return html`<${Card} title="Statuses"><${Failed} of=${{ error }} /><${Counts} label="Answers by status" of=${rows} heads=${["Status", "Answered", "Asked for"]} />
    ${!Object.keys(rows).length && html`<p class="now">Nothing was answered yet.</p>`}
    <${Acts} of=${[clear("the status counts", "/response/status/counts/clear")]} /><//>`;
}

const SECTIONS = [
  ["Where to, and which", ["name", "url", "match", "when", "unless", "fallback"], true],
  ["Changed on the way", ["replaceURI", "addHeaders", "removeHeaders", "addQuery", "removeQuery", "sendId"]],
];

const any = (match) => ["uris", "headers", "query"].filter((key) => match?.[key]?.length).map((key) => criteria({ [key]: match[key] })).join(" or ") || "nothing";
const config = (target) => ({ settings: { request: { proxy: { targets: [given(target)] } } } });

function Targets() {
  const shown = useRead(at("/request/proxy/targets"));
  const sum = useMetrics();
  const targets = Object.values(shown.data ?? {});
  const of = (target) => ({ listener: port(), target: target.name });
  const mean = (target) => (sum("goto_upstream_latency_seconds_sum", of(target)) / sum("goto_upstream_latency_seconds_count", of(target))) * 1000;
  const columns = [
    ["Name", (one) => line(one.name)],
    ["URL", (one) => html`<${Url} of=${one.url} />`, "wide"],
    ["Triggered by", (one) => (one.when ? criteria(one.when) : any(one.match)) + (one.unless ? `, unless ${criteria(one.unless)}` : "") + (one.fallback ? ", as a fallback" : ""), "wide"],
    ["Answers", (one) => count(sum("goto_upstream_latency_seconds_count", of(one))), "number"],
    ["Failures", (one) => count(sum("goto_upstream_failures_total", of(one))), "number"],
    ["Mean", (one) => ms(mean(one) || null), "number"],
    ["State", (one) => state(one.enabled === false ? "disabled" : "active", one.enabled === false ? "disabled" : "enabled")],
  ];
  const first = { name: "t1", url: "http://localhost:8081", match: { uris: ["/"] } };
  return html`<${Card} title="Proxy targets" wide>
    <${New} view="traffic" label="New target"><${Edit} title="A new proxy target" view="traffic" start=${first} label="Add" /><//>
    <${Failed} of=${shown} />
    <${List} label="Proxy targets" columns=${columns} rows=${targets} name=${(one) => one.name} detail=${(one) => html`<${Opened} target=${one} />`} />
    ${shown.data && !targets.length && html`<${Empty} says="Nothing is sent on: goto answers all traffic itself. Send it to a service:" post=${[at("/request/proxy/targets/add"), first]} />`}
    ${targets.length > 0 && html`<${Act} label="Remove all" path=${at("/request/proxy/targets/clear")} says=${{ settings: { request: { proxy: { targets: null } } } }} ask=${`Remove all ${targets.length} proxy targets of listener ${port()}?`} />`}
  <//>`;
}

const Edit = (props) => html`<${Form} route="/request/proxy/targets/add" path=${at("/request/proxy/targets/add")} ...${props} sections=${SECTIONS} says=${config} />`;

function Opened({ target }) {
  const path = (what) => at(`/request/proxy/targets/${word(target.name)}/${what}`);
  return html`<div><${Acts} of=${[
    target.enabled === false ? { label: "Enable", path: path("enable"), says: config({ ...target, enabled: true }) } : { label: "Disable", path: path("disable"), says: config({ ...target, enabled: false }) },
    { label: "Remove", path: path("remove"), ask: `Remove proxy target ${target.name}?` },
  ]} /><details><summary>Change it</summary><${Edit} title=${`Change ${line(target.name)}`} start=${given(target)} label="Change" /></details></div>`;
}
