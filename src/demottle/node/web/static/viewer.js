// All frames of a series, before, after and what was removed: window, zoom, place and frame are the same in all three.
import { Frames } from "./frames.js";
import { difference, Pane } from "./pane.js";
import { made } from "./parts.js";
import { tools } from "./tools.js";

const MOST_ZOOM = 16, DRAG = 400; // screen pixels of dragging that change a window by the width it began with
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export class Viewer {
  #turn = 0;
  #pair = null;
  #removed = null;
  #playing = 0;

  // `looks`: what /api/series/N/images says; `onRound`: somebody wants to see another result; `as`: a viewer whose view is kept.
  constructor(series, looks, onRound, as = null) {
    Object.assign(this, { series, looks, onRound, reach: 3, view: "all", flipped: false });
    this.frames = new Frames(series, looks.frames, looks.round, looks.missing);
    this.word = looks.rate ? "frame" : "slice";
    this.panes = [new Pane("before", "Before"), new Pane("after", "After"), new Pane("removed", "Removed")];
    this.element = made("div", "", { className: "viewer", tabIndex: 0, role: "group", ariaLabel: "Images before and after" });
    this.grid = made("div", "", { className: "panes all" });
    this.grid.append(...this.panes.map((pane) => pane.element));
    this.tools = tools(this);
    this.element.append(this.tools.top, this.grid, this.tools.bottom);
    for (const pane of this.panes) {
      pane.sides(looks.sides);
      this.#listen(pane);
    }
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "b") this.set({ flipped: false }); });
    this.#watch = new ResizeObserver(() => this.#layout());
    this.#watch.observe(this.grid);
    this.place = clamp(as?.place ?? Math.floor(looks.frames / 2), 0, looks.frames - 1);
    this.reset();
    if (as) Object.assign(this, { center: as.center, width: as.width, zoom: as.zoom, x: as.x, y: as.y, reach: as.reach });
    if (as) this.look(as.view);
    this.#load(1);
  }
  #watch;

  // Let go of everything: the series is no longer looked at.
  end() {
    this.stop();
    this.#turn = -1;
    this.#watch.disconnect();
  }

  reset() {
    const { center, width } = this.looks.windows[0];
    this.set({ center, width, zoom: 1, x: 0, y: 0 });
  }

  window(number) {
    const found = this.looks.windows[number];
    if (found) this.set({ center: found.center, width: found.width });
  }

  // Change how it is shown, not which frame.
  set(change) {
    Object.assign(this, change);
    this.#paint();
  }

  go(place) {
    const wanted = clamp(place, 0, this.looks.frames - 1);
    if (wanted === this.place) return undefined;
    const direction = wanted > this.place ? 1 : -1;
    this.place = wanted;
    return this.#load(direction);
  }

  async #load(direction) {
    if (this.#turn < 0) return;
    const mine = ++this.#turn;
    this.tools.update();
    try {
      const pair = await this.frames.get(this.place, direction);
      if (mine !== this.#turn) return; // another frame is wanted by now
      this.#pair = pair;
      this.#removed = pair.after && pair.after.stored.length === pair.before.stored.length ? difference(pair.before, pair.after) : null;
      Object.assign(this.element.dataset, { shown: this.place, result: this.looks.round ?? "" });
      this.#paint();
    } catch (error) {
      if (error.name === "AbortError" || mine !== this.#turn) return;
      this.#pair = null;
      this.stop();
      for (const pane of this.panes) pane.empty(error.message);
      this.#layout();
    }
  }

  #paint() {
    this.tools.update();
    if (!this.#pair) return;
    const [low, high] = [this.center - this.width / 2, this.center + this.width / 2];
    const { before, after } = this.#pair;
    const reach = this.reach * (this.looks.removed ?? 1);
    const shown = this.flipped ? [before, before, this.#removed] : [before, after, this.#removed];
    this.panes.forEach((pane, i) => {
      if (pane.element.offsetParent === null) return;
      if (!shown[i]) pane.empty(i === 0 || this.looks.round === null ? "Not made yet." : "Nothing was made of this image.");
      else if (i === 2) pane.paint(shown[i], -reach, reach, false);
      else pane.paint(shown[i], low, high, this.looks.inverted);
    });
    this.#layout();
  }

  #layout() {
    for (const pane of this.panes) if (pane.element.offsetParent !== null) pane.layout(this);
  }

  get aspect() {
    return this.looks.aspect;
  }

  look(view) {
    this.grid.className = `panes ${view}`;
    this.set({ view });
  }

  // Keep the point (x, y), from the middle of the pane in CSS pixels, where it is.
  zoomBy(factor, x = 0, y = 0) {
    const zoom = clamp(this.zoom * factor, 1, MOST_ZOOM);
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.#move(x - (x - this.x) * ratio, y - (y - this.y) * ratio);
  }

  #move(x, y) {
    const { clientWidth, clientHeight } = this.panes.find((pane) => pane.element.offsetParent !== null).element;
    const reach = (size) => ((this.zoom - 1) * size) / 2;
    Object.assign(this, { x: clamp(x, -reach(clientWidth), reach(clientWidth)), y: clamp(y, -reach(clientHeight), reach(clientHeight)) });
    this.#layout();
  }

  play() {
    if (this.#playing) return this.stop();
    const mine = (this.#playing = performance.now());
    const pause = 1000 / (this.looks.rate ?? 10);
    const step = async () => {
      if (this.#playing !== mine) return;
      const began = performance.now();
      this.place = (this.place + 1) % this.looks.frames;
      await this.#load(1);
      setTimeout(step, Math.max(0, pause - (performance.now() - began)));
    };
    step();
    return this.tools.update();
  }

  get playing() {
    return this.#playing > 0;
  }

  stop() {
    this.#playing = 0;
    this.tools.update();
  }

  #listen(pane) {
    const { element } = pane;
    let start = null, wheeled = 0;
    const away = (event) => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("dblclick", () => this.reset());
    element.addEventListener("pointerdown", (event) => {
      this.element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      const moving = event.button !== 0 || event.shiftKey;
      start = { moving, px: event.clientX, py: event.clientY, center: this.center, width: this.width, x: this.x, y: this.y };
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      for (const one of this.panes) one.probe(pane.pixel(...away(event), this), this.looks.unit);
      if (!start) return;
      const [dx, dy] = [event.clientX - start.px, event.clientY - start.py];
      if (start.moving) this.#move(start.x + dx, start.y + dy);
      else {
        const step = start.width / DRAG;
        const least = this.looks.unit ? 1 : this.looks.windows[0].width / 1000;
        this.set({ width: Math.max(least, start.width + dx * step), center: start.center + dy * step });
      }
    });
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { start = null; });
    element.addEventListener("pointerleave", () => { for (const one of this.panes) one.probe(null); });
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) {
        const [x, y] = away(event);
        this.zoomBy(Math.exp(-event.deltaY / 400), x - element.clientWidth / 2, y - element.clientHeight / 2);
      } else if (event.timeStamp - wheeled > 30) {
        wheeled = event.timeStamp; // a touch pad sends many small turns
        this.go(this.place + Math.sign(event.deltaY));
      }
    }, { passive: false });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    const steps = {
      ArrowUp: () => this.go(this.place - 1), ArrowLeft: () => this.go(this.place - 1),
      ArrowDown: () => this.go(this.place + 1), ArrowRight: () => this.go(this.place + 1),
      PageUp: () => this.go(this.place - 10), PageDown: () => this.go(this.place + 10),
      Home: () => this.go(0), End: () => this.go(this.looks.frames - 1),
      "+": () => this.zoomBy(1.4), "=": () => this.zoomBy(1.4), "-": () => this.zoomBy(1 / 1.4), 0: () => this.reset(),
      b: () => this.flipped || this.set({ flipped: true }), p: () => this.play(), f: () => this.full(),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (this.looks.windows[Number(key) - 1]) this.window(Number(key) - 1);
    else if (steps[key]) steps[key]();
    else return;
    event.preventDefault();
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen?.();
  }
}
