// What a page can do better with a script: large print at once, sums without a new page, and what
// only WeChat's own script can do: asking for the position and opening the map. Every page works
// without any of it.
(function () {
  "use strict";

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  function say(words) {
    each("[data-said]", function (place) { place.textContent = words; });
  }

  each("[data-care]", function (button) {
    button.form.addEventListener("submit", function (event) {
      event.preventDefault();
      var on = button.value === "1";
      document.cookie = "care=" + (on ? "1" : "") + ";path=/;samesite=lax;max-age=" + (on ? 31536000 : 0) +
        (location.protocol === "https:" ? ";secure" : "");
      if (on) document.body.setAttribute("data-weui-mode", "care");
      else document.body.removeAttribute("data-weui-mode");
      button.value = on ? "0" : "1";
      button.textContent = on ? "标准版" : "大字版";
    });
  });

  // A calculator's answer is on the page that the form leads to: fetch it and show its result here.
  each("[data-reckon]", function (form) {
    form.addEventListener("submit", function (event) {
      if (!window.fetch || !window.DOMParser || !window.URLSearchParams) return;
      event.preventDefault();
      var address = form.action + "?" + new URLSearchParams(new FormData(form));
      fetch(address, { credentials: "same-origin" }).then(function (answer) {
        if (!answer.ok) throw new Error(answer.status);
        return answer.text();
      }).then(function (html) {
        var page = new DOMParser().parseFromString(html, "text/html");
        var sum = page.getElementById("result");
        if (!sum || !sum.firstElementChild) throw new Error("something to mend");
        each(".fault", function (fault) { fault.parentNode.removeChild(fault); });
        each("[aria-invalid]", function (input) { input.removeAttribute("aria-invalid"); });
        each(".weui-cell_warn", function (cell) { cell.classList.remove("weui-cell_warn"); });
        document.getElementById("result").innerHTML = sum.innerHTML;
        if (document.activeElement) document.activeElement.blur();
        document.getElementById("result").scrollIntoView({ behavior: "smooth", block: "start" });
      }).catch(function () { location.assign(address); });
    });
  });

  // The county on show may lie beyond the edge of its row.
  each(".chips [aria-current]", function (chip) {
    chip.parentNode.scrollLeft = chip.offsetLeft - (chip.parentNode.offsetWidth - chip.offsetWidth) / 2;
  });

  // WeChat's script comes by itself and later; wait for it a while, then ask our server to sign.
  function configured(done) {
    var here = location.href.split("#")[0];
    fetch("/visit/jssdk?url=" + encodeURIComponent(here)).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }).then(function (config) {
      config.jsApiList = ["getLocation", "openLocation"];
      window.wx.config(config);
      window.wx.ready(done);
    }).catch(function () { /* The buttons stay hidden; the page has its other ways. */ });
  }

  function wait(left) {
    if (window.wx && window.wx.config) {
      configured(function () {
        each("[data-wx]", function (place) { place.hidden = false; });
      });
    } else if (left) setTimeout(function () { wait(left - 1); }, 200);
  }
  if (document.querySelector("[data-wx]") && window.fetch) wait(40);

  function show(place) {
    return fetch("/visit/place", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ latitude: +place.latitude, longitude: +place.longitude, accuracy: +place.accuracy || null })
    }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }).then(function (found) {
      document.getElementById("outlets").innerHTML = found.outlets;
      document.getElementById("place").outerHTML = found.line;
      say("");
    });
  }

  each("[data-locate]", function (button) {
    var sorry = "没有取得位置。请检查手机定位是否打开，或点上方“切换城市”。";
    button.addEventListener("click", function () {
      say("正在取得位置……");
      window.wx.getLocation({
        type: "gcj02",
        success: function (place) { show(place).catch(function () { say("没有查到，请稍后再试。"); }); },
        cancel: function () { say("您没有同意使用位置，可以点上方“切换城市”查找。"); },
        fail: function () { say(sorry); }
      });
    });
  });

  each("[data-open-map]", function (button) {
    button.addEventListener("click", function () {
      var told = button.dataset;
      window.wx.openLocation({
        latitude: +told.latitude,
        longitude: +told.longitude,
        name: told.name,
        address: told.address,
        scale: 16,
        fail: function () { say("没能打开地图，请在地图软件里搜索上面的地址。"); }
      });
    });
  });
})();
