// How things are said: numbers, times, what a rule looks at and what it does.

const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const escaped = (one) => `\\u${one.charCodeAt().toString(16).padStart(4, "0")}`;

/** Text from the network, with what cannot be seen, or would turn the text around, written out. */
export const plain = (text) => String(text).replace(UNSEEN, escaped);
export const line = (text) => plain(text).replace(/[\t\n]/g, escaped);

export const count = (number) => Number(number ?? 0).toLocaleString("en");
export const plural = (number, one) => `${count(number)} ${one}${number === 1 ? "" : "s"}`;
export const rate = (number) => count(Number(number ?? 0).toFixed(number >= 100 ? 0 : 1));
export const ms = (number) => (number === null || number === undefined ? "" : `${count(Number(number.toPrecision(3)))} ms`);
export const clock = (time) => {
  const date = new Date(time);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
};
export const share = (chance) => `${Number((chance * 100).toPrecision(6))} %`;

export const tone = (status) => (status ? `s${Math.floor(status / 100)}` : "s0");

const pair = ([name, value]) => (value === undefined ? name : `${name}: ${value}`);
const values = (list) => list.map(line).join(" or ");

export const pruned = (when) => when && Object.fromEntries(Object.entries(when).filter(([, value]) => value !== null && value.length !== 0));

/** What was given, of a rule or target as it is read: `without` these keys. */
export function given(one, without = []) {
  const said = Object.fromEntries(Object.entries(one).filter(([key, value]) => !without.includes(key) && value !== null && value !== ""));
  for (const key of ["when", "unless", "match"]) if (said[key]) said[key] = pruned(said[key]);
  return said;
}

export function criteria(when = {}) {
  const said = [];
  if (when.methods?.length) said.push(values(when.methods));
  if (when.uris?.length) said.push(values(when.uris));
  if (when.headers?.length) said.push(`with header ${when.headers.map(pair).map(line).join(" and ")}`);
  if (when.query?.length) said.push(`with query ${when.query.map(pair).map(line).join(" and ")}`);
  for (const [how, value] of Object.entries(when.body ?? {})) if (value !== null) said.push(`whose body ${how} ${line(short(value))}`);
  if (when.reused != null) said.push(when.reused ? "on a kept connection" : "first on its connection");
  for (const key of ["listener", "status", "target", "rule", "end", "id"]) if (when[key] != null) said.push(`${key} ${line(when[key])}`);
  if (when.took) said.push(`took ${line(short(when.took))}`);
  return said.join(" ") || "all traffic";
}

export const looksAt = (rule) => criteria(rule.when) + (rule.unless ? `, unless ${criteria(rule.unless)}` : "");

const short = (value) => (typeof value === "string" ? value : JSON.stringify(value));

export function does(entry) {
  const body = ["body", "json", "base64", "size", "file"].find((key) => entry[key] != null);
  const said = [];
  if (entry.answers) said.push(`${entry.answers.length} answers in turn${entry.then && entry.then !== "last" ? `, then ${entry.then}` : ""}`);
  if (entry.oneOf) said.push(`one of ${entry.oneOf.length}`);
  if (entry.status != null || body) said.push(`answer ${entry.status ?? ""}${body ? ` ${body} ${short(entry[body]).slice(0, 40)}` : ""}`);
  else if (entry.headers?.length) said.push(`headers ${entry.headers.map(([name]) => name).join(", ")}`);
  if (entry.abort) said.push(entry.abort);
  if (entry.garble) said.push(`garble ${short(entry.garble).slice(0, 40)}`);
  if (entry.delay) said.push(`delay ${short(entry.delay)}`);
  if (entry.truncate) said.push(`truncate after ${entry.truncate.after}`);
  if (entry.pace) said.push(entry.pace.rate ? `pace ${entry.pace.rate}/s` : `pace over ${entry.pace.over}`);
  if (entry.stall) said.push(`stall ${entry.stall.for} after ${entry.stall.after}`);
  if (entry.trigger?.length) said.push(`trigger ${entry.trigger.join(", ")}`);
  return line(said.join(", ")) + (entry.at === "response" ? ", once answered" : "");
}

export function often(rule) {
  const said = [];
  if (rule.probability != null && rule.probability !== 1) said.push(share(rule.probability));
  if (rule.every > 1) said.push(`every ${rule.every}th`);
  if (rule.skip) said.push(`after the first ${rule.skip}`);
  if (rule.count) said.push(rule.left === undefined ? `${rule.count} times` : `${rule.left} of ${rule.count} left`);
  if (rule.per) said.push(`per ${line(rule.per)}`);
  if (rule.after && rule.after !== "0s") said.push(`from ${rule.after} on`);
  if (rule.for) said.push(`for ${rule.for}`);
  return said.join(", ") || "always";
}
