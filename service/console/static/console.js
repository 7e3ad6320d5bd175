// What the console's own script does: colours before the first paint, and one dialog that asks.
(function () {
  "use strict";
  var root = document.documentElement;
  if (root.dataset.theme === "auto") {
    var dark = window.matchMedia("(prefers-color-scheme: dark)");
    var paint = function () { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
    paint();
    dark.addEventListener("change", paint);
  }

  // A form with data-ask is sent only after the dialog was answered. data-ask-points holds the
  // consequences, one a line; data-ask-danger paints the button that cannot be taken back.
  var sure = new WeakSet();
  document.addEventListener("submit", function (event) {
    var form = event.target, dialog = document.getElementById("ask");
    if (!dialog || !form.dataset.ask || sure.has(form)) return;
    event.preventDefault();
    var submitter = event.submitter;
    document.getElementById("ask-title").textContent = form.dataset.ask;
    document.getElementById("ask-text").textContent = form.dataset.askText || "";
    var points = document.getElementById("ask-points");
    points.replaceChildren();
    (form.dataset.askPoints || "").split("\n").filter(Boolean).forEach(function (point) {
      points.appendChild(document.createElement("li")).textContent = point;
    });
    var yes = document.getElementById("ask-yes");
    yes.textContent = form.dataset.askYes || (submitter && submitter.textContent.trim()) || "确定";
    yes.classList.toggle("btn-danger", "askDanger" in form.dataset);
    yes.classList.toggle("btn-primary", !("askDanger" in form.dataset));
    dialog.returnValue = "no";
    dialog.addEventListener("close", function () {
      if (dialog.returnValue !== "yes") { if (submitter) submitter.focus(); return; }
      sure.add(form);
      form.requestSubmit(submitter || undefined);
    }, { once: true });
    dialog.showModal();
  });

  // A form is sent once, however often the button is pressed.
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  // An open menu closes by Escape, and when one goes elsewhere.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.drop[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.drop[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // What is under way is asked for again and again, and once it is done the page is shown anew. It
  // ends after some minutes: a desk that was left is signed out all the same.
  function follow(part, left) {
    if (!left) return;
    setTimeout(function () {
      if (document.hidden) { follow(part, left - 1); return; }
      fetch(part.dataset.refresh, { headers: { Accept: "text/html" } })
        .then(function (answer) {
          if (answer.redirected || !answer.ok) throw new Error(answer.url);
          return answer.text();
        })
        .then(function (text) {
          var now = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
          if (!now) { window.location.assign(part.dataset.refresh); return; }
          // A reader is told only of what is new.
          if (now.textContent !== part.textContent) part.replaceChildren.apply(part, now.childNodes);
          follow(part, left - 1);
        })
        .catch(function () { follow(part, Math.min(left - 1, 3)); });
    }, 3000);
  }
  // This script runs before there is a page, for the sake of its colours.
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-refresh]").forEach(function (part) { follow(part, 100); });
  });

  // Parts of a page that htmx asks for carry the token, too.
  document.addEventListener("htmx:config:request", function (event) {
    var token = document.body.dataset.csrf, ctx = event.detail && event.detail.ctx;
    if (token && ctx && ctx.request) ctx.request.headers["X-CSRF"] = token;
  });
})();
