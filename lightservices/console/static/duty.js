// The layers of an emergency look after themselves until they are settled, and what has to be
// counted comes by itself, since counting may take long; without this script links ask for both.
(function () {
  "use strict";
  var EVERY = 5000, MOST = 240;
  var here = document.getElementById("layers"), old = document.getElementById("layers-old");

  // Nobody looks: ask when somebody does.
  function whenSeen(act) {
    if (!document.hidden) act();
    else document.addEventListener("visibilitychange", function () { whenSeen(act); }, { once: true });
  }
  function ask(from) {
    return fetch(from, { headers: { Accept: "text/html" } }).then(function (answer) {
      // Whoever was signed out is led to the entrance, which is no part of this page.
      if (!answer.ok || answer.redirected) throw new Error("elsewhere");
      return answer.text();
    }).then(function (html) { return new DOMParser().parseFromString(html, "text/html"); });
  }
  // What is shown stays, but it is old, and that is said until an answer comes again.
  function isOld(so) { if (old) old.hidden = !so; }
  function settled() { return !here || here.querySelector("[data-settled]") !== null; }

  document.querySelectorAll("[data-part]").forEach(function (part) {
    var asked = 0, waits = part.querySelector("[data-counting]"), every = Number(part.dataset.every);
    var before = waits && waits.innerHTML;
    if (waits) waits.textContent = "正在数粉丝，人多时要几秒……";
    function put(fresh) {
      waits = null;
      part.replaceChildren.apply(part, Array.prototype.map.call(fresh.body.childNodes, function (one) {
        return document.importNode(one, true);
      }));
    }
    function failed() {
      if (!waits) return isOld(true);
      // The link that counts without this script is back, and why it is.
      waits.innerHTML = before;
      waits.querySelector("[data-failed]").hidden = false;
    }
    function look() {
      asked += 1;
      ask(part.dataset.part).then(put).catch(failed).then(function () {
        var busy = !part.querySelector("[data-settled]") || !settled();
        if (every && busy && asked < MOST) setTimeout(function () { whenSeen(look); }, every);
      });
    }
    if (waits || every) whenSeen(look);
  });

  if (!here) return;
  var asked = 0;

  function later() { if (!settled() && asked < MOST) setTimeout(function () { whenSeen(look); }, EVERY); }
  function look() {
    asked += 1;
    ask(here.dataset.from)
      .then(function (html) {
        var fresh = html.querySelector("[data-layers]"), shown = here.querySelector("[data-layers]");
        if (!fresh || !shown) throw new Error("elsewhere");
        // What is being typed beside it must not be lost, so the page is not asked for anew.
        if (fresh.dataset.stands !== shown.dataset.stands) document.getElementById("layers-moved").hidden = false;
        shown.replaceWith(document.adoptNode(fresh));
        isOld(false);
      })
      .catch(function () { isOld(true); })
      .then(later);
  }
  later();
})();
