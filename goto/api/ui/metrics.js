// The metrics of goto, as far as the page shows them; and as they are answered, where a link leads to them.
import { Copies, Failed } from "./control.js";
import { html } from "./preact.js";
import { useRead } from "./reads.js";
import { plain } from "./words.js";

const SAMPLE = /^(goto_\w+)(?:\{(.*)\})? (\S+)$/gm;

const quoted = (value) => `"${String(value).replace(/["\\]/g, "\\$&")}"`;

export function useMetrics() {
  const { data } = useRead("/goto/metrics", true);
  const samples = [...String(data ?? "").matchAll(SAMPLE)];
  return (name, labels = {}) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}=${quoted(value)}`);
    const fit = samples.filter(([, one, had]) => one === name && wanted.every((label) => had.includes(label)));
    return fit.reduce((all, [, , , value]) => all + Number(value), 0);
  };
}

/** A link to the read itself would have no token. */
const Answer = (path) => () => {
  const seen = useRead(path, true);
  const said = seen.data ?? "";
  return html`<div><p class="row"><code class="call">GET ${path}</code><${Copies} call=${{ method: "GET", path }} of=${path} /></p><${Failed} of=${seen} />
    <pre class="told" role="region" tabindex="0" aria-label="Its answer">${plain(said.trim?.() ?? JSON.stringify(said, null, 2))}</pre></div>`;
};

export const FIGURES = [
  ["limits", "Limits", Answer("/goto/limits")],
  ["metrics", "Metrics", Answer("/goto/metrics")],
];
