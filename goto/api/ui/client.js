// The load client: what it may send, what it has sent, and how that went.
import { at, call, originOf, port, word, words } from "./calls.js";
import { Act, Acts, Empty, Failed } from "./control.js";
import { Url } from "./entry.js";
import { save } from "./exchanges.js";
import { Form, New } from "./form.js";
import { Counts, List, state } from "./list.js";
import { Bars, Plot } from "./plot.js";
import { html, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { useStore } from "./store.js";
import { runs } from "./watch.js";
import { count, given, line, ms, rate } from "./words.js";

const SECTIONS = [
  ["What is sent", ["name", "method", "url", "headers", "body"], true],
  ["How much", ["replicas", "requestCount", "duration", "rate", "delay", "stages"], true],
  ["Checked and joined", ["checks", "reconcile", "sendId", "variables"]],
];

const ADD = "/client/targets/add";
const says = (target) => ({ settings: { client: { targets: [target] } } });

export function Client() {
  const targets = useRead(at("/client/targets"));
  const results = useRead(at("/client/results?series=y"), true);
  const running = useStore(runs)[port()] ?? {};
  const invocations = useRead(at("/client/results/invocations"), true);
  const all = Object.values(targets.data ?? {});
  const of = (one) => ({ ...running[one.name], ...results.data?.targets?.[one.name] });
  const sent = (one) => {
    const { sent: done, requests, of: whole } = of(one);
    return `${count(requests ?? done)}${whole ? ` of ${count(whole)}` : ""}`;
  };
  const latency = (one, key) => ms(of(one).latency?.corrected?.[key]);
  const columns = [
    ["Name", (one) => line(one.name)],
    ["Sends", (one) => html`${line(one.method)} <${Url} of=${one.url} />`, "wide"],
    ["Sent", sent, "number"],
    ["Rate", (one) => (of(one).requestsPerSecond ? `${rate(of(one).requestsPerSecond)}/s` : ""), "number"],
    ["Errors", (one) => count(errors(of(one).errors)), "number"],
    ["p50", (one) => latency(one, "p50"), "number"],
    ["p99", (one) => latency(one, "p99"), "number"],
    ["Max", (one) => latency(one, "max"), "number"],
    ["State", (one) => state(of(one).running ? "active" : "disabled", of(one).running ? "runs" : "rests")],
  ];
  const first = { name: "orders", method: "GET", url: `${originOf(port())}/orders`, requestCount: 1000 };
  return html`<div>
    <${New} view="client" label="New target"><${Edit} title="A new client target" view="client" start=${first} label="Add" /><//>
    <${Failed} of=${targets} />
    <${List} label="Client targets" columns=${columns} rows=${all} name=${(one) => one.name} detail=${(one) => html`<${Opened} target=${one} of=${of(one)} results=${results.data} />`} />
    ${targets.data && !all.length && html`<${Empty} says="The client has nothing to send. Give it a target:" post=${[at(ADD), first]} />`}
    ${all.length > 0 && html`<${Acts} of=${[
      { label: "Invoke all", method: "POST", path: at("/client/targets/invoke/all") },
      { label: "Stop all", method: "POST", path: at("/client/targets/stop/all") },
      { label: "Clear all results", method: "POST", path: at("/client/results/clear"), ask: `Clear all client results of listener ${port()}?` },
      { label: "Remove all", path: at("/client/targets/clear"), says: { settings: { client: { targets: null } } }, ask: `Remove all ${all.length} client targets of listener ${port()}?` },
    ]} />`}
    <${Runs} of=${invocations} />
  </div>`;
}

const errors = (by) => (by && typeof by === "object" ? Object.values(by).reduce((sum, one) => sum + one, 0) : by);

const Edit = (props) => html`<${Form} route=${ADD} path=${at(ADD)} ...${props} sections=${SECTIONS} says=${says} />`;

function Runs({ of }) {
  const list = Array.isArray(of.data) ? of.data : [];
  if (!list.length) return null;
  const rows = Object.fromEntries(list.slice(0, 20).map((one) => [`run ${one.id}`, [one.targets.map(line).join(", "), one.state, count(one.requests), count(errors(one.errors))]]));
  return html`<h2>Runs</h2><${Counts} label="The last runs, newest first" of=${rows} heads=${["Run", "Targets", "State", "Requests", "Errors"]} />`;
}

function Opened({ target, of, results }) {
  const name = word(target.name);
  const series = results?.series?.[target.name];
  const statuses = results?.countsByTargetStatusCode?.[target.name] ?? {};
  const asCsv = async () => {
    save(`${target.name.replace(/[^\w.-]/g, "_")}.csv`, "text/csv", csv(target.name, series));
    return { ok: true, text: `${count(series.points.length)} rows` };
  };
  return html`<div>
    <${Acts} of=${[
      { label: "Invoke", method: "POST", path: at(`/client/targets/${words(target.name)}/invoke`), main: true },
      { label: "Stop", method: "POST", path: at(`/client/targets/${words(target.name)}/stop`) },
      { label: "Clear results", method: "POST", path: at(`/client/results/${name}/clear`), ask: `Clear the results of ${target.name}?` },
      { label: "Remove", path: at(`/client/targets/${name}/remove`), ask: `Remove client target ${target.name}?` },
      series?.points?.length && { label: "Series as CSV", method: "GET", path: at("/client/results?series=y"), send: asCsv },
    ]} />
    <${Series} of=${series} />
    <div class="cards">
      <${Counts} label="Answers by status (0: none)" of=${Object.fromEntries(Object.entries(statuses).map(([status, hits]) => [status, count(hits)]))} heads=${["Status", "Requests"]} />
      <${Counts} label="Errors" of=${typeof of.errors === "object" ? of.errors : {}} heads=${["Kind", "Requests"]} />
      <${Counts} label="Checks that failed" of=${of.checks} heads=${["Check", "Answers"]} />
      <${Counts} label="Latency" of=${percentiles(of.latency)} heads=${["ms", "since due", "since sent"]} />
    </div>
    ${target.reconcile && html`<${Reconcile} target=${target} />`}
    <details><summary>Change it</summary><${Edit} title=${`Change ${line(target.name)}`} start=${given(target)} label="Change" /></details>
  </div>`;
}

const percentiles = (latency) => {
  if (!latency?.corrected?.count) return {};
  return Object.fromEntries(["mean", "p50", "p90", "p99", "p99.9", "max"].map((key) => [key, [latency.corrected[key], latency.raw?.[key]]]));
};

const FIELDS = ["at", "requests", "errors", "bytes", "p50", "p99", "max"];

function csv(name, { every, points }) {
  const cell = `"${name.replaceAll('"', '""')}"`;
  const rows = points.map((one) => [cell, one.at, every, ...FIELDS.slice(1).map((key) => one[key] ?? "")].join(","));
  return `${["target,at,every,requests,errors,bytes,p50_ms,p99_ms,max_ms", ...rows].join("\n")}\n`;
}

function Series({ of }) {
  const points = of?.points ?? [];
  if (!points.length) return null;
  const [times, requests, errors, p50, p99] = ["at", "requests", "errors", "p50", "p99"].map((key) => points.map((one) => one[key] ?? null));
  const sum = (values) => count(values.reduce((all, one) => all + one, 0));
  const over = `over ${times.at(-1)} s`;
  return html`<${Plot} label=${`Requests, each ${of.every}`} says=${`${sum(requests)} requests and ${sum(errors)} errors ${over}, at most ${count(Math.max(...requests))} requests within ${of.every}.`} unit="" times=${times} lines=${[["requests", requests], ["errors", errors]]} />
    <${Plot} label="Latency" says=${`Latency ${over}: p50 at most ${ms(Math.max(...p50))}, p99 at most ${ms(Math.max(...p99))}.`} unit="ms" times=${times} lines=${[["p50", p50], ["p99", p99]]} />`;
}

function Reconcile({ target }) {
  const [told, set] = useState(null);
  const send = async ({ method, path, body }) => {
    const answer = await call(method, path, { body, accept: "application/json" });
    if (!answer.ok) return answer;
    set(JSON.parse(answer.text)[target.name]);
    return { ok: true, text: "joined" };
  };
  return html`<h2>Sent, arrived, answered</h2><${Act} label="Reconcile" method="POST" path=${at("/client/reconcile")} body=${{ targets: [target.name] }} send=${send} />
    ${told && html`<${Bars} whole=${told.sent || 1} of=${["sent", "arrived", "answered"].map((key) => [key, 0, told[key], count(told[key])])} /><${Counts} label="Reconciled" of=${Object.fromEntries(Object.entries(told).filter(([, one]) => typeof one === "number").map(([key, one]) => [key, count(one)]))} heads=${["Number", "Requests"]} />`}`;
}
