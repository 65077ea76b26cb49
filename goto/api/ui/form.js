// A form for what a call takes, made from its schema, with its JSON beside it: both say the same.
import { address, go, link } from "./address.js";
import { Act, useId } from "./control.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { kind, meant, useSchema, written } from "./schema.js";
import { useStore } from "./store.js";
import { plain } from "./words.js";

const said = (text = "") => text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));

export function New({ view, label, children }) {
  const { query } = useStore(address);
  if (query.new === undefined) return html`<div class="bar"><button class="main" data-new onClick=${() => go(view, "", { new: "{}" })}>${label}</button></div>`;
  return html`<div>${children}<p><a href=${link(view)}>Leave it</a></p></div>`;
}

/** `sections` are `[title, keys, open?]`; fields in none of them follow under *More*. `says(value)` is the configuration, `view` what shows
 * what was added.
 */
export function Form({ title, route, path = route, start, sections, label, says = () => null, view, send, children }) {
  const schema = useSchema(route);
  const id = useId();
  const [value, set] = useState(start);
  const [wrong, setWrong] = useState("");
  const first = useRef();
  useEffect(() => {
    if (view) first.current?.querySelector("input")?.focus();
  }, [schema]);
  const change = (next) => {
    set(next);
    setWrong("");
  };
  const done = (told) => {
    if (!told.ok) setWrong(told.text);
    else if (view) go(view, String(value.name ?? value.port));
  };
  if (!schema) return html`<p role="status">The form is being read…</p>`;
  const named = sections.flatMap(([, keys]) => keys);
  const more = Object.keys(schema.properties).filter((key) => !named.includes(key));
  const all = [...sections, ...(more.length ? [["More", more]] : [])];
  return html`<section class="form" aria-label=${title} ref=${first}>
    <h2>${title}</h2>
    <div class="sides">
      <div>${all.map(([name, keys, open]) => html`<details key=${name} class="section" open=${open || keys.some((key) => start[key] !== undefined)}>
        <summary>${name}</summary><${Fields} id=${id} schema=${schema} keys=${keys} value=${value} change=${change} wrong=${wrong} where="" /></details>`)}</div>
      <div class="beside"><${Json} id=${id} value=${value} change=${change} />
        <${Act} main label=${label} method="POST" path=${path} body=${value} says=${says(value)} send=${send}
          done=${done} />${children}</div>
    </div>
  </section>`;
}

function Fields({ id, schema, keys, value, change, wrong, where }) {
  const set = (key, next) => {
    const { [key]: _, ...rest } = value ?? {};
    const all = next === undefined ? rest : { ...value, [key]: next };
    change(Object.keys(all).length || !where ? all : undefined);
  };
  return keys.filter((key) => schema.properties[key]).map((key) => html`<${Field} id=${id} key=${key} name=${key} where=${where} schema=${schema.properties[key]}
    needed=${schema.required?.includes(key)} value=${value?.[key]} change=${(next) => set(key, next)} wrong=${wrong} />`);
}

function Field({ id: form, name, where, schema, needed, value, change, wrong }) {
  const as = kind(schema);
  const path = where + name;
  const id = `${form}-${path.replaceAll(".", "-")}`;
  if (as === "group") {
    return html`<fieldset><legend>${name} <small>${said(schema.description)}</small></legend>
      <${Fields} id=${form} schema=${schema} keys=${Object.keys(schema.properties)} value=${value} change=${change} wrong=${wrong} where=${`${path}.`} /></fieldset>`;
  }
  return html`<${Input} id=${id} as=${as} name=${name} schema=${schema} needed=${needed} value=${value} change=${change} error=${about(wrong, path)} />`;
}

/** What an error says of a field, which it names at its beginning. */
const about = (wrong, path) => (new RegExp(`^${path.replaceAll(".", "\\.")}(\\[\\d+\\])*(\\.\\w+)?: `).test(wrong) ? wrong : "");

function Input({ id, as, name, schema, needed, value, change, error }) {
  const [text, setText] = useState(written(as, value));
  const [bad, setBad] = useState("");
  const own = useRef(value);
  useEffect(() => {
    if (JSON.stringify(own.current) === JSON.stringify(value)) return;
    own.current = value; // it was changed beside this field
    setText(written(as, value));
    setBad("");
  }, [value]);
  const input = (event) => {
    setText(event.target.value);
    try {
      own.current = meant(as, event.target.value);
      setBad("");
      change(own.current);
    } catch (problem) {
      setBad(`not JSON yet: ${problem.message}`);
    }
  };
  const wrong = error || bad;
  const given = { id, value: text, onInput: input, "aria-describedby": `${id}-hint`, "aria-invalid": wrong ? "true" : undefined, required: needed };
  const example = name === "name" ? "" : schema.examples?.[0] ?? schema.default ?? "";
  const usual = schema.default === undefined ? "" : ` (${schema.default})`;
  let field;
  const choices = as === "flag" ? [["true", "yes"], ["false", "no"]] : (as === "choice" ? schema.enum : []).map((one) => [one, one]);
  if (choices.length) field = html`<select ...${given}><option value="">not given${usual}</option>${choices.map(([one, name]) => html`<option key=${one} value=${one}>${name}</option>`)}</select>`;
  else if (["lines", "pairs", "json"].includes(as) || ["body", "json"].includes(name)) field = html`<textarea rows="1" ...${given}></textarea>`;
  else field = html`<input placeholder=${typeof example === "object" ? JSON.stringify(example) : example} ...${given} />`;
  const how = { lines: " One a line.", pairs: " One a line: name: value.", json: " As JSON." }[as] ?? "";
  return html`<div class="field"><label for=${id}>${name}</label>${field}
    <small id=${`${id}-hint`}>${wrong && html`<strong class="error">${plain(wrong)}</strong> `}${said(schema.description)}${how}</small></div>`;
}

function Json({ id, value, change }) {
  const [text, setText] = useState(JSON.stringify(value, null, 2));
  const [bad, setBad] = useState("");
  const own = useRef(value);
  useEffect(() => {
    if (own.current === value) return;
    setText(JSON.stringify(value, null, 2));
    setBad("");
  }, [value]);
  const input = (event) => {
    setText(event.target.value);
    try {
      const next = JSON.parse(event.target.value);
      if (!next || typeof next !== "object" || Array.isArray(next)) throw new Error("an object is wanted");
      own.current = next;
      setBad("");
      change(next);
    } catch (problem) {
      setBad(problem.message);
    }
  };
  return html`<div class="json"><label for=${`${id}-json`}>The same as JSON</label>
    <textarea id=${`${id}-json`} rows="16" value=${text} onInput=${input} aria-describedby=${`${id}-json-hint`} aria-invalid=${bad ? "true" : undefined}></textarea>
    <small id=${`${id}-json-hint`}>${bad && html`<strong class="error">not taken over yet: ${bad}</strong>`}</small></div>`;
}
