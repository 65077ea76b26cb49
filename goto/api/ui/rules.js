// Rules: what happens to traffic that fits them.
import { address } from "./address.js";
import { at, originOf, port, word } from "./calls.js";
import { Acts, Empty, Failed } from "./control.js";
import { Form, New } from "./form.js";
import { List, state } from "./list.js";
import { html } from "./preact.js";
import { useRead } from "./reads.js";
import { useStore } from "./store.js";
import { counts } from "./watch.js";
import { count, does, given, line, looksAt, often } from "./words.js";

const SECTIONS = [
  ["What it looks at", ["name", "when"], true],
  ["An answer", ["status", "body", "json", "base64", "size", "file", "headers"], true],
  ["A fault", ["abort", "garble", "truncate"]],
  ["Late and slow", ["delay", "pace", "stall"]],
  ["How often", ["probability", "seed", "skip", "every", "count", "per", "after", "for"]],
  ["What is not its own", ["unless"]],
  ["Several answers", ["answers", "then", "oneOf"]],
  ["Besides", ["enabled", "at", "probes", "receipt", "trigger"]],
];

const SEEN = ["state", "matched", "struck", "unable", "holding", "left", "forgotten"];

const COLUMNS = [
  ["Name", (rule) => line(rule.name)],
  ["Looks at", (rule) => looksAt(rule), "wide"],
  ["What happens", (rule) => does(rule), "wide"],
  ["How often", (rule) => often(rule)],
  ["Matched", (rule) => count(rule.matched), "number"],
  ["Struck", (rule) => count(rule.struck), "number"],
  ["Unable", (rule) => count(rule.unable), "number"],
  ["Holding", (rule) => count(rule.holding), "number"],
  ["State", (rule) => state(rule.state)],
];

export function Rules() {
  const { query } = useStore(address);
  const shown = useRead(at("/response/rules"), true);
  const live = useStore(counts)[port()]?.rules ?? {};
  const rules = Object.values(shown.data ?? {}).map((rule) => ({ ...rule, ...live[rule.name] }));
  const first = { name: "flaky", when: { uris: ["/orders"] }, status: 503 };
  const clear = { label: "Remove all", path: at("/response/rules/clear"), ask: `Remove all ${rules.length} rules of listener ${port()}?` };
  return html`<div>
    <${New} view="rules" label="New rule"><${Edit} key=${query.new} title="A new rule" view="rules" start=${draftOf(query.new)} label="Add" /><//>
    <${Failed} of=${shown} />
    <${List} label="Rules, in the order in which they are looked at" columns=${COLUMNS} rows=${rules} name=${(rule) => rule.name} detail=${(rule) => html`<${Opened} rule=${rule} />`} />
    ${shown.data && !rules.length && html`<${Empty} says=${`No rules: traffic of ${originOf(port())} takes its course. Add one by the form, or:`} post=${[at("/response/rules/add"), first]} />`}
    ${rules.length > 0 && html`<${Acts} of=${[{ label: "Enable all", path: at("/response/rules/enable/all") }, { label: "Disable all", path: at("/response/rules/disable/all") }, clear]} />`}
  </div>`;
}

function draftOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const Edit = (props) => html`<${Form} route="/response/rules/add" path=${at("/response/rules/add")} ...${props}
  sections=${SECTIONS} says=${(rule) => ({ settings: { response: { rules: [rule] } } })} />`;

function Opened({ rule }) {
  const path = (what) => at(`/response/rules/${word(rule.name)}/${what}`);
  const says = (enabled) => ({ settings: { response: { rules: [{ ...given(rule, SEEN), enabled }] } } });
  const plan = useRead(at(`/response/rules/${word(rule.name)}/plan?count=20`), true);
  return html`<div>
    <${Acts} of=${[
      rule.state === "disabled" ? { label: "Enable", path: path("enable"), says: says(true) } : { label: "Disable", path: path("disable"), says: says(false) },
      { label: "Reset", path: path("reset") },
      { label: "Remove", path: path("remove"), ask: `Remove rule ${rule.name}?` },
    ]} />
    <h2>What the dice say next</h2>
    <${Failed} of=${plan} />
    <p class="plan">${(Array.isArray(plan.data) ? plan.data : []).map((one) => html`<span key=${one.n} class=${one.strikes ? "strikes" : ""}>${one.n} ${one.strikes ? "strikes" : "passes"}${one.delay ? ` ${one.delay}` : ""}${one.outcome === undefined ? "" : ` entry ${one.outcome}`}</span>`)}</p>
    <details><summary>Change it</summary><${Edit} title=${`Change ${line(rule.name)}`} start=${given(rule, SEEN)} label="Change" /></details>
  </div>`;
}
