// The configuration of the process: shown, downloaded, and changed by a document that is dropped here.
import { call } from "./calls.js";
import { Act, Acts, Failed } from "./control.js";
import { difference } from "./difference.js";
import { save } from "./exchanges.js";
import { html, useEffect, useState } from "./preact.js";
import { useRead } from "./reads.js";
import { plain } from "./words.js";

const PATH = "/goto/config";

async function asYaml(path, body) {
  const answer = await call(body === undefined ? "GET" : "POST", path, { body });
  if (!answer.ok) throw new Error(answer.text);
  return `${answer.text}\n`;
}

export function Config() {
  const seen = useRead(PATH);
  const [present, setPresent] = useState("");
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  useEffect(() => {
    asYaml(PATH).then(setPresent, () => undefined);
  }, [seen.data]);
  const take = async (files) => files[0] && setText(await files[0].text());
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const download = async () => {
    const said = await asYaml(PATH);
    save("goto.yaml", "application/yaml", said);
    return { ok: true, text: "goto.yaml" };
  };
  return html`<div class="sides">
    <section aria-label="The present configuration"><h2>As it is</h2><${Failed} of=${seen} />
      <${Act} label="Download" method="GET" path=${PATH} send=${download} />
      <pre class="config" role="region" tabindex="0" aria-label="In YAML">${plain(present)}</pre></section>
    <section aria-label="Another document"><h2>Another document</h2>
      <div class=${`drop ${over ? "over" : ""}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
        <label for="document">Drop a file here, choose one, or write: YAML or JSON</label>
        <input type="file" aria-label="Choose a file" accept=".yaml,.yml,.json" onChange=${(event) => take(event.target.files)} />
        <textarea id="document" rows="10" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
      </div>
      ${text.trim() && html`<${Changes} key="merge" title="Applied, it would change" present=${present} text=${text} path=${PATH} /><${Changes} key="replace" title="Replacing all, it would change" present=${present} text=${text} path=${`${PATH}?replace=y`} />`}
      <${Acts} of=${[
        { label: "Apply", method: "POST", path: PATH, body: text, disabled: !text.trim() },
        { label: "Replace all", method: "POST", path: `${PATH}?replace=y`, body: text, disabled: !text.trim(), ask: "Replace the whole configuration of this goto?" },
      ]} /></section>
  </div>`;
}

function Changes({ title, present, text, path }) {
  const [told, set] = useState({});
  useEffect(() => {
    const soon = setTimeout(async () => {
      try {
        set({ lines: difference(present, await asYaml(`${path}${path.includes("?") ? "&" : "?"}dry=y`, text)) });
      } catch (error) {
        set({ error: error.message });
      }
    }, 300);
    return () => clearTimeout(soon);
  }, [present, text, path]);
  const lines = (told.lines ?? []).filter(([mark]) => mark !== " ");
  return html`<h2>${title}</h2><${Failed} of=${told} />
    ${told.lines && html`<pre class="difference" role="status">${lines.length ? lines.map(([mark, said], at) => html`<span key=${at} class=${mark === "+" ? "added" : "taken"}>${mark} ${plain(said)}${"\n"}</span>`) : "nothing"}</pre>`}`;
}
