// Plots over time and bars. A sentence and a table say the same as the lines.
import { html, useState } from "./preact.js";
import { count } from "./words.js";

export const Bars = ({ of, whole }) => html`<table class="bars"><tbody>${of.map(([name, from, to, said]) => html`<tr key=${name}><th scope="row">${name}</th><td class="number">${said}</td>
  <td><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect x=${(100 * from) / whole} width=${Math.max(0.5, (100 * (to - from)) / whole)} height="6" /></svg></td></tr>`)}</tbody></table>`;

const [WIDE, HIGH] = [600, 100];

function pieces(times, values, most) {
  const last = times.at(-1) || 1;
  const all = [[]];
  times.forEach((time, at) => {
    if (values[at] === null) all.push([]);
    else all.at(-1).push(`${((WIDE * time) / last).toFixed(1)},${(HIGH - (HIGH * values[at]) / most).toFixed(1)}`);
  });
  return all.filter((piece) => piece.length).map((piece) => (piece.length > 1 ? piece : [`0,${piece[0].split(",")[1]}`, piece[0]]).join(" "));
}

/** `times` in seconds; `lines` are `[label, values]`, told apart by their dashes too. */
export function Plot({ label, says, unit, times, lines }) {
  const [asTable, setAsTable] = useState(false);
  const most = Math.max(...lines.flatMap(([, values]) => values)) || 1;
  return html`<figure class="plot">
    <figcaption><b>${label}</b> ${lines.map(([name], at) => html`<span key=${name}><svg class=${`line${at}`} viewBox="0 0 30 8" aria-hidden="true"><path d="M0 4H30" /></svg> ${name}</span>`)}
      <button aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>as a table</button></figcaption>
    <div class="drawn" role="img" aria-label=${says}>
      <p class="scale"><span>${count(most)} ${unit}</span><span>0</span></p>
      <svg viewBox=${`0 -2 ${WIDE} ${HIGH + 4}`} preserveAspectRatio="none">${lines.map(([name, values], at) => pieces(times, values, most).map((points) => html`<polyline key=${name + points} class=${`line${at}`} points=${points} />`))}</svg>
      <p class="times"><span>0 s</span><span>${times.at(-1)} s</span></p>
    </div>
    ${asTable && html`<div class="scroll" tabindex="0" role="region" aria-label=${`${label}, as a table`}><table class="counts"><thead><tr><th scope="col">s</th>${lines.map(([name]) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${times.map((time, at) => html`<tr key=${time}><th scope="row">${time}</th>${lines.map(([name, values]) => html`<td key=${name} class="number">${values[at]}</td>`)}</tr>`)}</tbody></table></div>`}
  </figure>`;
}
