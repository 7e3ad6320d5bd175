// The form of a light service: rows come, go and move; what is wrong is told while one types.
(function () {
  "use strict";
  var form = document.querySelector("form[data-own]");
  if (!form) return;

  // A gap counts as what will stand there, without the words that say where to find it.
  function length(text) {
    return Array.from(text.replace(/【请填写：([^【】：；]+)；来源：[^【】：；]+】/g, "$1")).length;
  }
  function count(field) {
    var most = Number(field.dataset.most), shown = form.querySelector('[data-count-of="' + field.id + '"]');
    var long = most && length(field.value) > most;
    field.classList.toggle("is-invalid", Boolean(long));
    if (!shown || !field.id || !most) return;
    shown.textContent = length(field.value) + " / " + most;
    shown.classList.toggle("own__count--over", long);
  }

  var timer = 0, latest = 0;
  var list = document.querySelector("[data-faults]"), said = document.querySelector("[data-faults-said]");
  var box = document.getElementById("faults");
  function show(faults) {
    box.classList.toggle("alert-warning", faults.length > 0);
    box.classList.toggle("alert-success", faults.length === 0);
    said.textContent = faults.length ? "还有 " + faults.length + " 处要改，改好才能提交审批：" : "内容符合要求。";
    list.replaceChildren();
    faults.forEach(function (one) {
      list.appendChild(document.createElement("li")).textContent = one.called + "：" + one.says + "。" + one.way_out;
    });
  }
  function ask() {
    var mine = ++latest;
    fetch(form.dataset.check, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : undefined; })
      .then(function (faults) { if (faults && mine === latest) show(faults); })
      .catch(function () { /* The network comes back; saving checks again. */ });
  }
  function soon() { clearTimeout(timer); timer = setTimeout(ask, 600); }

  form.addEventListener("input", function (event) { count(event.target); soon(); });
  form.addEventListener("change", function (event) {
    if ("kind" in event.target.dataset) {
      form.querySelector("[data-form-part]").hidden = event.target.value !== "form";
    }
    soon();
  });
  form.querySelectorAll("[data-most]").forEach(count);

  // Rows move by their arrows; the focus stays on the arrow, so that it can be pressed again.
  form.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    var row = button.closest("[data-row]"), rows = button.closest("[data-rows]");
    if ("add" in button.dataset) {
      var all = rows.querySelector("[data-list]");
      if (all.children.length >= Number(rows.dataset.mostRows)) return;
      all.appendChild(rows.querySelector("template").content.cloneNode(true));
      all.lastElementChild.querySelector("input:not([type=hidden]), textarea").focus();
    } else if (row && "up" in button.dataset && row.previousElementSibling) {
      row.parentNode.insertBefore(row, row.previousElementSibling);
      button.focus();
    } else if (row && "down" in button.dataset && row.nextElementSibling) {
      row.parentNode.insertBefore(row.nextElementSibling, row);
      button.focus();
    } else if (row && "drop" in button.dataset) {
      var near = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      (near ? near.querySelector("[data-drop]") : rows.querySelector("[data-add]")).focus();
    } else { return; }
    soon();
  });

  // Looking at it sends the same form elsewhere, as often as one likes.
  form.addEventListener("submit", function (event) {
    if (event.submitter && "look" in event.submitter.dataset) {
      setTimeout(function () { delete form.dataset.sent; }, 0);
    }
  });
})();
