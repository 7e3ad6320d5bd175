// What stands in the chat: words with links, cards, templates, and the platform's own notices.
import { byId, make } from "./platform.js";

const THROUGH = { "customer-service": "客服消息", template: "模板消息" };

export function showChat(entries, open) {
  const list = byId("chat");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...entries.map((entry) => line(entry, open)));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function line(entry, open) {
  const item = make("li", { className: entry.by });
  if (entry.by === "system") {
    item.textContent = entry.content.content;
    if (entry.kind === "notice") item.classList.add("fault");
    return item;
  }
  item.append(content(entry, open));
  const through = THROUGH[entry.through];
  if (through) item.append(make("div", { className: "through" }, through));
  return item;
}

function content({ kind, content: said }, open) {
  if (kind === "text") return words(said.content, open);
  if (kind === "news") return cards(said.articles, open);
  if (kind === "template") return template(said, open);
  if (kind === "msgmenu") return messageMenu(said);
  if (kind === "location") return bubble(`［位置］${said.label || ""}`);
  if (kind === "transfer_customer_service") return bubble("（已转接人工客服）");
  return bubble(`［${kind}］`);
}

const bubble = (text) => make("div", { className: "bubble" }, text);

/** Only links survive from the markup; everything else is text, whatever it looks like. */
function words(text, open) {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const box = bubble("");
  walk(parsed.body, box, open);
  return box;
}

function walk(from, to, open) {
  for (const node of from.childNodes) {
    if (node.nodeName === "A" && node.getAttribute("href")) {
      const href = node.getAttribute("href");
      const link = make("a", { href, textContent: node.textContent });
      link.addEventListener("click", (event) => {
        event.preventDefault();
        open(href);
      });
      to.append(link);
    } else if (node.nodeName === "BR") {
      to.append("\n");
    } else if (node.nodeType === Node.TEXT_NODE) {
      to.append(node.textContent);
    } else {
      walk(node, to, open);
    }
  }
}

function cards(articles, open) {
  const box = make("div");
  for (const article of articles) {
    const card = make("button", { type: "button", className: "card" });
    card.append(make("b", {}, article.title), make("span", {}, article.description || ""));
    card.addEventListener("click", () => open(article.url));
    box.append(card);
  }
  return box;
}

function template(said, open) {
  const list = make("dl");
  for (const [name, value] of Object.entries(said.data)) {
    list.append(make("dt", {}, name), make("dd", {}, value));
  }
  const card = make("button", { type: "button", className: "card" });
  card.append(make("b", {}, "服务通知"), list);
  if (said.url) card.addEventListener("click", () => open(said.url));
  return card;
}

function messageMenu(said) {
  const lines = [said.head_content, ...said.list.map((item) => `· ${item.content}`), said.tail_content];
  return bubble(lines.filter(Boolean).join("\n"));
}
