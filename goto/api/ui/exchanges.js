// What passes: a row for each exchange, newest first.
import { address, filter } from "./address.js";
import { listeners, originOf, port, read, word } from "./calls.js";
import { Act, Empty, Failed } from "./control.js";
import { Entry } from "./entry.js";
import { clear, journal, stand } from "./journal.js";
import { List } from "./list.js";
import { html, useEffect } from "./preact.js";
import { useRead } from "./reads.js";
import { useStore } from "./store.js";
import { clock, count, line, ms, plural, tone } from "./words.js";

const ROWS = 200;
const ENDS = ["open", "completed", "client_gone", "aborted", "broke_off", "upstream_failed"];

const COLUMNS = [
  ["Time", (one) => clock(one.time)],
  ["Listener", (one) => one.listener, "number"],
  ["Method", (one) => line(one.method)],
  ["URI", (one) => line(one.uri), "uri"],
  ["Status", (one) => (one.status === null ? "" : html`<span class=${`status ${tone(one.status)}`}>${one.status || "none"}</span>`), "number"],
  ["ms", (one) => (one.ms?.end ?? one.ms?.head ?? null) === null ? "" : ms(one.ms.end ?? one.ms.head).replace(" ms", ""), "number"],
  ["End", (one) => (one.end ?? "open").replace("_", " ")],
  ["Marks", (one) => line((one.by ?? []).join(" "))],
  ["Target", (one) => line((one.calls ?? []).map((made) => made.target).join(" "))],
];

const rules = (entry) => (entry.by ?? []).filter((mark) => mark.startsWith("rule:")).map((mark) => mark.slice(5).replace(/!$/, ""));

function fitsStatus(status, wanted) {
  if (wanted.startsWith("!")) return status !== null && !fitsStatus(status, wanted.slice(1));
  return /^\dxx$/.test(wanted) ? Math.floor(status / 100) === Number(wanted[0]) && status !== null : String(status) === wanted;
}

function fits(one, { listener, uri, method, status, rule, end, slow }) {
  if (one.mark) return true;
  return (
    (!listener || String(one.listener) === listener) &&
    (!uri || one.uri.includes(uri)) &&
    (!method || one.method.toUpperCase() === method.toUpperCase()) &&
    (!status || fitsStatus(one.status, status)) &&
    (!slow || one.ms?.end >= parseFloat(slow)) &&
    (!rule || rules(one).includes(rule)) &&
    (!end || (one.end ?? "open") === end)
  );
}

export function Exchanges() {
  const { query, item } = useStore(address);
  const { entries, fallen, missed, evicted, still } = useStore(journal);
  useStore(listeners);
  useEffect(() => {
    const scrolled = () => scrollY > 8 && stand(true);
    addEventListener("scroll", scrolled, { passive: true });
    return () => removeEventListener("scroll", scrolled);
  }, []);
  const fitting = entries.filter((one) => fits(one, query));
  const rows = fitting.slice(0, ROWS);
  const found = item !== "" && rows.some((one) => keyOf(one) === item);
  useEffect(() => {
    if (found) stand(true);
  }, [found]);
  const older = fitting.length - rows.length;
  const foot = [older && `${count(older)} older ones are in memory`, fallen && `${count(fallen)} fell out of it`, missed && `${count(missed)} were missed`, evicted && `the journal itself has given up ${count(evicted)}`];
  const select = (event) => event.target.closest("tr") && stand(true);
  return html`<div onfocusin=${select} onClick=${select}>
    <div class="bar">
      <button aria-pressed=${!!still} onClick=${() => stand(!still)}>${still ? "go on" : "pause"}</button>
      <button class="fresh" disabled=${!still?.fresh} onClick=${() => { stand(false); scrollTo(0, 0); }}>${count(still?.fresh ?? 0)} new</button>
      <button onClick=${clear}>clear the list</button>
      <${Filters} query=${query} />
    </div>
    ${item && !found && html`<${Elsewhere} key=${item} seq=${item} />`}
    <${List} label="Exchanges, newest first" columns=${COLUMNS} rows=${rows} name=${keyOf} changing detail=${(row) => html`<${Entry} entry=${row} />`}
      foot=${foot.filter(Boolean).join("; ")} />
    ${!rows.length && html`<${Empty} says=${entries.length ? "No exchange fits the filter." : "Nothing has passed yet. Send something:"} command=${entries.length ? "" : `curl ${originOf(port())}/hello`} />`}
    <div class="acts">
      <${Act} label="Clear the journal" path="/goto/journal/clear" ask="Clear the journal of this goto?" done=${clear} />
      <${Act} label="Download as HAR" method="GET" path=${harOf(query, entries.filter((one) => !one.mark).length)} send=${(made) => download(made, fitting, query)} />
    </div>
  </div>`;
}

function Elsewhere({ seq }) {
  const seen = useRead(`/goto/journal/${word(seq)}`);
  return html`<section class="card" aria-label=${`Exchange ${line(seq)}`}><h2>Exchange ${line(seq)}</h2><${Failed} of=${seen} />${seen.data && html`<${Entry} entry=${seen.data} />`}</section>`;
}

/** The number stands in the address; after goto was started again it is not enough. */
const keyOf = (row) => (row.run ? row.key : String(row.seq ?? row.key));

function Filters({ query }) {
  const given = (name) => ({ value: query[name] ?? "", onInput: (event) => filter({ [name]: event.target.value.trim() }) });
  const choice = (name, label, choices) => html`<label>${label} <select ...${given(name)}><option value="">all</option>${choices.map((one) => html`<option key=${one} value=${one}>${one.replace("_", " ")}</option>`)}</select></label>`;
  const typed = (name, label, hint, id) => html`<label>${label} <input id=${id} type="search" size="9" placeholder=${hint} ...${given(name)} /></label>`;
  return html`<div class="filters" role="search" aria-label="Filter">
    ${typed("uri", "URI has", "/orders", "filter")}${typed("method", "Method", "POST")}${typed("status", "Status", "5xx")}${typed("rule", "Rule", "flaky")}${typed("slow", "ms at least", "100")}
    ${choice("listener", "Listener", Object.keys(listeners.value))}${choice("end", "End", ENDS)}
  </div>`;
}

function harOf({ listener, method, status, rule, end }, seen) {
  const given = { format: "har", limit: Math.max(1, Math.min(seen, 10000)), listener, method, status, rule, end };
  return `/goto/journal?${new URLSearchParams(Object.entries(given).filter(([, value]) => value))}`;
}

async function download({ path }, fitting, { uri, slow }) {
  const har = await read(path);
  const shown = new Set(fitting.map((one) => one.seq));
  if (uri || slow) har.log.entries = har.log.entries.filter((one) => shown.has(one._seq));
  save("goto.har", "application/json", JSON.stringify(har));
  return { ok: true, text: `goto.har has ${plural(har.log.entries.length, "exchange")}` };
}

export function save(name, type, text) {
  const there = document.createElement("a");
  there.href = URL.createObjectURL(new Blob([text], { type }));
  there.download = name;
  there.click();
  setTimeout(() => URL.revokeObjectURL(there.href), 1000);
}
