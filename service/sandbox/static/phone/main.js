// Puts the phone together: who holds it, where they are, and what they do.
import { showChat } from "./chat.js";
import { follow, setUp } from "./log.js";
import { OutlineMap } from "./map.js";
import { showMenu } from "./menu.js";
import { Page } from "./page.js";
import { degrees, metres, placeAt } from "./place.js";
import { byId, get, make, patch, post, put } from "./platform.js";

const LOOK_EVERY = 1500;
const OUTCOMES = { reply: "已收到回复", nothing: "已接收，无回复", ignored: "已接收（此类事件的回复不显示）", unsent: "没有推送", submenu: "展开子菜单", content: "由微信直接展示" };

let config = { bank: "公众号", datum: "wgs84", webhook: "" };
let backdrop = { provinces: [], cities: [] };
let map;
let chosen = null; // the follower shown, as the control API describes them
const page = new Page(() => ({ openid: chosen.openid, place: chosen.place, allowed: byId("allow").checked }));

const follower = (deed) => `/_control/followers/${encodeURIComponent(chosen.openid)}${deed}`;

function hint(text, bad = false) {
  byId("hint").textContent = text;
  byId("hint").classList.toggle("bad", bad);
}

/** Run something the reader asked for; what goes wrong is said under the phone. */
function on(id, kind, act) {
  byId(id).addEventListener(kind, async (event) => {
    if (kind === "submit") event.preventDefault();
    try {
      await act(event);
    } catch (failed) {
      hint(failed.message, true);
    }
  });
}

async function act(deed, body = {}) {
  if (!chosen) throw new Error("请先选择或创建一位粉丝");
  hint("…");
  const answer = await post(follower(`/${deed}`), body);
  const bad = answer.outcome === "fault";
  const slowest = Math.max(0, ...answer.deliveries.map((each) => each.ms));
  const time = answer.deliveries.length ? `（${Math.round(slowest)} 毫秒）` : "";
  hint(bad ? `推送失败：${answer.why}` : `${OUTCOMES[answer.outcome] ?? answer.outcome}${time}`, bad);
  await refresh();
  return answer;
}

async function tap(index, button) {
  // The page opens at once, as in WeChat: it does not wait for the event to be answered.
  if (button.type === "view") page.open(button.url);
  try {
    await act("tap", { index });
  } catch (failed) {
    hint(failed.message, true);
  }
}

async function choose(openid) {
  const entered = await post(`/_control/followers/${encodeURIComponent(openid)}/enter`);
  if (openid !== chosen?.openid && !byId("page").hidden) page.close();
  show(entered);
  await showPeople();
}

function show(one) {
  chosen = one;
  byId("about").hidden = false;
  byId("title").textContent = one.subscribed ? config.bank : `${config.bank}（未关注）`;
  byId("openid").textContent = one.openid;
  byId("tags").replaceChildren(...tagsOf(one));
  const windows = Object.entries(one.windows).map(([name, { left }]) => `${WINDOWS[name]} 余 ${left} 条`);
  byId("windows").textContent = windows.length ? `可主动下发：${windows.join("，")}` : "没有可主动下发的窗口";
  byId("subscribe").disabled = one.subscribed;
  byId("unsubscribe").disabled = !one.subscribed;
  showChat(one.chat, (url) => page.open(url));
  showMenu(one.menu, tap);
  showPlace();
}

const WINDOWS = { message: "消息", click: "点击", follow: "关注", scan: "扫码" };

function tagsOf(one) {
  if (!one.tags.length) return ["没有标签"];
  const last = one.tags.at(-1).id;
  return one.tags.map((tag) => make("span", { className: tag.id === last ? "last" : "", title: tag.id === last ? "最后打上，决定菜单" : "" }, `${tag.name} #${tag.id}`));
}

function showPlace() {
  const place = chosen?.place;
  byId("where").textContent = place ? `${place.label} · ${place.gcj02.map((each) => each.toFixed(4)).join("，")}（GCJ-02）` : "还没有选择位置";
  byId("report").disabled = byId("send-place").disabled = !place || !chosen.subscribed;
  if (!map) return;
  if (place) map.show(...place.gcj02, precision());
  else map.clear();
}

const precision = () => metres(Number(byId("precision").value));

async function moveTo(lat, lng, label = "") {
  if (!chosen) throw new Error("请先选择或创建一位粉丝");
  const place = { ...placeAt(backdrop.cities, lat, lng, label), precision: precision() };
  show(await patch(follower(""), { place }));
}

