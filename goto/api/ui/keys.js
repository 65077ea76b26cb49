// The keys. None of them while a field has the focus, but Escape; none with Ctrl, Alt or Meta.
import { address, filter, go } from "./address.js";
import { journal, stand } from "./journal.js";

export const KEYS = [
  ["1 … 7", "the views"],
  ["/", "to the filter; Escape leaves and clears it"],
  ["j, k, arrows", "row down, up; Enter opens, Escape closes"],
  ["p", "pause, go on"],
  ["n", "new: rule, target, listener or expectation, by the view"],
  ["?", "this table"],
];

function step(by) {
  const all = [...document.querySelectorAll("main tr[data-row] .open")];
  const row = document.activeElement.closest("tr"); // or what is open below it
  const now = all.findIndex((one) => [row, row?.previousElementSibling].includes(one.closest("tr")));
  const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by));
  all[next]?.focus();
  all[next]?.scrollIntoView({ block: "nearest" });
}

function escape() {
  const { view, item, query } = address.value;
  const field = document.activeElement;
  if (field?.id === "filter") {
    filter({ uri: "" });
    field.blur();
  } else if (field?.matches?.("input, textarea, select")) field.blur();
  else if (query.new !== undefined) go(view);
  else if (item) go(view, "", query);
}

export function listen(views, help) {
  const acts = {
    "/": () => document.getElementById("filter")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    p: () => stand(!journal.value.still),
    n: () => document.querySelector("main [data-new]")?.click(),
    "?": help,
  };
  views.forEach((view, at) => (acts[at + 1] = () => go(view)));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return void escape();
    if (event.target.closest?.("input, textarea, select")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
