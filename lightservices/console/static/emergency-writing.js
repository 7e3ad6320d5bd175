// Writing an emergency: what the area concerns is told while it is drawn, rows come and go, and the
// map shows another province. Without this script the form works all the same.
(function () {
  "use strict";
  var form = document.querySelector("form[data-emergency]");
  if (!form) return;
  var map = document.getElementById("ground"), told = form.querySelector("[data-found]"), said = form.querySelector("[data-found-said]");
  form.querySelectorAll("[data-scripted]").forEach(function (one) { one.hidden = false; });
  form.querySelector("button[value=look]").hidden = true;

  // What the area concerns.
  var timer = 0, latest = 0, picture = null, others = [];
  function polygons(rings, kind) {
    return rings.map(function (ring) {
      var made = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      made.setAttribute("points", ring.map(function (at) {
        return (at[1] - map.dataset.west) * map.dataset.eastScale + "," + (map.dataset.north - at[0]) * map.dataset.northScale;
      }).join(" "));
      if (kind) made.setAttribute("class", kind);
      return made;
    });
  }
  function paint() {
    var inside = new Set(picture ? picture.codes : []), elsewhere = new Set();
    others.forEach(function (one) { one.picture.codes.forEach(function (code) { elsewhere.add(code); }); });
    map.querySelectorAll(".ground__lands path").forEach(function (path) {
      path.classList.toggle("is-in", inside.has(path.dataset.code));
      path.classList.toggle("is-other", elsewhere.has(path.dataset.code));
    });
    var group = map.querySelector(".ground__others");
    group.replaceChildren();
    others.forEach(function (one) { group.append.apply(group, polygons(one.picture.polygons)); });
  }
  function ask() {
    var mine = ++latest, sent = new FormData();
    ["csrf", "codes", "drawn", "without", "without_drawn", "besides"].forEach(function (name) {
      if (form.elements[name]) sent.append(name, form.elements[name].value);
    });
    told.setAttribute("aria-busy", "true");
    fetch(form.dataset.area, { method: "POST", body: sent, headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
      .then(function (found) {
        if (mine !== latest) return;
        told.innerHTML = found.html;
        said.textContent = found.problem || (found.reach.total ? "粉丝 " + found.reach.total + "，机构 " + found.branches.length + " 家，网点 " + found.outlets + " 个" : "");
        picture = found.picture;
        others = found.overlaps;
        paint();
      })
      .catch(function () {
        if (mine !== latest) return;
        var trouble = document.createElement("p");
        trouble.className = "alert alert-warning";
        trouble.textContent = "现在算不出影响范围：请检查网络，稍后再改一下区域；到下一步还会再算。";
        told.replaceChildren(trouble);
      })
      .finally(function () { if (mine === latest) told.removeAttribute("aria-busy"); });
  }
  function soon() {
    if (!form.dataset.area) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 400);
  }
  form.querySelectorAll("[data-codes], [data-corners]").forEach(function (field) { field.addEventListener("input", soon); });

  // Divisions: found by what is typed, or picked on the map; once more takes them out again.
  var hits = form.querySelector("[data-hits]"), searching = 0;
  function side() { return form.querySelector("[data-ground-choice=side]:checked").value; }
  function toggle(code, name) {
    var field = form.querySelector("[data-codes=" + side() + "]");
    var lines = field.value.split("\n").filter(function (line) { return line.trim(); });
    var left = lines.filter(function (line) { return line.trim().split(/\s/)[0] !== code; });
    if (left.length === lines.length) left.push(code + " " + name);
    field.value = left.join("\n");
    soon();
  }
  map.addEventListener("ground:picked", function (event) { toggle(event.detail.code, event.detail.name); });
  form.querySelector("[data-search]").addEventListener("input", function (event) {
    var mine = ++searching, asked = event.target.value.trim();
    if (!asked) { hits.replaceChildren(); return; }
    fetch(form.dataset.searchAt + "?q=" + encodeURIComponent(asked), { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : []; })
      .then(function (found) {
        if (mine !== searching) return;
        hits.replaceChildren();
        if (!found.length) hits.textContent = "没有找到，请换个写法，或写六位代码。";
        found.forEach(function (one) {
          var button = document.createElement("button");
          button.type = "button";
          button.className = "btn btn-sm";
          button.textContent = one.name + " " + one.code;
          button.addEventListener("click", function () { toggle(one.code, one.name); });
          hits.append(button);
        });
      })
      .catch(function () { /* The network comes back; another letter asks again. */ });
  });
  form.querySelector("[data-search]").addEventListener("keydown", function (event) {
    // Enter takes the first that was found, and sends nothing.
    if (event.key !== "Enter") return;
    event.preventDefault();
    var first = hits.querySelector("button");
    if (first) first.click();
  });

  // Another province, and closer to one of its cities.
  var province = form.querySelector("[data-province]"), city = form.querySelector("[data-city]");
  province.addEventListener("change", function () {
    fetch(form.dataset.groundAt + "?code=" + encodeURIComponent(province.value), { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
      .then(function (found) {
        var svg = new DOMParser().parseFromString(found.html, "text/html").querySelector("svg");
        map.dispatchEvent(new CustomEvent("ground:shown", { detail: { svg: svg } }));
        city.replaceChildren(new Option("整幅图", ""));
        found.cities.forEach(function (one) { city.append(new Option(one[1], one[0])); });
        paint();
      })
      .catch(function () { /* The map stays; choosing again asks again. */ });
  });
  city.addEventListener("change", function () {
    var code = city.value, own = code.slice(0, 4);
    map.dispatchEvent(new CustomEvent("ground:framed", { detail: { fits: function (one) {
      // A city's counties begin with its four digits; a county under no city is itself.
      return !code || one === code || (code.endsWith("00") && one.slice(0, 4) === own);
    } } }));
  });

  // Enter in a line of text is no decision about an emergency.
  form.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.matches("input:not([type=checkbox])")) event.preventDefault();
  });

  if (form.querySelector("[data-codes=inside]").value.trim() || form.querySelector("[data-corners][data-side=inside]").value.trim()) soon();
})();
