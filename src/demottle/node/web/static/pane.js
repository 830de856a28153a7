// One picture of the viewer: gray values on a canvas, letters for the sides of the patient, and what is under the pointer.
import { made } from "./parts.js";

const minus = (text) => text.replace("-", "−");

export class Pane {
  #source = document.createElement("canvas"); // of the image's own size
  #values = null;

  constructor(name, title) {
    this.name = name;
    this.element = made("div", "", { className: `pane ${name}` });
    this.canvas = made("canvas", "", { role: "img", ariaLabel: title });
    this.element.append(this.canvas);
    for (const kind of ["title", "value", "where", "window", "message", "side left", "side right", "side top", "side bottom"]) {
      this[kind.split(" ").at(-1)] = this.element.appendChild(made("div", "", { className: kind }));
    }
    this.title.textContent = title;
  }

  sides(letters) {
    ["left", "right", "top", "bottom"].forEach((side, i) => { this[side].textContent = letters[i] ?? ""; });
  }

  // From values to gray: black at low, white at high.
  paint(values, low, high, inverted) {
    this.#values = values;
    const { rows, columns } = values;
    Object.assign(this.#source, { width: columns, height: rows });
    const context = this.#source.getContext("2d");
    const image = context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const scale = (inverted ? -255 : 255) / (high - low);
    const [slope, offset] = [scale * values.slope, scale * (values.intercept - (inverted ? high : low)) + 0.5];
    for (let i = 0; i < pixels.length; i++) {
      let gray = slope * values.stored[i] + offset;
      gray = gray < 0 ? 0 : gray > 255 ? 255 : gray | 0;
      pixels[i] = 0xff000000 | (gray << 16) | (gray << 8) | gray;
    }
    context.putImageData(image, 0, 0);
    this.message.textContent = "";
  }

  // Nothing to show, and why.
  empty(said) {
    this.#values = null;
    this.message.textContent = said;
  }

  // Where the image lies, in CSS pixels: size of a row, and its corner.
  place(view) {
    const { rows, columns } = this.#values;
    const { clientWidth, clientHeight } = this.element;
    const scale = Math.min(clientWidth / (columns * view.aspect), clientHeight / rows) * view.zoom;
    return {
      scale,
      left: clientWidth / 2 + view.x - (columns * view.aspect * scale) / 2,
      top: clientHeight / 2 + view.y - (rows * scale) / 2,
    };
  }

  layout(view) {
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(this.element.clientWidth * ratio), Math.round(this.element.clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (!this.#values || !width || !height) return;
    const { scale, left, top } = this.place(view);
    const { rows, columns } = this.#values;
    context.imageSmoothingEnabled = scale * ratio < 4; // pixels are seen as pixels once they are large
    context.imageSmoothingQuality = "medium";
    context.drawImage(this.#source, left * ratio, top * ratio, columns * view.aspect * scale * ratio, rows * scale * ratio);
  }

  // The pixel at a point of the pane, in CSS pixels; null beside the image.
  pixel(x, y, view) {
    if (!this.#values) return null;
    const { scale, left, top } = this.place(view);
    const [column, row] = [Math.floor((x - left) / (scale * view.aspect)), Math.floor((y - top) / scale)];
    const { rows, columns } = this.#values;
    return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
  }

  probe(at, unit) {
    const values = this.#values;
    if (!at || !values || at.row >= values.rows || at.column >= values.columns) return (this.value.textContent = "");
    const value = values.slope * values.stored[at.row * values.columns + at.column] + values.intercept;
    const text = Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
    return (this.value.textContent = minus(`${text} ${unit}`.trim()));
  }
}

// What was removed: before minus after.
export function difference(before, after) {
  const stored = new Float32Array(before.stored.length);
  for (let i = 0; i < stored.length; i++) {
    stored[i] = before.slope * before.stored[i] + before.intercept - (after.slope * after.stored[i] + after.intercept);
  }
  return { stored, rows: before.rows, columns: before.columns, slope: 1, intercept: 0 };
}
