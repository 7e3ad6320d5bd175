// The form of a light service: what is wrong is told while one types.
(function () {
  "use strict";
  var form = document.querySelector("form[data-own]");
  if (!form) return;

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

  form.addEventListener("input", soon);
  form.addEventListener("change", function (event) {
    if ("kind" in event.target.dataset) {
      form.querySelector("[data-form-part]").hidden = event.target.value !== "form";
    }
    soon();
  });

  // Looking at it sends the same form elsewhere, as often as one likes.
  form.addEventListener("submit", function (event) {
    if (event.submitter && "look" in event.submitter.dataset) {
      setTimeout(function () { delete form.dataset.sent; }, 0);
    }
  });
})();
