// What stands above every view: the listener, the version, what passes, what is odd.
import { address, filter, link } from "./address.js";
import { listeners, port, remember, token } from "./calls.js";
import { useMetrics } from "./metrics.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { journal } from "./journal.js";
import { useRead } from "./reads.js";
import { useStore } from "./store.js";
import { counts } from "./watch.js";
import { count, line, plural, rate } from "./words.js";

const THEME = "goto-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };

function wear(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem(THEME, name);
  return name;
}

const SPOKEN = 5000; // ms between two sums that are read out

export function Header({ views, help }) {
  const { view } = useStore(address);
  const passing = useStore(counts)[port()] ?? {};
  const version = useRead("/goto/version").data?.version;
  const odd = useOdd();
  const [theme, setTheme] = useState(() => wear(localStorage.getItem(THEME) ?? "auto"));
  const said = `${rate(passing.perSecond)} exchanges a second${odd.length ? `, ${plural(odd.length, "odd thing")}` : ""}`;
  return html`<header>
    <div class="row">
      <h1>goto <small>${version}</small></h1>
      <${Choice} />
      <p class="rate"><b>${rate(passing.perSecond)}</b>/s, ${count(passing.inFlight)} in flight</p>
      <${Odd} of=${odd} />
      <span class="right">
        <a href="/goto/docs">API</a>
        <button onClick=${help} aria-label="Keys">?</button>
        <button onClick=${() => setTheme(wear(NEXT[theme]))} aria-label=${`Colours: ${theme}`}>${{ auto: "◐", light: "☀", dark: "☾" }[theme]}</button>
        ${useStore(token) && html`<button onClick=${() => remember("") || location.reload()}>Forget the token</button>`}
      </span>
    </div>
    <nav aria-label="Views">${views.map(([name, title], at) => html`<a key=${name} href=${link(name)} aria-current=${view === name ? "page" : undefined} title=${`key ${at + 1}`}>${title}</a>`)}</nav>
    <${Spoken} says=${said} />
  </header>`;
}

function Choice() {
  const known = Object.values(useStore(listeners));
  return html`<label class="choice"><span>Listener</span> <select value=${port()} onChange=${(event) => filter({ port: event.target.value })}>
    ${known.map((one) => html`<option key=${one.port} value=${one.port}>${one.port}${one.label === String(one.port) ? "" : ` ${line(one.label)}`}, ${one.open ? "open" : "closed"}</option>`)}
    ${!known.length && html`<option value=${port()}>${port()}</option>`}</select></label>`;
}

function useOdd() {
  const { data: limits } = useRead("/goto/limits", true);
  const sum = useMetrics();
  const { evicted } = useStore(journal);
  const unable = Object.entries(useStore(counts)).flatMap(([number, one]) => Object.entries(one.rules ?? {}).filter(([, rule]) => rule.unable).map(([name, rule]) => [name, rule.unable, number]));
  const hit = Object.entries(limits ?? {}).filter(([, limit]) => limit?.hit);
  const errors = sum("goto_hook_errors_total");
  const lost = sum("goto_access_log_lost_lines_total");
  const chosen = (number) => (Number(number) === port() ? {} : { port: number });
  return [
    ...hit.map(([name, limit]) => [`limit ${name} was hit ${plural(limit.hit, "time")}`, link("limits")]),
    errors && [`${plural(errors, "error")} of hooks`, link("metrics")],
    lost && [`${plural(lost, "line")} of the access log lost`, link("metrics")],
    evicted && [`the journal is incomplete: ${count(evicted)} evicted`, link("exchanges")],
    ...unable.map(([name, strikes, number]) => [`rule ${line(name)} was unable ${plural(strikes, "time")}`, link("rules", name, chosen(number))]),
    sum("goto_open_to_others") && ["open to others without a token", link("metrics")],
  ].filter(Boolean);
}

const Odd = ({ of }) =>
  of.length
    ? html`<details class="odd"><summary>${of.length} odd</summary><ul>${of.map(([said, where]) => html`<li key=${said}><a href=${where}>${said}</a></li>`)}</ul></details>`
    : html`<span class="soft">nothing odd</span>`;

function Spoken({ says }) {
  const [spoken, speak] = useState(says);
  const latest = useRef(says);
  latest.current = says;
  useEffect(() => {
    const timer = setInterval(() => speak(latest.current), SPOKEN);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="spoken" aria-live="polite">${spoken}</p>`;
}
