// What a page can do better with a script: large print at once, sums without a new page, and what
// only WeChat's own script can do: asking for the position and opening the map. Every page works
// without any of it.
(function () {
  "use strict";

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  // What is said stands in the page, so that it comes in the reader's own script.
  function say(name) {
    each("[data-said]", function (place) { place.textContent = name && place.getAttribute("data-say-" + name) || ""; });
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
      button.textContent = on ? button.dataset.sayOff : button.dataset.sayOn;
    });
  });

  // The other script is another page: fetch it anew, with whatever was searched or reckoned.
  each("button[name=to]", function (button) {
    button.form.addEventListener("submit", function (event) {
      event.preventDefault();
      document.cookie = "script=" + button.value + ";path=/;samesite=lax;max-age=31536000" +
        (location.protocol === "https:" ? ";secure" : "");
      location.reload();
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
      config.jsApiList = ["getLocation", "openLocation", "updateAppMessageShareData", "updateTimelineShareData"];
      window.wx.config(config);
      window.wx.ready(function () {
        shared();
        done();
      });
    }).catch(function () { /* The buttons stay hidden; the page has its other ways. */ });
  }

  // The card that WeChat sends when somebody shares this page; without the script WeChat makes one
  // of the title and the picture that the page names.
  function shared() {
    function named(property) {
      var place = document.querySelector('meta[property="og:' + property + '"]');
      return place ? place.content : "";
    }
    var card = { title: named("title"), desc: named("description"), link: named("url"), imgUrl: named("image") };
    if (!card.title || !window.wx.updateAppMessageShareData) return;
    window.wx.updateAppMessageShareData(card);
    window.wx.updateTimelineShareData(card);
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
    button.addEventListener("click", function () {
      say("asking");
      window.wx.getLocation({
        type: "gcj02",
        success: function (place) { show(place).catch(function () { say("failed"); }); },
        cancel: function () { say("refused"); },
        fail: function () { say("nowhere"); }
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
        fail: function () { say("unmapped"); }
      });
    });
  });
})();
