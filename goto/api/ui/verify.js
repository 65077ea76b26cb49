// Did it come? Expectations that count, and questions to the journal.
import { call, word } from "./calls.js";
import { Act, Acts, Empty, Failed } from "./control.js";
import { Form, New } from "./form.js";
import { List, state } from "./list.js";
import { html, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { count, criteria, line, plain } from "./words.js";

const ADD = "/goto/journal/expectations/add";
const VERIFY = "/goto/journal/verify";

const wanted = (of) => {
  if (of === undefined || of === null) return "at least 1";
  if (typeof of === "number") return `exactly ${of}`;
  return [of.exactly !== undefined && `exactly ${of.exactly}`, of.atLeast !== undefined && `at least ${of.atLeast}`, of.atMost !== undefined && `at most ${of.atMost}`].filter(Boolean).join(", ");
};

const COLUMNS = [
  ["Name", (one) => line(one.name)],
  ["Waits for", (one) => (one.inOrder ? one.inOrder.map(criteria).join(", then ") : criteria(one.when)), "wide"],
  ["Seen", (one) => (one.inOrder ? `${count(one.reached)} of ${count(one.of)}` : count(one.seen)), "number"],
  ["Wanted", (one) => (one.inOrder ? "all, in order" : wanted(one.count))],
  ["Holds", (one) => state(one.holds ? "active" : "waiting", one.holds ? "holds" : "not yet")],
];

export function Verify() {
  const shown = useRead("/goto/journal/expectations", true);
  const all = Object.values(shown.data ?? {});
  const first = { name: "orders", when: { methods: ["POST"], uris: ["/orders"] }, count: { atLeast: 1 } };
  return html`<div>
    <${New} view="verify" label="New expectation"><${Form} title="A new expectation" view="verify" route=${ADD} start=${first} sections=${[["What is expected", ["name", "when", "count", "inOrder"], true]]} label="Add" /><//>
    <${Failed} of=${shown} />
    <${List} label="Expectations" columns=${COLUMNS} rows=${all} name=${(one) => one.name} detail=${(one) => html`<${Acts} of=${[
      { label: "Ask until it holds", method: "GET", path: `/goto/journal/expectations/${word(one.name)}?wait=5s` },
      { label: "Verify", method: "POST", path: VERIFY, body: { expectation: one.name } },
      { label: "Remove", path: `/goto/journal/expectations/${word(one.name)}/remove`, ask: `Remove expectation ${one.name}?` },
    ]} />`} />
    ${shown.data && !all.length && html`<${Empty} says="Nothing is expected. What is expected counts from when it is added:" post=${[ADD, first]} />`}
    ${all.length > 0 && html`<${Act} label="Remove all" path="/goto/journal/expectations/clear" ask=${`Remove all ${all.length} expectations?`} />`}
    <${Ask} />
  </div>`;
}

function Ask() {
  const [told, set] = useState("");
  const start = { when: { uris: ["/orders"] }, count: { atLeast: 1 }, timeout: "0s" };
  const send = async ({ method, path, body }) => {
    const answer = await call(method, path, { body });
    set(answer.status === 200 || answer.status === 417 ? answer.text : "");
    return answer.status === 417 ? { ...answer, ok: true, text: "it does not hold" } : answer.ok ? { ...answer, text: "it holds" } : answer;
  };
  return html`<${Form} title="Ask the journal" route=${VERIFY} start=${start} sections=${[["What is asked", ["when", "count", "timeout"], true], ["Besides", ["settle", "since", "inOrder", "expectation"]]]} label="Verify" send=${send}>
    ${told && html`<pre class="told" role="region" tabindex="0" aria-label="What verify answered">${plain(told)}</pre>`}<//>`;
}
