// Every exchange in both directions, newest first, each to be unfolded.
import { byId, get, make } from "./platform.js";

const KEPT = 300;
const DULL = /\/cgi-bin\/(token|stable_token|ticket\/|openapi\/)|\/(menu|tags|user)\/(get|tag\/get)|getidlist|quota/;

let last = 0;

export async function follow() {
  const entries = await get(`/_control/log?after=${last}`);
  if (!entries.length) return;
  last = entries.at(-1).id;
  const list = byId("log");
  list.prepend(...entries.reverse().map(line));
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

export function setUp() {
  byId("clear").addEventListener("click", () => byId("log").replaceChildren());
  byId("log-quiet").addEventListener("change", hideDull);
}

function hideDull() {
  for (const item of byId("log").children) item.hidden = byId("log-quiet").checked && item.dataset.dull === "1";
}

function line(entry) {
  const out = entry.direction === "out";
  const bad = isBad(entry);
  const summary = make("summary");
  summary.append(
    make("span", { className: "num" }, new Date(entry.at * 1000).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" })),
    make("span", { className: entry.direction }, out ? "推送" : "调用"),
    make("span", {}, out ? name(entry) : `${entry.method} ${entry.path}`),
    make("span", { className: bad ? "bad" : "" }, bad || verdict(entry)),
    make("span", { className: "num" }, `${entry.ms} ms`),
  );
  const item = make("li", {}, make("details", {}, summary, make("pre", {}, whole(entry))));
  item.dataset.dull = !out && !bad && DULL.test(entry.path) ? "1" : "0";
  item.hidden = byId("log-quiet").checked && item.dataset.dull === "1";
  return item;
}

const name = (entry) => `${entry.kind.replace("event:", "事件 ")}${entry.attempt > 1 ? `（第 ${entry.attempt} 次）` : ""}`;

function verdict(entry) {
  if (entry.direction === "in") return "ok";
  return { reply: "有回复", nothing: "已接收", ignored: "回复不显示" }[entry.outcome] ?? entry.outcome;
}

function isBad(entry) {
  if (entry.fault) return `故障 ${entry.fault}`;
  if (entry.direction === "out") return entry.outcome === "fault" ? `失败 ${entry.status ?? ""}` : "";
  const code = /"errcode":(-?\d+)/.exec(entry.response);
  return code && code[1] !== "0" ? code[1] : "";
}

function whole(entry) {
  const lines = [`${entry.method} ${entry.path}?${entry.query}`, "", pretty(entry.request), "", `→ ${entry.status ?? "无应答"} ${entry.why ?? ""}`];
  if (entry.direction === "out" && entry.reply) lines.push(JSON.stringify(entry.reply, null, 1));
  else lines.push(pretty(entry.response));
  if (entry.rid) lines.push("", `rid: ${entry.rid}`);
  return lines.join("\n");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text.replace(/(<\/\w+>)(?=<)/g, "$1\n");
  }
}
