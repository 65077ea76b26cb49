// The ports that goto serves on.
import { firstPort, listeners, originOf, word } from "./calls.js";
import { Acts, Failed } from "./control.js";
import { Form, New } from "./form.js";
import { List, state } from "./list.js";
import { useMetrics } from "./metrics.js";
import { html, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { useStore } from "./store.js";
import { count, line } from "./words.js";

const SECTIONS = [["A port", ["port", "protocol", "label", "open", "admin", "tls"], true]];

export function Listeners() {
  const shown = useRead("/listeners", true);
  const sum = useMetrics();
  const columns = [
    ["Port", (one) => one.port],
    ["Protocol", (one) => one.protocol],
    ["Label", (one) => line(one.label), "wide"],
    ["Open", (one) => state(one.open ? "active" : "disabled", one.open ? "open" : "closed")],
    ["Connections", (one) => count(sum("goto_connections", { listener: one.port })), "number"],
    ["In flight", (one) => count(sum("goto_exchanges_in_flight", { listener: one.port })), "number"],
    ["Managed", (one) => (one.admin === false ? "no" : "yes")],
  ];
  const free = Math.max(0, ...Object.keys(shown.data ?? {}).map(Number)) + 1;
  return html`<div>
    <${New} view="listeners" label="New listener"><${Form} title="A new listener" view="listeners" route="/listeners/add" start=${{ port: free, open: true }} sections=${SECTIONS} label="Add"
      says=${({ port, open = false, ...rest }) => ({ process: { listeners: [{ port, open, ...rest }] } })} /><//>
    <${Failed} of=${shown} />
    <${List} label="Listeners" columns=${columns} rows=${Object.values(shown.data ?? {})} name=${(one) => String(one.port)} detail=${(one) => html`<${Opened} of=${one} />`} />
  </div>`;
}

function Opened({ of }) {
  useStore(listeners);
  const [label, set] = useState(of.label === String(of.port) ? "" : of.label);
  const path = (what) => `/listeners/${of.port}/${what}`;
  const says = (settings) => ({ listener: of.port, settings });
  const there = (what) => `/goto/port/${of.port}/label/${what}`;
  return html`<div>
    <p>Traffic: <code>${originOf(of.port)}/</code></p>
    <div class="row"><label>Label <input value=${label} onInput=${(event) => set(event.target.value)} /></label></div>
    <${Acts} of=${[
      { label: "Set the label", path: there(`set/${word(label || "inner")}`), says: says({ label: label || "inner" }), disabled: !label },
      { label: "Clear the label", path: there("clear"), says: says({ label: null }), ask: `Clear the label of listener ${of.port}?` },
      { label: of.open ? "Close" : "Open", path: path(of.open ? "close" : "open"), says: of.port !== firstPort && says({ open: !of.open }) },
      { label: "Remove", path: path("remove"), ask: `Remove listener ${of.port}?` },
    ]} />
  </div>`;
}
