// A table whose rows open. The row that is open stands in the address.
import { address, toggle } from "./address.js";
import { Component, html } from "./preact.js";
import { useStore } from "./store.js";
import { line } from "./words.js";

/** Columns are `[heading, cell(row), kind]`; `name(row)` tells rows apart. `detail(row)` is shown below one that is open. */
export function List({ label, columns, rows, name, detail, foot, changing }) {
  const { item } = useStore(address);
  if (!rows.length) return null;
  return html`<table class="list">
    <caption>${label}</caption>
    <thead><tr>${columns.map(([head, , kind]) => html`<th key=${head} scope="col" class=${kind}>${head}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<${Row} key=${name(row)} name=${name(row)} row=${row} version=${row.version} columns=${columns} open=${item === name(row)} detail=${detail} changing=${changing} />`)}</tbody>
    ${foot && html`<tfoot><tr><td colspan=${columns.length}>${foot}</td></tr></tfoot>`}
  </table>`;
}

class Row extends Component {
  /** Rows of exchanges are rendered again only where they have changed: there may be a thousand a second. */
  shouldComponentUpdate(next) {
    return !this.props.changing || next.open || ["open", "row", "version"].some((key) => next[key] !== this.props[key]);
  }

  render({ name, row, columns, open, detail }) {
    if (row.mark) return html`<tr class="mark"><td colspan=${columns.length}>${row.mark}</td></tr>`;
    const [[first, cell], ...rest] = columns;
    return html`<tr data-row aria-current=${open ? "true" : undefined} onClick=${(event) => opens(event) && toggle(name)}>
        <th scope="row" data-label=${first}><button class="open" aria-expanded=${open} onClick=${() => toggle(name)}>${cell(row)}</button></th>
        ${rest.map(([label, said, kind]) => html`<td key=${label} data-label=${label} class=${kind}>${said(row)}</td>`)}
      </tr>
      ${open && html`<tr class="detail"><td colspan=${columns.length}>${detail(row)}</td></tr>`}`;
  }
}

const opens = (event) => !event.target.closest("button, a, summary, input") && getSelection().isCollapsed;

export const state = (kind, said = kind) => html`<span class=${kind}>${said}</span>`;

export function Counts({ label, of, heads }) {
  const rows = Object.entries(of ?? {});
  if (!rows.length) return null;
  return html`<table class="counts"><caption>${label}</caption>
    <thead><tr>${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr></thead>
    <tbody>${rows.map(([name, values]) => html`<tr key=${name}><th scope="row">${line(name)}</th>${[values].flat().map((value, at) => html`<td key=${at} class="number">${value}</td>`)}</tr>`)}</tbody>
  </table>`;
}
