// The page: its views, and what is around them. A new view is a file and a line in VIEWS.
import { address } from "./address.js";
import { listeners, readListeners, refused, remember } from "./calls.js";
import { Client } from "./client.js";
import { Config } from "./config.js";
import { Dialog } from "./control.js";
import { Exchanges } from "./exchanges.js";
import { Header } from "./header.js";
import { away } from "./journal.js";
import { KEYS, listen } from "./keys.js";
import { Listeners } from "./listeners.js";
import { FIGURES } from "./metrics.js";
import { html, render, useEffect, useState } from "./preact.js";
import { readAll } from "./reads.js";
import { Rules } from "./rules.js";
import { useStore } from "./store.js";
import { Traffic } from "./traffic.js";
import { Verify } from "./verify.js";
import { gone, watch } from "./watch.js";
import { plain, plural } from "./words.js";

const VIEWS = [
  ["exchanges", "Exchanges", Exchanges],
  ["rules", "Rules", Rules],
  ["traffic", "Traffic", Traffic],
  ["client", "Client", Client],
  ["listeners", "Listeners", Listeners],
  ["verify", "Verify", Verify],
  ["config", "Config", Config],
];

function Page() {
  const { view, query } = useStore(address);
  const known = useStore(listeners);
  const [help, setHelp] = useState(false);
  useEffect(() => listen(VIEWS.map(([name]) => name), () => setHelp(true)), []);
  const [name, title, View] = [...VIEWS, ...FIGURES].find(([one]) => one === view) ?? VIEWS[0];
  useEffect(() => {
    document.title = `${title} · goto`;
  }, [title]);
  // another listener is another view of the same kind: nothing that was typed is carried over
  return html`<div><${Header} views=${VIEWS} help=${() => setHelp(true)} /><${Gone} />
    <main aria-label=${title}>${Object.keys(known).length > 0 && html`<${View} key=${`${name} ${query.port ?? ""}`} />`}</main>
    <${TokenForm} />
    ${help && html`<${Dialog} label="Keys" onClose=${() => setHelp(false)}><h2>Keys</h2><table class="counts"><thead><tr><th scope="col">key</th><th scope="col">does</th></tr></thead>
      <tbody>${KEYS.map(([key, does]) => html`<tr key=${key}><th scope="row"><kbd>${key}</kbd></th><td>${does}</td></tr>`)}</tbody></table><p><button onClick=${() => setHelp(false)}>Close</button></p><//>`}
  </div>`;
}

function Gone() {
  const state = useStore(gone);
  const passed = useStore(away);
  return html`<div role="status">${state && html`<p class="gone">goto does not answer since ${state.since.toTimeString().slice(0, 8)}: ${plain(state.why)}</p>`}
    ${passed > 0 && html`<p class="note">${plural(passed, "exchange")} passed while this page was hidden. <button onClick=${() => away.set(0)}>Close</button></p>`}</div>`;
}

function TokenForm() {
  const why = useStore(refused);
  const [value, set] = useState("");
  if (!why) return null;
  const submit = (event) => {
    event.preventDefault();
    remember(value.trim());
    set("");
    readListeners();
    readAll();
  };
  return html`<${Dialog} label="Token" onClose=${(event) => event.target.showModal()}><form onSubmit=${submit}><h2>This goto asks for a token</h2>
    <p id="why" class="error">${plain(why)}</p>
    <p><label>Token <input type="password" aria-describedby="why" value=${value} onInput=${(event) => set(event.target.value)} /></label></p>
    <p class="row"><button type="submit" class="main">Use it</button> <span class="soft">It is kept in this tab alone, until you forget it.</span></p></form><//>`;
}

render(html`<${Page} />`, document.getElementById("page"));
watch();
