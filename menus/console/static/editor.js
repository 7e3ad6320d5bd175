// The editors' script: what is typed shows on the phone at once, rows move by mouse and by keys.
// Without it everything still works, by buttons that send the form.
(function () {
  "use strict";
  var form = document.querySelector("form[data-editor]");
  if (!form) return;
  var unsaved = document.getElementById("unsaved"), says = document.getElementById("unsaved-says"), dirty = false, timer = 0, asking = null;

  function mark() {
    dirty = true;
    unsaved.hidden = false;
  }
  function later() {
    mark();
    clearTimeout(timer);
    timer = setTimeout(function () { look(false); }, 450);
  }

  // Ask the server how it looks, without keeping it. `whole` replaces the fields as well.
  function look(whole, submitter, focus) {
    if (asking) asking.abort();
    var mine = asking = new AbortController(), sent = new FormData(form);
    if (submitter && submitter.name) sent.set(submitter.name, submitter.value);
    if (!whole) form.querySelectorAll("input[type=file]").forEach(function (file) { sent.delete(file.name); });
    return fetch(form.action, { method: "POST", body: sent, headers: { "X-Look": "1", Accept: "text/html" }, signal: mine.signal })
      .then(function (answer) {
        if (answer.redirected || !(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw new Error("elsewhere");
        return answer.text();
      })
      .then(function (html) { take(new DOMParser().parseFromString(html, "text/html"), whole, focus); })
      .catch(function (fault) {
        if (fault.name === "AbortError") return;
        says.textContent = "暂时连不上服务器，您填写的内容还在，请稍后再试。";
        unsaved.hidden = false;
      });
  }
  function take(page, whole, focus) {
    if (!page.querySelector("form[data-editor]")) throw new Error("elsewhere");
    says.textContent = "有未保存的修改。";
    if (whole) {
      var old = document.getElementById("fields"), fresh = page.getElementById("fields");
      old.replaceWith(document.adoptNode(fresh));
      dress(fresh);
      var said = page.querySelector(".said"), here = document.querySelector(".said");
      if (said && here) here.replaceWith(document.adoptNode(said));
      var at = focus && document.getElementById(focus);
      if (at) { at.scrollIntoView({ block: "nearest" }); (at.querySelector("input:not([type=hidden]), select") || at).focus(); }
    }
    page.querySelectorAll("[data-live]").forEach(function (fresh) {
      var old = document.getElementById(fresh.id);
      if (!old || old.innerHTML === fresh.innerHTML) return;
      var open = Array.prototype.map.call(old.querySelectorAll("details"), function (one) { return one.open; });
      old.className = fresh.className;
      old.replaceChildren.apply(old, Array.prototype.map.call(fresh.childNodes, function (node) { return document.importNode(node, true); }));
      old.querySelectorAll("details").forEach(function (one, n) { if (open[n]) one.open = true; });
    });
  }

  // Rows
  function moved(row, how) {
    var other = how === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return false;
    if (how === "up") other.before(row); else other.after(row);
    ends(row.parentElement);
    return true;
  }
  function ends(list) {
    var rows = list.querySelectorAll(":scope > [data-row]");
    rows.forEach(function (row, n) {
      var up = row.querySelector("[data-move=up]"), down = row.querySelector("[data-move=down]");
      if (up) up.disabled = n === 0;
      if (down) down.disabled = n === rows.length - 1;
    });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[name=do]");
    if (!button || button.form !== form || button.value === "save") return;
    event.preventDefault();
    mark();
    var how = button.dataset.move, row = how && button.closest("[data-row]");
    if (how === "up" || how === "down") {
      if (moved(row, how)) { (button.disabled ? row.querySelector("[data-handle]") : button).focus(); later(); }
      return;
    }
    var list = button.value.split(" ")[1] || "", adds = button.value.indexOf("add ") === 0;
    var count = adds ? form.querySelectorAll('input[type=hidden][name="' + CSS.escape(list) + '"]').length : 0;
    look(true, button, adds ? "row-" + list.replace(/\./g, "-") + "-" + count : "slot-" + list);
  });
  document.addEventListener("keydown", function (event) {
    var handle = event.target.closest && event.target.closest("[data-handle]");
    if (!handle || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (moved(handle.closest("[data-row]"), event.key === "ArrowUp" ? "up" : "down")) { handle.focus(); later(); }
  });

  // A long list of choices gets a field to narrow it.
  function narrow(select) {
    if (select.options.length < 12) return;
    var field = document.createElement("input");
    field.type = "search";
    field.className = "form-control mb-1";
    field.placeholder = select.dataset.search;
    field.setAttribute("aria-label", select.dataset.search);
    field.addEventListener("input", function (event) {
      event.stopPropagation();
      var words = field.value.trim(), first = null;
      Array.prototype.forEach.call(select.options, function (option) {
        var fits = !words || option.textContent.indexOf(words) >= 0;
        option.hidden = !fits;
        if (fits && words && option.value && !first) first = option;
      });
      select.querySelectorAll("optgroup").forEach(function (group) { group.hidden = !group.querySelector("option:not([hidden])"); });
      if (first) { select.value = first.value; later(); }
    });
    field.addEventListener("keydown", function (event) { if (event.key === "Enter") event.preventDefault(); });
    select.before(field);
  }
  function dress(within) {
    within.querySelectorAll("select[data-search]").forEach(narrow);
    if (!window.Sortable) return;
    within.querySelectorAll("[data-rows]").forEach(function (list) {
      window.Sortable.create(list, { handle: "[data-handle]", draggable: "[data-row]", ghostClass: "is-dragged", animation: 0, onEnd: function () { ends(list); later(); } });
    });
  }

  // Counters count at once; what a phone shows comes from the server a moment later.
  form.addEventListener("input", function (event) {
    var at = event.target.dataset.counted && document.getElementById(event.target.dataset.counted);
    if (at) {
      var size = new TextEncoder().encode(event.target.value).length, bold = at.querySelector("b");
      if (bold) bold.textContent = size;
      at.classList.toggle("counter--over", size > Number(at.dataset.most));
    }
    if (event.target.type === "file" || event.target.dataset.filter) return;
    later();
  });
  form.addEventListener("change", function (event) {
    if (event.target.type === "file" && event.target.files.length) { mark(); look(true); }
  });
  document.querySelectorAll("[data-filter]").forEach(function (field) {
    field.addEventListener("input", function (event) {
      event.stopPropagation();
      var words = field.value.trim();
      document.querySelectorAll(field.dataset.filter + " [data-words]").forEach(function (one) {
        one.hidden = !!words && one.dataset.words.indexOf(words) < 0;
      });
      document.querySelectorAll(field.dataset.filter + " fieldset").forEach(function (group) {
        group.hidden = !group.querySelector("[data-words]:not([hidden])");
      });
    });
  });

  // Whoever goes elsewhere takes what was typed along.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-tab]");
    if (!link || !dirty || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    var then = document.createElement("input");
    then.type = "hidden";
    then.name = "then";
    then.value = link.pathname + link.search;
    form.append(then);
    form.requestSubmit();
  });
  form.addEventListener("submit", function () { dirty = false; clearTimeout(timer); if (asking) asking.abort(); });
  window.addEventListener("beforeunload", function (event) { if (dirty) event.preventDefault(); });
  dress(form);
})();
