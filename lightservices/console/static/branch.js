// A branch's pages: a list is uploaded with a bar that moves, a form grows by rows and is checked.
(function () {
  "use strict";

  // A form that only takes a file away leaves the page as it is, and may be sent again.
  document.addEventListener("submit", function (event) {
    if ("again" in event.target.dataset) {
      setTimeout(function () { delete event.target.dataset.sent; }, 1500);
    }
  });

  // Uploading: the answer is told line by line, and the last line says where to go.
  document.querySelectorAll("form[data-upload]").forEach(function (form) {
    var box = form.querySelector("[data-progress]"), bar = box.querySelector("progress");
    var said = box.querySelector("[data-said]"), announce = form.querySelector("[data-announce]");
    var problem = form.querySelector("[data-problem]"), button = form.querySelector("button");

    function tell(words) { said.textContent = words; announce.textContent = words; }
    function fail(words) {
      box.hidden = true; button.disabled = false; announce.textContent = "";
      problem.hidden = false; problem.textContent = words;
    }
    function hear(line) {
      var told = JSON.parse(line);
      if (told.goto) { tell("核对完毕，正在打开结果…"); window.location.assign(told.goto); }
      else if (told.problem) { fail(told.problem); }
      else {
        bar.max = told.total || 1; bar.value = told.done;
        said.textContent = "正在逐行核对：" + told.done + " / " + told.total + " 行";
      }
    }
    form.addEventListener("submit", function (event) {
      if (!window.fetch || !window.TextDecoder) return;
      event.preventDefault();
      problem.hidden = true; box.hidden = false; button.disabled = true;
      bar.removeAttribute("value");
      tell("正在上传并读取文件…");
      fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/x-ndjson" } })
        .then(function (answer) {
          if (answer.redirected) { window.location.assign(answer.url); return undefined; }
          if (!answer.ok || !answer.body) {
            throw new Error(answer.status === 413 ? "文件太大，请删去用不到的列，或分机构上传。" : "没有上传成功，请刷新页面后再试。");
          }
          var reader = answer.body.getReader(), decoder = new TextDecoder(), rest = "";
          function more() {
            return reader.read().then(function (piece) {
              rest += decoder.decode(piece.value || new Uint8Array(), { stream: !piece.done });
              var lines = rest.split("\n");
              rest = lines.pop();
              lines.filter(Boolean).forEach(hear);
              return piece.done ? undefined : more();
            });
          }
          return more();
        })
        .catch(function (fault) { fail(fault.name === "Error" ? fault.message : "网络中断，没有上传成功，请再试一次。"); });
    });
  });
})();
