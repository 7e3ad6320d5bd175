// The outline map: no tiles, plain outlines in GCJ-02, a pin where the follower is.
import { byId } from "./platform.js";

const SPACE = "http://www.w3.org/2000/svg";
// Degrees of longitude are narrower than those of latitude; at 36° north by this much.
const SQUEEZE = Math.cos((36 * Math.PI) / 180);
const METRES_PER_UNIT = 111_320;
const LABELS_BELOW = 9;

const x = (lng) => lng * SQUEEZE;
const y = (lat) => -lat;

function draw(name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export class OutlineMap {
  /** @param pick called with latitude and longitude in GCJ-02 when the pin is put somewhere */
  constructor(backdrop, pick) {
    this.svg = byId("map");
    this.pick = pick;
    this.cities = backdrop.cities;
    this.pin = null;
    this.home = { x: x(73), y: y(54.5), width: x(136) - x(73), height: 37 };
    this.view = { ...this.home };
    this.outlines = draw("g", {});
    this.dots = draw("g", {});
    this.marker = draw("g", {});
    for (const province of backdrop.provinces) this.outlines.append(outline(province));
    this.svg.append(this.outlines, this.dots, this.marker);
    this.listen();
    this.redraw();
  }

  listen() {
    let start = null;
    this.svg.addEventListener("pointerdown", (event) => {
      start = { x: event.clientX, y: event.clientY, view: { ...this.view }, moved: false };
      this.svg.setPointerCapture(event.pointerId);
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!start) return;
      const dx = event.clientX - start.x;
      const dy = event.clientY - start.y;
      if (Math.hypot(dx, dy) < 5 && !start.moved) return;
      start.moved = true;
      this.view.x = start.view.x - dx * this.unit();
      this.view.y = start.view.y - dy * this.unit();
      this.redraw();
    });
    this.svg.addEventListener("pointerup", (event) => {
      if (start && !start.moved) this.put(this.pointAt(event));
      start = null;
    });
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, this.pointAt(event));
    }, { passive: false });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    byId("zoom-in").addEventListener("click", () => this.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => this.zoom(0.625));
    new ResizeObserver(() => this.redraw()).observe(this.svg);
  }

  key(event) {
    const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    if (event.key === "+" || event.key === "=") this.zoom(1.6);
    else if (event.key === "-") this.zoom(0.625);
    else if (event.key in steps) {
      event.preventDefault();
      const by = this.unit() * (event.shiftKey ? 40 : 8);
      const from = this.pin ?? this.centre();
      this.put({ x: from.x + steps[event.key][0] * by, y: from.y + steps[event.key][1] * by });
    }
  }

  centre() {
    return { x: this.view.x + this.view.width / 2, y: this.view.y + this.view.height / 2 };
  }

  /** Map units in one pixel of the screen. */
  unit() {
    const box = this.svg.getBoundingClientRect();
    return Math.max(this.view.width / (box.width || 1), this.view.height / (box.height || 1));
  }

  pointAt(event) {
    const box = this.svg.getBoundingClientRect();
    const unit = this.unit();
    const centre = this.centre();
    return {
      x: centre.x + (event.clientX - box.left - box.width / 2) * unit,
      y: centre.y + (event.clientY - box.top - box.height / 2) * unit,
    };
  }

  put(point) {
    this.pick(-point.y, point.x / SQUEEZE);
  }

  zoom(by, around = this.pin ?? this.centre()) {
    const width = Math.min(this.home.width, Math.max(0.2, this.view.width / by));
    const scale = width / this.view.width;
    this.view = {
      x: around.x - (around.x - this.view.x) * scale,
      y: around.y - (around.y - this.view.y) * scale,
      width,
      height: this.view.height * scale,
    };
    this.redraw();
  }

  /** Show the pin there; `near` also brings the map to it. */
  show(lat, lng, metres, near = false) {
    this.pin = { x: x(lng), y: y(lat) };
    this.metres = metres;
    if (near) {
      const width = Math.min(this.view.width, 7);
      const height = (width * this.home.height) / this.home.width;
      this.view = { x: this.pin.x - width / 2, y: this.pin.y - height / 2, width, height };
    }
    this.redraw();
  }

  clear() {
    this.pin = null;
    this.redraw();
  }

  redraw() {
    const { x: left, y: top, width, height } = this.view;
    this.svg.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
    const unit = this.unit();
    this.dots.replaceChildren(...this.visibleCities(width, height).flatMap((city) => dot(city, unit, width)));
    this.marker.replaceChildren(...(this.pin ? pin(this.pin, this.metres, unit) : []));
  }

  visibleCities(width, height) {
    const centre = this.centre();
    const near = (city) => Math.abs(x(city.lng) - centre.x) < width && Math.abs(y(city.lat) - centre.y) < height;
    return this.cities.filter(near);
  }
}

function outline(province) {
  const ring = (points) => `M${points.map(([lng, lat]) => `${x(lng).toFixed(4)} ${y(lat).toFixed(4)}`).join("L")}Z`;
  const path = draw("path", { d: province.rings.map(ring).join("") });
  const title = draw("title", {});
  title.textContent = province.name;
  path.append(title);
  return path;
}

function dot(city, unit, width) {
  const at = { x: x(city.lng), y: y(city.lat) };
  const circle = draw("circle", { class: "city", cx: at.x, cy: at.y, r: unit * 1.8 });
  if (width > LABELS_BELOW) return [circle];
  const label = draw("text", { x: at.x + unit * 5, y: at.y + unit * 4, "font-size": unit * 12 });
  label.textContent = city.name;
  return [circle, label];
}

function pin(at, metres, unit) {
  const radius = draw("circle", { class: "radius", cx: at.x, cy: at.y, r: metres / METRES_PER_UNIT });
  const u = unit * 1.3;
  const shape = `M${at.x} ${at.y}l${-5 * u} ${-9 * u}a${5.8 * u} ${5.8 * u} 0 1 1 ${10 * u} 0z`;
  return [radius, draw("path", { class: "pin", d: shape })];
}
