// The metrics of goto, as far as the page shows them.
import { useRead } from "./reads.js";

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
