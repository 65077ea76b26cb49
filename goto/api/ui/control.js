// A control: a button that makes one call, which is shown beside it, with copies of it for other places.
import { call } from "./calls.js";
import { copy, ctl, curl, yaml } from "./copies.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { readAll } from "./reads.js";
import { plain } from "./words.js";

let ids = 0;

export const useId = () => useState(() => `id${(ids += 1)}`)[0];

/** `says` is what a configuration has instead of the call, `ask` the question before it, `send` makes it another way. */
export function Act({ label, method = "PUT", path, body, says, ask, main, disabled, done, send, id }) {
  const made = { method, path, body };
  const [answer, setAnswer] = useState(null);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setAsked(false);
    setBusy(true);
    try {
      const told = await (send ? send(made) : call(method, path, { body }));
      setAnswer(told);
      done?.(told);
    } catch (error) {
      setAnswer({ ok: false, text: error.message });
    }
    setBusy(false);
    readAll();
  };
  return html`<div class="act">
    <button class=${main ? "main" : ""} aria-haspopup=${ask ? "dialog" : undefined} disabled=${disabled || busy} onClick=${() => (ask ? setAsked(true) : act())}>${label}</button>
    <code class="call">${method} ${plain(path)}</code>
    <${Copies} call=${made} says=${says} of=${label} />
    <span id=${id} class=${`answer ${answer?.ok ? "" : "error"}`} role="status">${answer && plain(`${answer.ok ? "" : `${answer.status ?? "failed"}: `}${answer.text}`)}</span>
    ${asked && html`<${Question} text=${ask} yes=${label} onYes=${act} onNo=${() => setAsked(false)} />`}
  </div>`;
}

export const Acts = ({ of }) => html`<div class="acts">${of.filter(Boolean).map((one, at) => html`<${Act} key=${at} ...${one} />`)}</div>`;

export function Copies({ call: made, says, of }) {
  const forms = [["curl", curl(made)], ["goto ctl", ctl(made)], ...(says ? [["YAML", yaml(says)]] : [])];
  return html`<details class="copies"><summary aria-label=${`Copy ${of}`}>copy</summary>
    ${forms.map(([name, said]) => html`<${Copy} key=${name} name=${name} said=${said} />`)}</details>`;
}

export function Copy({ name, said }) {
  const [copied, setCopied] = useState(false);
  const shown = useRef();
  useEffect(() => setCopied(false), [said]);
  const act = async () => {
    await copy(said, shown.current);
    setCopied(true);
  };
  return html`<div class="copy"><button onClick=${act}>${copied ? "copied" : name}</button><pre ref=${shown}>${plain(said)}</pre></div>`;
}

export function Dialog({ label, onClose, children }) {
  const ref = useRef();
  useEffect(() => {
    const before = document.activeElement;
    ref.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${ref} aria-label=${label} onClose=${onClose}>${children}</dialog>`;
}

export function Question({ text, yes, onYes, onNo }) {
  return html`<${Dialog} label=${plain(text)} onClose=${onNo}>
    <p>${plain(text)}</p>
    <p class="row"><button class="danger" onClick=${onYes}>${yes}</button> <button onClick=${onNo}>No</button></p>
  <//>`;
}

/** What to say next where a view is empty: a `command`, or a call that posts `[path, body]`. */
export function Empty({ says, post, command = post && curl({ method: "POST", path: post[0], body: post[1] }) }) {
  return html`<div class="empty"><p>${says}</p>${command && html`<${Copy} name="copy" said=${command} />`}</div>`;
}

export const Failed = ({ of }) => (of.error ? html`<p class="error" role="status">${plain(of.error)}</p>` : null);
