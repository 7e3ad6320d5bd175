// The outline map. Text fields hold what is drawn, line by line; a click adds a line, the lines draw
// the map. A page may have one field of corners or two (taken in, and left out), and may let its
// clicks draw rings, draw circles, pick divisions, or do nothing but move the map.
(function () {
  "use strict";
  var SPACE = "http://www.w3.org/2000/svg", METRES = 111195;
  // From this closeness on the lands' own names can be read.
  var CLOSE = 0.4, NEAREST = 0.02, DRAGGED = 5;

  function element(name, values) {
    var made = document.createElementNS(SPACE, name);
    Object.keys(values).forEach(function (key) { if (values[key] !== "") made.setAttribute(key, values[key]); });
    return made;
  }
  function place(map, event) {
    var point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    return { latitude: Number(map.dataset.north) - point.y / Number(map.dataset.northScale), longitude: Number(map.dataset.west) + point.x / Number(map.dataset.eastScale), x: point.x, y: point.y };
  }
  function across(map, latitude, longitude) {
    return [(longitude - Number(map.dataset.west)) * Number(map.dataset.eastScale), (Number(map.dataset.north) - latitude) * Number(map.dataset.northScale)];
  }

  // The lines: rings of corners and circles, and what is neither stays as it was typed.
  function numbers(line) {
    var told = line.replace(/，/g, ",").split(",").map(function (one) { return one.trim() === "" ? NaN : Number(one); });
    return (told.length === 2 || told.length === 3) && !told.some(isNaN) ? told : null;
  }
  function parts(typed) {
    var found = [], ring = null;
    typed.split("\n").forEach(function (line) {
      var told = numbers(line);
      if (!line.trim()) ring = null;
      else if (!told) found.push({ raw: line });
      else if (told.length === 3) found.push({ circle: told, line: line });
      else {
        if (!ring) found.push(ring = { ring: [], lines: [] });
        ring.ring.push(told);
        ring.lines.push(line);
      }
    });
    return found;
  }
  function written(found) {
    return found.map(function (one) { return one.ring ? one.lines.join("\n") : one.circle ? one.line : one.raw; }).join("\n\n");
  }

  // Looking closer: the frame moves, and what must stay legible keeps its size.
  function whole(map) {
    return map.dataset.whole.split(" ").map(Number);
  }
  function look(map, x, y, width) {
    var all = whole(map);
    width = Math.min(all[2], Math.max(all[2] * NEAREST, width));
    var height = all[3] * width / all[2];
    var left = Math.max(0, Math.min(all[2] - width, x - width / 2)), top = Math.max(0, Math.min(all[3] - height, y - height / 2));
    map.setAttribute("viewBox", [left, top, width, height].join(" "));
    map.classList.toggle("ground--close", width / all[2] <= CLOSE && map.querySelector(".ground__names--close text") !== null);
    map.querySelectorAll("text").forEach(function (text) { text.style.fontSize = 22 * width / 1000 + "px"; text.style.strokeWidth = 4.4 * width / 1000 + "px"; });
  }
  function zoom(map, factor, at) {
    var box = map.viewBox.baseVal, x = box.x + box.width / 2, y = box.y + box.height / 2;
    // What is under the pointer stays there.
    if (at) { x = at.x + (x - at.x) * factor; y = at.y + (y - at.y) * factor; }
    look(map, x, y, box.width * factor);
  }
  function frame(map, paths) {
    var left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    paths.forEach(function (path) {
      var box = path.getBBox();
      left = Math.min(left, box.x); top = Math.min(top, box.y);
      right = Math.max(right, box.x + box.width); bottom = Math.max(bottom, box.y + box.height);
    });
    if (left > right) return;
    var all = whole(map);
    look(map, (left + right) / 2, (top + bottom) / 2, 1.5 * Math.max(right - left, (bottom - top) * all[2] / all[3]));
  }

  function sketch(map, typed, kind) {
    var group = map.querySelector(".ground__drawn"), size = 5 * map.viewBox.baseVal.width / 1000;
    parts(typed).forEach(function (one) {
      if (one.circle) {
        var at = across(map, one.circle[0], one.circle[1]);
        var high = one.circle[2] / METRES * Number(map.dataset.northScale), wide = one.circle[2] / METRES / Math.cos(one.circle[0] * Math.PI / 180) * Number(map.dataset.eastScale);
        group.append(element("ellipse", { "class": kind, cx: at[0], cy: at[1], rx: wide, ry: high }));
      } else if (one.ring) {
        var corners = one.ring.map(function (each) { return across(map, each[0], each[1]); });
        group.prepend(element(corners.length > 2 ? "polygon" : "polyline", { "class": kind, points: corners.map(function (each) { return each.join(","); }).join(" ") }));
        corners.forEach(function (each) { group.append(element("circle", { cx: each[0], cy: each[1], r: size })); });
      }
    });
  }
  function changed(field) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function add(field, line) {
    field.value += (field.value && !field.value.endsWith("\n") ? "\n" : "") + line;
    changed(field);
  }

  // The map moves under a pointer that is dragged; a pointer that is only pressed is a click.
  function movable(map, clicked) {
    var from = null;
    map.addEventListener("pointerdown", function (event) {
      if (event.button !== 0) return;
      var box = map.viewBox.baseVal;
      from = { x: event.clientX, y: event.clientY, left: box.x + box.width / 2, top: box.y + box.height / 2, moved: false };
    });
    window.addEventListener("pointermove", function (event) {
      if (!from) return;
      var dx = event.clientX - from.x, dy = event.clientY - from.y;
      if (!from.moved && Math.hypot(dx, dy) < DRAGGED) return;
      from.moved = true;
      var scale = map.getScreenCTM().a;
      look(map, from.left - dx / scale, from.top - dy / scale, map.viewBox.baseVal.width);
    });
    window.addEventListener("pointerup", function () {
      if (from && from.moved) setTimeout(function () { from = null; }, 0); else from = null;
    });
    map.addEventListener("click", function (event) {
      if (from && from.moved) return;
      clicked(event);
    });
    map.addEventListener("wheel", function (event) {
      // The wheel alone scrolls the page, as everywhere.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(map, event.deltaY < 0 ? 0.7 : 1 / 0.7, place(map, event));
      map.dispatchEvent(new Event("ground:moved"));
    }, { passive: false });
  }

  function drawing(fields) {
    var map = document.getElementById(fields[0].dataset.corners);
    function chosen(name) {
      var found = document.querySelector("[data-ground-choice=" + name + "]:checked");
      return found ? found.value : "";
    }
    function active() {
      return fields.find(function (one) { return one.dataset.side === chosen("side"); }) || fields[0];
    }
    function draw() {
      map.querySelector(".ground__drawn").replaceChildren();
      fields.forEach(function (field) { sketch(map, field.value, field.dataset.side === "outside" ? "is-out" : ""); });
      list();
    }
    function list() {
      var box = document.querySelector("[data-ground-shapes]");
      if (!box) return;
      box.replaceChildren();
      fields.forEach(function (field) {
        var all = parts(field.value), ring = 0, round = 0;
        all.forEach(function (one, number) {
          if (one.raw) return;
          var name = one.ring ? "多边形 " + (++ring) : "圆 " + (++round);
          var size = one.ring ? one.ring.length + " 个点" + (one.ring.length < 3 ? "，还没画完" : "") : "半径 " + one.circle[2] / 1000 + " 公里";
          var row = document.createElement("li"), drop = document.createElement("button");
          row.textContent = (field.dataset.side === "outside" ? "除外：" : "") + name + "（" + size + "）";
          drop.type = "button";
          drop.className = "btn btn-sm";
          drop.textContent = "删除";
          drop.setAttribute("aria-label", "删除" + row.textContent);
          drop.addEventListener("click", function () {
            all.splice(number, 1);
            field.value = written(all);
            changed(field);
          });
          row.append(drop);
          box.append(row);
        });
      });
    }
    function round(latitude, longitude) {
      var kilometres = Number(document.querySelector("[data-ground-radius]").value);
      if (!(kilometres > 0)) return;
      add(active(), latitude + ", " + longitude + ", " + Math.round(kilometres * 1000));
    }
    function clicked(event) {
      var at = place(map, event), mode = chosen("mode") || "ring";
      if (mode === "ring") add(active(), at.latitude.toFixed(5) + ", " + at.longitude.toFixed(5));
      else if (mode === "circle") round(at.latitude.toFixed(5), at.longitude.toFixed(5));
      else if (mode === "pick" && event.target.dataset.code) {
        map.dispatchEvent(new CustomEvent("ground:picked", { detail: { code: event.target.dataset.code, name: event.target.textContent, side: chosen("side") } }));
      }
    }
    var tools = {
      "in": function () { zoom(map, 0.5); draw(); },
      out: function () { zoom(map, 2); draw(); },
      undo: function () {
        var field = active();
        field.value = field.value.trimEnd().split("\n").slice(0, -1).join("\n");
        changed(field);
      },
      close: function () {
        var field = active();
        if (field.value.trim()) field.value = field.value.trimEnd() + "\n\n";
      },
      round: function () {
        var at = document.querySelectorAll("[data-ground-centre]");
        var latitude = Number(at[0].value), longitude = Number(at[1].value);
        if (at[0].value.trim() && at[1].value.trim() && !isNaN(latitude) && !isNaN(longitude)) round(latitude, longitude);
      }
    };
    movable(map, clicked);
    fields.forEach(function (field) { field.addEventListener("input", draw); });
    map.addEventListener("ground:moved", draw);
    // Another ground takes this one's place: {svg}. The frame goes to some of its lands: {codes}.
    map.addEventListener("ground:shown", function (event) {
      Array.from(event.detail.svg.attributes).forEach(function (one) {
        if (one.name.startsWith("data-") || one.name === "viewBox") map.setAttribute(one.name, one.value);
      });
      map.classList.remove("ground--close");
      map.replaceChildren.apply(map, Array.from(event.detail.svg.childNodes));
      draw();
    });
    map.addEventListener("ground:framed", function (event) {
      frame(map, Array.from(map.querySelectorAll(".ground__lands path")).filter(function (path) { return event.detail.fits(path.dataset.code); }));
      draw();
    });
    document.querySelectorAll("[data-ground-choice=mode]").forEach(function (choice) {
      choice.addEventListener("change", function () { map.dataset.mode = chosen("mode"); });
    });
    if (chosen("mode")) map.dataset.mode = chosen("mode");
    document.querySelectorAll("[data-ground]").forEach(function (button) {
      button.addEventListener("click", tools[button.dataset.ground]);
    });
    draw();
  }
  // A preview's map: a click asks for what a follower sees there.
  function asking(form) {
    var map = document.getElementById("ground");
    movable(map, function (event) {
      var at = place(map, event);
      form.elements.latitude.value = at.latitude.toFixed(5);
      form.elements.longitude.value = at.longitude.toFixed(5);
      form.requestSubmit();
    });
    var given = form.elements;
    if (given.latitude.value) sketch(map, given.latitude.value + "," + given.longitude.value, "");
  }
  function ready() {
    var fields = Array.from(document.querySelectorAll("[data-corners]")), asked = document.querySelector("[data-pick]");
    if (fields.length) drawing(fields);
    if (asked) asking(asked);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
