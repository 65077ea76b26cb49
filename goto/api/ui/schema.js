// What a call takes, as the OpenAPI document of this goto says it; features of users are in it too.
import { read } from "./calls.js";
import { useEffect, useState } from "./preact.js";

let document_ = null;

export function useSchema(path) {
  const [schema, set] = useState(null);
  useEffect(() => {
    document_ ??= read("/goto/openapi.json");
    document_
      .then((all) => set(resolved(all.paths[path].post.requestBody.content["application/json"].schema, all)))
      .catch(() => {
        document_ = null; // asked for again when a form is opened again
      });
  }, [path]);
  return schema;
}

function resolved(schema, all) {
  if (!schema.$ref) return schema;
  const meant = all.components.schemas[schema.$ref.split("/").pop()];
  const properties = meant.properties && Object.fromEntries(Object.entries(meant.properties).map(([key, one]) => [key, resolved(one, all)]));
  return { ...meant, ...schema, ...(properties && { properties }) };
}

/** How a field is written: text, number, flag, choice, lines, pairs, group, value (JSON or text) or json. */
export function kind(schema) {
  const types = [schema.type ?? "any"].flat().filter((type) => type !== "null");
  if (schema.anyOf || types.length > 1 || types[0] === "any") return "value";
  if (schema.enum) return "choice";
  if (types[0] === "boolean") return "flag";
  if (types[0] === "number" || types[0] === "integer") return "number";
  if (types[0] === "object") return schema.properties ? "group" : "json";
  if (types[0] !== "array") return "text";
  const item = [schema.items?.type ?? "object"].flat()[0];
  if (item === "string") return "lines";
  return item === "array" ? "pairs" : "json";
}

const isNumber = (text) => /^-?\d+(\.\d+)?$/.test(text);

export function written(as, value) {
  if (value === undefined || value === null) return "";
  if (as === "lines") return value.join("\n");
  if (as === "pairs") return value.map((pair) => pair.join(": ")).join("\n");
  if (as === "json") return JSON.stringify(value, null, 1);
  if (as === "value") return typeof value === "string" && !meansJson(value) ? value : JSON.stringify(value);
  return String(value);
}

const meansJson = (text) => isNumber(text) || /^\s*[[{"]|^(true|false|null)$/.test(text);

export function meant(as, text) {
  if (text === "") return undefined;
  const lines = () => text.split("\n").filter((line) => line.trim());
  if (as === "number") return isNumber(text) ? Number(text) : text;
  if (as === "flag") return text === "true";
  if (as === "lines") return lines();
  if (as === "pairs") return lines().map((line) => (line.includes(":") ? [line.split(":")[0].trim(), line.replace(/^.*?:\s*/, "")] : [line.trim()]));
  if (as === "json") return JSON.parse(text);
  if (as === "value" && meansJson(text)) return JSON.parse(text);
  return text;
}
