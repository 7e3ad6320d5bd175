// The menu at the bottom, cut as WeChat cuts it: four wide characters above, eight below.
import { byId, make } from "./platform.js";

const WIDE_ABOVE = 4;
const WIDE_BELOW = 8;

export function cut(name, most) {
  let width = 0;
  let shown = "";
  for (const character of name) {
    width += character.codePointAt(0) < 0x2e80 ? 0.5 : 1;
    if (width > most) return `${shown}…`;
    shown += character;
  }
  return shown;
}

let showing = "";

export function showMenu(menu, tap) {
  const wanted = JSON.stringify(menu);
  // Drawing anew would close a submenu under the follower's finger.
  if (wanted === showing) return;
  showing = wanted;
  const bar = byId("menu");
  if (!menu.length) {
    bar.replaceChildren(make("div", { className: "none" }, "（没有菜单）"));
    return;
  }
  bar.replaceChildren(...menu.map((button, index) => column(button, index, tap)));
}

function column(button, index, tap) {
  const box = make("div");
  const top = make("button", { type: "button", title: button.name });
  top.textContent = cut(button.name, WIDE_ABOVE);
  box.append(top);
  if (!button.sub_button.length) {
    top.addEventListener("click", () => tap([index], button));
    return box;
  }
  top.textContent = `≡ ${top.textContent}`;
  const below = make("div", { className: "below", hidden: true });
  below.append(...button.sub_button.map((each, place) => item(each, [index, place], tap, below)));
  top.setAttribute("aria-expanded", "false");
  top.addEventListener("click", () => toggle(top, below));
  box.append(below);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || below.hidden) return;
    toggle(top, below);
    top.focus();
  });
  return box;
}

function item(button, index, tap, below) {
  const one = make("button", { type: "button", title: button.name });
  one.textContent = cut(button.name, WIDE_BELOW);
  one.addEventListener("click", () => {
    below.hidden = true;
    tap(index, button);
  });
  return one;
}

function toggle(top, below) {
  const opening = below.hidden;
  for (const other of byId("menu").querySelectorAll(".below")) other.hidden = true;
  below.hidden = !opening;
  top.setAttribute("aria-expanded", String(opening));
  if (opening) below.querySelector("button").focus();
}
