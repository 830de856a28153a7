// One or two panes that show the images of a trial: window, zoom, place and slice are the same in all of them.

const MOST_ZOOM = 16;
const DRAG_FOR_WIDTH = 400; // screen pixels of dragging that change a window by the width it began with

const minus = (text) => text.replace("-", "−");
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export class Viewer {
  #panes = [];
  #turn = 0;

  constructor(element, images, onChange) {
    this.element = element;
    this.images = images;
    this.onChange = onChange;
    this.trial = null;
    new ResizeObserver(() => this.#layout()).observe(element);
  }

  // Show a trial as at first; resolves when it is seen.
  async show(trial, names) {
    this.trial = trial;
    this.#panes = Array.from({ length: trial.images }, (_, place) => this.#pane(names[place] ?? ""));
    this.element.replaceChildren(...this.#panes.map((pane) => pane.element));
    this.slice = Math.floor(trial.slices / 2);
    for (const pane of this.#panes) pane.message.textContent = "Loading …";
    this.reset();
    await this.#load();
  }

  reset() {
    const [, center, width] = this.trial.windows[0];
    Object.assign(this, { center, width, zoom: 1, x: 0, y: 0 });
    this.#paint();
  }

  window(number) {
    if (!this.trial.windows[number]) return;
    [, this.center, this.width] = this.trial.windows[number];
    this.#paint();
  }

  // The number of the window that is shown; -1 for a free one.
  get windowNumber() {
    return this.trial.windows.findIndex(([, center, width]) => center === this.center && width === this.width);
  }

  scroll(by) {
    const slice = clamp(this.slice + by, 0, this.trial.slices - 1);
    if (slice === this.slice) return;
    this.slice = slice;
    this.#load();
  }

  // Keep the point (x, y), from the middle of the pane in CSS pixels, where it is.
  zoomBy(factor, x = 0, y = 0) {
    const zoom = clamp(this.zoom * factor, 1, MOST_ZOOM);
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.#move(x - (x - this.x) * ratio, y - (y - this.y) * ratio);
  }

  #move(x, y) {
    const { element } = this.#panes[0];
    const reach = (size) => (this.zoom * size) / 2;
    this.x = clamp(x, -reach(element.clientWidth), reach(element.clientWidth));
    this.y = clamp(y, -reach(element.clientHeight), reach(element.clientHeight));
    this.#layout();
  }

  async #load() {
    const mine = ++this.#turn;
    const { trial, slice } = this;
    this.#labels();
    try {
      const codes = await Promise.all(this.#panes.map((_, place) => this.images.slice(trial, place, slice)));
      if (mine !== this.#turn) return; // another slice or trial is wanted by now
      this.#panes.forEach((pane, place) => {
        pane.codes = codes[place];
        pane.message.textContent = "";
      });
      this.#paint();
    } catch (error) {
      if (mine !== this.#turn) return;
      for (const pane of this.#panes) pane.message.textContent = `The image did not come: ${error.message}`;
      throw error;
    }
  }

  // From codes to gray, pixel by pixel, on a canvas of the image's own size.
  #paint() {
    const { rows, columns, slope, intercept } = this.trial;
    const scale = (255 * slope) / this.width;
    const offset = (255 * (intercept - this.center + this.width / 2)) / this.width;
    for (const pane of this.#panes) {
      if (!pane.codes) continue;
      const context = pane.source.getContext("2d");
      const image = context.createImageData(columns, rows);
      const pixels = new Uint32Array(image.data.buffer);
      for (let i = 0; i < pixels.length; i++) {
        const gray = clamp(Math.round(offset + scale * pane.codes[i]), 0, 255);
        pixels[i] = 0xff000000 | (gray << 16) | (gray << 8) | gray;
      }
      context.putImageData(image, 0, 0);
    }
    this.#layout();
    this.#labels();
    this.onChange();
  }

  #layout() {
    const { trial } = this;
    if (!trial) return;
    for (const { element, canvas, source, codes } of this.#panes) {
      const ratio = window.devicePixelRatio;
      canvas.width = Math.round(element.clientWidth * ratio);
      canvas.height = Math.round(element.clientHeight * ratio);
      if (!codes) continue;
      const context = canvas.getContext("2d");
      const { scale, left, top } = this.#place(element);
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "medium"; // bilinear; "high" enlarges with a filter that blurs
      context.drawImage(source, left * ratio, top * ratio, trial.columns * trial.aspect * scale * ratio, trial.rows * scale * ratio);
    }
  }

  // Where the image lies in its pane, in CSS pixels: scale of a row, and its corner.
  #place(element) {
    const { rows, columns, aspect } = this.trial;
    const fit = Math.min(element.clientWidth / (columns * aspect), element.clientHeight / rows);
    const scale = fit * this.zoom;
    const left = element.clientWidth / 2 + this.x - (columns * aspect * scale) / 2;
    const top = element.clientHeight / 2 + this.y - (rows * scale) / 2;
    return { scale, left, top };
  }

  #labels() {
    const { slices, unit } = this.trial;
    const digits = this.width < 10 ? 2 : 0;
    const suffix = unit === "HU" ? " HU" : "";
    for (const pane of this.#panes) {
      pane.slice.textContent = slices > 1 ? `slice ${this.slice + 1} of ${slices}` : "";
      pane.window.textContent = minus(`center ${this.center.toFixed(digits)}  width ${this.width.toFixed(digits)}${suffix}`);
    }
  }

  #pane(name) {
    const made = (tag, kind) => Object.assign(document.createElement(tag), { className: kind });
    const element = made("div", "pane");
    const parts = { canvas: made("canvas", "") };
    for (const kind of ["corner name", "corner value", "corner slice", "corner window", "message"]) {
      parts[kind.split(" ").pop()] = made("div", kind);
    }
    element.append(...Object.values(parts));
    parts.name.textContent = name;
    const source = Object.assign(document.createElement("canvas"), { width: this.trial.columns, height: this.trial.rows });
    const pane = { element, source, codes: null, ...parts };
    this.#listen(pane);
    return pane;
  }

  #listen(pane) {
    const { element } = pane;
    let start = null;
    let wheeled = 0;
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("dblclick", () => this.reset());
    element.addEventListener("pointerdown", (event) => {
      if (event.isTrusted) element.setPointerCapture(event.pointerId);
      const moving = event.button !== 0 || event.shiftKey;
      start = { moving, px: event.clientX, py: event.clientY, center: this.center, width: this.width, x: this.x, y: this.y };
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      this.#probe(pane, event);
      if (!start) return;
      const [dx, dy] = [event.clientX - start.px, event.clientY - start.py];
      if (start.moving) return this.#move(start.x + dx, start.y + dy);
      const step = start.width / DRAG_FOR_WIDTH;
      const least = this.trial.unit === "HU" ? 1 : this.trial.slope;
      this.width = Math.max(least, start.width + dx * step);
      this.center = start.center + dy * step;
      this.#paint();
    });
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => (start = null));
    element.addEventListener("pointerleave", () => (pane.value.textContent = ""));
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) {
        const box = element.getBoundingClientRect();
        const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
        this.zoomBy(Math.exp(-event.deltaY / 400), x, y);
      } else if (event.timeStamp - wheeled > 35) {
        wheeled = event.timeStamp; // a touch pad sends many small turns
        this.scroll(Math.sign(event.deltaY));
      }
    }, { passive: false });
  }

  #probe(pane, event) {
    const { rows, columns, aspect, slope, intercept, unit } = this.trial;
    const box = pane.element.getBoundingClientRect();
    const { scale, left, top } = this.#place(pane.element);
    const column = Math.floor((event.clientX - box.left - left) / (scale * aspect));
    const row = Math.floor((event.clientY - box.top - top) / scale);
    const inside = pane.codes && row >= 0 && row < rows && column >= 0 && column < columns;
    const value = inside ? intercept + slope * pane.codes[row * columns + column] : 0;
    pane.value.textContent = inside ? minus(unit === "HU" ? `${value} HU` : value.toPrecision(4)) : "";
  }
}
