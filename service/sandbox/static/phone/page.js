// The page a follower has open, and what its `wx` object asks of the phone.
import { byId, make, post } from "./platform.js";

const QUIET = ["hideOptionMenu", "showOptionMenu", "hideMenuItems", "showMenuItems", "updateAppMessageShareData", "updateTimelineShareData"];

export class Page {
  /** @param follower gives the chosen follower's openid, place and consent */
  constructor(follower) {
    this.follower = follower;
    this.frame = byId("frame");
    byId("close").addEventListener("click", () => this.close());
    byId("reload").addEventListener("click", () => this.open(this.url));
    window.addEventListener("message", (event) => this.asked(event));
    this.calls = { config, title: this.title, closeWindow: this.closed, getLocation: this.place, openLocation: this.map, chooseLocation: this.choose, previewImage: this.picture, scanQRCode: this.code };
  }

  open(url) {
    const { openid } = this.follower();
    if (!/^https?:\/\//.test(url)) return;
    this.url = url;
    byId("page").hidden = false;
    byId("sheet").hidden = true;
    byId("page-title").textContent = url;
    this.frame.src = `/phone/open?${new URLSearchParams({ openid, url })}`;
    byId("close").focus();
  }

  close() {
    byId("page").hidden = true;
    this.frame.src = "about:blank";
    byId("toggle").focus();
  }

  async asked(event) {
    const { data, source } = event;
    if (source !== this.frame.contentWindow || !data || data.sandboxWx !== 1) return;
    const result = await this.answer(data.call, data.args ?? {});
    source.postMessage({ sandboxWx: 1, id: data.id, result }, event.origin);
  }

  async answer(call, args) {
    const act = this.calls[call];
    if (act) return act.call(this, args);
    return { errMsg: QUIET.includes(call) ? `${call}:ok` : `${call}:fail, not played by the sandbox` };
  }

  title({ title, url }) {
    byId("page-title").textContent = title || url;
    return {};
  }

  closed() {
    this.close();
    return {};
  }

  place({ type = "wgs84" }) {
    const { place, allowed } = this.follower();
    if (!allowed) return { errMsg: "getLocation:fail auth deny" };
    if (!place) return { errMsg: "getLocation:fail, no place was chosen on the phone" };
    const [latitude, longitude] = type === "gcj02" ? place.gcj02 : place.wgs84;
    return { errMsg: "getLocation:ok", latitude, longitude, speed: "0", accuracy: String(place.precision) };
  }

  async map({ latitude, longitude, name = "", address = "" }) {
    const text = `${address}\n纬度 ${Number(latitude).toFixed(5)}，经度 ${Number(longitude).toFixed(5)}（GCJ-02）`;
    await this.sheet(`位置：${name || "未命名"}`, text);
    return { errMsg: "openLocation:ok" };
  }

  async choose() {
    const { place } = this.follower();
    if (!place) return { errMsg: "chooseLocation:fail, no place was chosen on the phone" };
    const ok = await this.sheet("选择这个位置？", place.label);
    if (!ok) return { errMsg: "chooseLocation:cancel" };
    const [latitude, longitude] = place.gcj02;
    return { errMsg: "chooseLocation:ok", latitude, longitude, name: place.label, address: place.label };
  }

  async picture({ current, urls = [] }) {
    const image = make("img", { src: current || urls[0] || "", alt: "图片预览" });
    await this.sheet("图片预览", image);
    return { errMsg: "previewImage:ok" };
  }

  async code() {
    const box = make("input", { value: byId("scene").value, ariaLabel: "二维码内容" });
    const ok = await this.sheet("扫到的内容", box);
    return ok ? { errMsg: "scanQRCode:ok", resultStr: box.value } : { errMsg: "scanQRCode:cancel" };
  }

  /** Show something over the page until it is confirmed (true) or dismissed (false). */
  sheet(title, body) {
    byId("sheet-title").textContent = title;
    byId("sheet-body").replaceChildren(...(typeof body === "string" ? body.split("\n").map((line) => make("p", {}, line)) : [body]));
    byId("sheet").hidden = false;
    byId("sheet-ok").focus();
    return new Promise((resolve) => {
      const done = (answer) => () => {
        byId("sheet").hidden = true;
        resolve(answer);
      };
      byId("sheet-ok").onclick = done(true);
      byId("sheet-cancel").onclick = done(false);
    });
  }
}

function config(args) {
  return post("/_jssdk/verify", args);
}