async function showPeople() {
  const everyone = await get("/_control/followers");
  const wanted = everyone.map((one) => {
    const state = one.subscribed ? one.tags.at(-1)?.name ?? "默认" : "未关注";
    const button = make("button", { type: "button" }, one.name, make("small", {}, state));
    button.setAttribute("aria-pressed", String(one.openid === chosen?.openid));
    button.dataset.openid = one.openid;
    return make("li", {}, button);
  });
  const before = document.activeElement?.dataset?.openid;
  byId("people").replaceChildren(...wanted);
  if (before) byId("people").querySelector(`[data-openid="${CSS.escape(before)}"]`)?.focus();
}

async function refresh() {
  await Promise.all([follow(), showPeople(), showClock()]);
  if (chosen) show(await get(follower("")));
}

async function showClock() {
  const { shanghai } = await get("/_control/clock");
  byId("clock").textContent = shanghai.slice(0, 19).replace("T", " ");
}

function setUpPeople() {
  byId("people").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button.dataset.openid).catch((failed) => hint(failed.message, true));
  });
  on("create", "submit", async () => {
    const one = await post("/_control/followers", { name: byId("name").value, platform: byId("platform").value });
    byId("name").value = "";
    await choose(one.openid);
  });
  on("subscribe", "click", () => act("subscribe"));
  on("unsubscribe", "click", () => act("unsubscribe"));
  on("revoke", "click", () => act("revoke", { info: "206" }));
  on("scan", "submit", () => act("scan", { scene: byId("scene").value.trim() }));
}

function setUpPhone() {
  on("toggle", "click", () => {
    const typing = byId("write").hidden;
    byId("write").hidden = !typing;
    byId("menu").hidden = typing;
    byId("toggle").textContent = typing ? "≡" : "⌨";
    if (typing) byId("text").focus();
  });
  on("write", "submit", async () => {
    const content = byId("text").value.trim();
    if (!content) return;
    byId("text").value = "";
    await act("message", { type: "text", content });
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#menu")) return;
    for (const below of byId("menu").querySelectorAll(".below")) below.hidden = true;
  });
}

/** The outlines take a moment to draw the first time; everything else works without them. */
async function showBackdrop() {
  backdrop = await get("/phone/backdrop");
  byId("cities").append(...backdrop.cities.map((city) => make("option", { value: city.name }, city.province)));
  if (backdrop.provinces.length) {
    map = new OutlineMap(backdrop, (lat, lng) => {
      byId("city").value = "";
      moveTo(lat, lng).catch((failed) => hint(failed.message, true));
    });
  } else {
    document.querySelector(".place").classList.add("only-list");
  }
  showPlace();
}

function setUpPlace() {
  on("city", "change", async () => {
    const wanted = byId("city").value.trim();
    const city = backdrop.cities.find((each) => each.name === wanted) ?? backdrop.cities.find((each) => wanted && each.name.startsWith(wanted));
    if (!city) throw new Error("没有找到这个城市");
    await moveTo(city.lat, city.lng, city.name);
    map?.show(city.lat, city.lng, precision(), true);
  });
  byId("precision").addEventListener("input", () => {
    byId("precision-shown").textContent = `${precision()} 米`;
    if (map && chosen?.place) map.show(...chosen.place.gcj02, precision());
  });
  on("report", "click", () => {
    const [lat, lng] = degrees(chosen.place, config.datum);
    return act("location", { lat, lng, precision: precision() });
  });
  on("send-place", "click", () => {
    const [lat, lng] = chosen.place.gcj02;
    return act("message", { type: "location", lat, lng, label: chosen.place.label });
  });
  byId("precision-shown").textContent = `${precision()} 米`;
}

async function showConfig() {
  config = await get("/phone/config");
  byId("bank").textContent = config.bank;
  byId("webhook").textContent = config.webhook;
  byId("datum").textContent = `GPS 上报用 ${config.datum.toUpperCase()}，位置消息用 GCJ-02。`;
}

function setUpHeader() {
  on("later", "click", async () => {
    await put("/_control/clock", { advance: 360 });
    await refresh();
  });
  on("real", "click", async () => {
    await put("/_control/clock", { offset: 0 });
    await refresh();
  });
  on("verify", "click", async () => {
    const { ok, why } = await post("/_control/webhook/verify");
    hint(ok ? "推送地址验证通过" : `推送地址没有通过验证：${why}`, !ok);
  });
}

async function start() {
  // Every button works from the first moment on: nothing is awaited before they are set up.
  setUpHeader();
  setUpPeople();
  setUpPhone();
  setUpPlace();
  setUp();
  showBackdrop().catch((failed) => hint(failed.message, true));
  await showConfig();
  await refresh();
  const everyone = await get("/_control/followers");
  if (everyone.length && !chosen) await choose(everyone[0].openid);
  if (!everyone.length) {
    showMenu([], tap);
    hint("先在左边创建一位粉丝，再点“关注”");
  }
  setInterval(() => refresh().catch(() => hint("沙箱没有回应", true)), LOOK_EVERY);
}

start().catch((failed) => hint(failed.message, true));
