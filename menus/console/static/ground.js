// The outline map: a click adds a corner to the list of coordinates, the list draws the map.
(function () {
  "use strict";
  var SPACE = "http://www.w3.org/2000/svg";
  function element(name, values) {
    var made = document.createElementNS(SPACE, name);
    Object.keys(values).forEach(function (key) { made.setAttribute(key, values[key]); });
    return made;
  }
  function place(map, event) {
    var point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    return { latitude: Number(map.dataset.north) - point.y / Number(map.dataset.northScale), longitude: Number(map.dataset.west) + point.x / Number(map.dataset.eastScale), x: point.x, y: point.y };
  }
  function across(map, latitude, longitude) {
    return [(longitude - Number(map.dataset.west)) * Number(map.dataset.eastScale), (Number(map.dataset.north) - latitude) * Number(map.dataset.northScale)];
  }
  function zoom(map, factor) {
    var box = map.viewBox.baseVal, whole = (map.dataset.whole || (map.dataset.whole = map.getAttribute("viewBox"))).split(" ").map(Number);
    var width = Math.min(whole[2], box.width * factor), height = whole[3] * width / whole[2];
    var drawn = map.querySelector(".ground__drawn circle"), x = box.x + box.width / 2, y = box.y + box.height / 2;
    if (drawn) { x = Number(drawn.getAttribute("cx")); y = Number(drawn.getAttribute("cy")); }
    var left = Math.max(0, Math.min(whole[2] - width, x - width / 2)), top = Math.max(0, Math.min(whole[3] - height, y - height / 2));
    map.setAttribute("viewBox", [left, top, width, height].join(" "));
    map.querySelectorAll("text").forEach(function (text) { text.style.fontSize = 22 * width / whole[2] + "px"; text.style.strokeWidth = 4 * width / whole[2] + "px"; });
  }
  function draw(map, typed) {
    var group = map.querySelector(".ground__drawn");
    group.replaceChildren();
    var size = 5 * map.viewBox.baseVal.width / 1000;
    typed.split(/\n\s*\n/).forEach(function (part) {
      var corners = [];
      part.split("\n").forEach(function (line) {
        var told = line.replace(/，/g, ",").split(",").map(function (one) { return one.trim() === "" ? NaN : Number(one); });
        if (told.some(isNaN) || told.length < 2) return;
        var at = across(map, told[0], told[1]);
        if (told.length === 3) {
          var high = told[2] / 111195 * Number(map.dataset.northScale), wide = told[2] / 111195 / Math.cos(told[0] * Math.PI / 180) * Number(map.dataset.eastScale);
          group.append(element("ellipse", { cx: at[0], cy: at[1], rx: wide, ry: high }));
        } else corners.push(at);
      });
      if (corners.length) group.prepend(element(corners.length > 2 ? "polygon" : "polyline", { points: corners.map(function (at) { return at.join(","); }).join(" ") }));
      corners.forEach(function (at) { group.append(element("circle", { cx: at[0], cy: at[1], r: size })); });
    });
  }
  function changed(field) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function ready() {
    var field = document.querySelector("[data-corners]");
    if (field) {
      var map = document.getElementById(field.dataset.corners);
      field.addEventListener("input", function () { draw(map, field.value); });
      map.addEventListener("click", function (event) {
        var at = place(map, event);
        field.value += (field.value && !field.value.endsWith("\n") ? "\n" : "") + at.latitude.toFixed(5) + ", " + at.longitude.toFixed(5);
        changed(field);
      });
      document.querySelectorAll("[data-ground]").forEach(function (button) {
        button.addEventListener("click", function () {
          if (button.dataset.ground === "undo") {
            field.value = field.value.trimEnd().split("\n").slice(0, -1).join("\n");
            changed(field);
          } else { zoom(map, button.dataset.ground === "in" ? 0.5 : 2); draw(map, field.value); }
        });
      });
      draw(map, field.value);
    }
    // A preview's map: a click asks for what a follower sees there.
    var asked = document.querySelector("[data-pick]");
    if (asked) {
      var where = document.getElementById("ground");
      where.addEventListener("click", function (event) {
        var at = place(where, event);
        asked.elements.latitude.value = at.latitude.toFixed(5);
        asked.elements.longitude.value = at.longitude.toFixed(5);
        asked.requestSubmit();
      });
      if (asked.elements.latitude.value) draw(where, asked.elements.latitude.value + "," + asked.elements.longitude.value);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
