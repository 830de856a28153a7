"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const state = { plane: 0, window: 0, slice: 0, mode: "side", difference: 1, error: 0, wipe: 0.5, zoom: 1, x: 0, y: 0, peek: false, spots: 1, map: 0, blend: 1 };
  const reaches = [1, 3, 10]; // of the difference, in standard deviations of the noise before
  const withTruth = Boolean(data.planes[0].slices[0].truth);
  const cache = new Map();
  let opened = null; // the plane of files that were opened here

  // One PNG holds the high bytes of 16-bit codes above their low bytes (see planes.py).
  async function grays(base64, width, height) {
    const image = new Image();
    image.src = "data:image/png;base64," + base64;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  }

  // Standard errors are in one byte each (see uncertainty.py).
  async function uncertain(base64, width, height) {
    const bytes = await grays(base64, width, height);
    return Float32Array.from({ length: width * height }, (_, i) => (bytes[4 * i] * data.uncertainty.top) / 255);
  }

  async function decoded(base64, width, height, step) {
    const bytes = await grays(base64, width, 2 * height);
    const count = width * height;
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      values[i] = data.offset + step * (bytes[4 * i] * 256 + bytes[4 * (i + count)]);
    }
    return values;
  }

  function pair(plane, slice) {
    const key = plane + "/" + slice;
    if (!cache.has(key)) {
      if (cache.size > 24) cache.delete(cache.keys().next().value);
      const { width, height, slices } = data.planes[plane];
      const { before, after, truth, layer, load } = slices[slice];
      if (load) return cache.set(key, load()).get(key);
      const codes = [[before, data.step_before], [after, data.step], [truth, data.step]].map(([png, step]) => png && decoded(png, width, height, step));
      cache.set(key, Promise.all([...codes, layer && uncertain(layer, width, height)]));
    }
    return cache.get(key);
  }

  // valueAt(i, column): the value of pixel i, which lies in that column.
  function paint(id, width, height, low, high, valueAt) {
    const canvas = by(id);
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const scale = 255 / (high - low);
    for (let i = 0, column = 0; i < width * height; i++) {
      const gray = (valueAt(i, column) - low) * scale; // the array clamps to 0..255 and rounds
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = gray;
      image.data[4 * i + 3] = 255;
      if (++column === width) column = 0;
    }
    context.putImageData(image, 0, 0);
  }

  let turn = 0;
  async function draw() {
    const mine = ++turn;
    const plane = data.planes[state.plane];
    const { width, height } = plane;
    const [[before, output, truth, error], colors] = await Promise.all([pair(state.plane, state.slice), layer()]);
    if (mine !== turn) return; // a newer draw is under way
    const after = state.blend === 1 ? output : output.map((value, i) => before[i] + state.blend * (value - before[i]));
    const { center, width: span } = data.windows[state.window];
    const [low, high] = [center - span / 2, center + span / 2];
    if (state.mode === "side") {
      paint("before", width, height, low, high, (i) => before[i]);
      paint("after", width, height, low, high, state.peek ? (i) => before[i] : (i) => after[i]);
      const reach = reaches[state.difference] * data.sigma;
      if (state.error === 2) paint("removed", width, height, 0, data.uncertainty.top, (i) => error[i]);
      else paint("removed", width, height, -reach, reach, state.error ? (i) => after[i] - truth[i] : (i) => before[i] - after[i]);
    } else {
      const edge = cutColumn(width);
      paint("wipe", width, height, low, high, (i, column) => (column < edge ? before[i] : after[i]));
    }
    // What was there before stays bare, to be looked at under the map.
    const tinted = state.mode === "wipe" ? ["wipe"] : state.error === 2 ? ["after"] : ["after", "removed"];
    for (const id of colors ? tinted : []) tint(id, colors);
    for (const id of state.mode === "side" ? ["before", "after", "removed"] : ["wipe"]) mark(id);
    layout();
    for (const neighbor of [state.slice + 1, state.slice - 1]) {
      if (plane.slices[neighbor]) pair(state.plane, neighbor);
    }
  }

  // A circle around each spot that reaches the slice; only on axial slices, where rows and columns are those of the list.
  function mark(id) {
    if (state.plane || !state.spots) return;
    const number = data.planes[0].slices[state.slice].number;
    const context = by(id).getContext("2d");
    context.lineWidth = Math.max(1, by(id).width / 300);
    for (const spot of data.spots) {
      if (Math.abs(spot.slice - number) > spot.reach) continue;
      context.globalAlpha = spot.slice === number ? 1 : 0.5;
      context.strokeStyle = spot.removed ? "#9a93e8" : "#ef7d6b";
      context.beginPath();
      context.ellipse(spot.column + 0.5, spot.row + 0.5, spot.across, spot.down, 0, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  // The map: blue where there is less HU after than before, orange where there is more; the color is full from a score of 2.
  const less = [59, 158, 255], more = [255, 146, 28];
  const full = 2;
  const strength = (score) => Math.min(1, Math.abs(score) / full);
  const layers = new Map();
  const visible = 0.7; // opacity, where the map is asked for and no other was

  async function colored(number) {
    const { zero, fineness, slices } = data.map;
    const image = new Image();
    image.src = "data:image/png;base64," + slices[number];
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const shown = context.getImageData(0, 0, image.width, image.height);
    for (let i = 0; i < shown.data.length; i += 4) {
      const score = (shown.data[i] - zero) / fineness;
      shown.data.set(score > 0 ? less : more, i);
      shown.data[i + 3] = 255 * strength(score);
    }
    context.putImageData(shown, 0, 0);
    return canvas;
  }

  function layer() {
    if (!data.map || !state.map || state.plane) return null;
    const { number } = data.planes[0].slices[state.slice];
    if (!layers.has(number)) layers.set(number, colored(number));
    return layers.get(number);
  }

  function tint(id, colors) {
    const { factor, row, column } = data.map;
    const context = by(id).getContext("2d");
    context.globalAlpha = state.map;
    context.drawImage(colors, column, row, factor * colors.width, factor * colors.height);
    context.globalAlpha = 1;
  }

  // The wipe stays where it is on the screen, whatever the zoom.
  const cutColumn = (width) => ((state.wipe - state.x) / state.zoom) * width;

  function layout() {
    const plane = data.planes[state.plane];
    by("viewer").style.setProperty("--aspect", plane.aspect);
    const tallest = Math.max(400, innerHeight - 200); // beside buttons and captions
    const widest = state.mode === "wipe" ? Math.min(1, (tallest * plane.aspect) / by("frames").clientWidth) : 1;
    for (const id of ["before", "after", "removed", "wipe"]) {
      const canvas = by(id);
      canvas.style.aspectRatio = plane.aspect;
      canvas.style.width = id === "wipe" ? widest * by("frames").clientWidth + "px" : "100%";
      canvas.style.transform = `translate(${100 * state.x}%, ${100 * state.y}%) scale(${state.zoom})`;
    }
    by("divider").style.left = 100 * state.wipe + "%";
  }

  function show() {
    const plane = data.planes[state.plane];
    if (plane === opened) state.error = 0;
    const { center, width } = data.windows[state.window];
    state.slice = Math.max(0, Math.min(plane.slices.length - 1, state.slice));
    by("slice").max = plane.slices.length - 1;
    by("slice").value = state.slice;
    by("opacity").value = Math.round(100 * state.map);
    by("legend").hidden = !data.map || !state.map || Boolean(state.plane);
    by("wiper").value = Math.round(1000 * state.wipe);
    by("blend").value = Math.round(100 * state.blend);
    by("blended").textContent = Math.round(100 * state.blend) + " %";
    by("told").hidden = state.blend === 1;
    by("told-share").textContent = Math.round(100 * state.blend) + " %";
    const strength = data.strength && (state.blend * data.strength).toFixed(2);
    by("told-command").hidden = !strength;
    by("told-strength").textContent = `--strength ${strength}`;
    by("where").textContent = plane.slices[state.slice].label;
    const round = (value) => String(Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(2))).replace("-", "−");
    for (const span of document.querySelectorAll(".windowed")) {
      span.textContent = `center ${round(center)}, width ${round(width)} ${data.unit}`;
    }
    by("removed-name").textContent = ["Removed", "Error", "Uncertainty"][state.error];
    const shown = state.error ? "after − truth" : "before − after";
    by("removed-window").textContent =
      state.error === 2 ? `standard error, 0 to ${data.uncertainty.top} ${data.unit}` : `${shown}, ±${round(reaches[state.difference] * data.sigma)} ${data.unit}`;
    by("legend-uncertainty").hidden = state.error !== 2 || state.mode === "wipe";
    by("frames").classList.toggle("wiping", state.mode === "wipe");
    by("held").hidden = !state.peek;
    press("planes", state.plane);
    press("windows", state.window);
    press("modes", state.mode === "wipe" ? 1 : 0);
    press("differences", state.difference);
    press("errors", state.error);
    press("spots", state.spots ? 0 : 1);
    draw();
  }

  function press(group, chosen) {
    [...by(group).children].forEach((button, i) => button.setAttribute("aria-pressed", i === chosen));
  }

  function set(change) {
    const was = data.planes[state.plane].slices.length;
    Object.assign(state, change);
    const now = data.planes[state.plane].slices.length;
    if ("plane" in change && !("slice" in change)) {
      Object.assign(state, { slice: Math.round(((state.slice + 0.5) / was) * now - 0.5), zoom: 1, x: 0, y: 0 });
    }
    show();
  }

  // Keep the point (x, y) of the frame, in shares of its size, where it is; never show more than the image.
  function zoomTo(zoom, x = 0.5, y = 0.5) {
    zoom = Math.max(1, Math.min(8, zoom));
    const factor = zoom / state.zoom;
    moveTo(x - (x - state.x) * factor, y - (y - state.y) * factor, zoom);
  }
  function moveTo(x, y, zoom = state.zoom) {
    const within = (value) => Math.max(1 - zoom, Math.min(0, value));
    Object.assign(state, { zoom, x: within(x), y: within(y) });
    state.mode === "wipe" ? draw() : layout();
  }

  async function openFiles(files) {
    by("opened").hidden = false;
    by("opened").textContent = `Reading ${files.length} files ...`;
    const { plane, told, why } = await dicom.open(files);
    by("opened").textContent = why || told;
    if (!plane) return;
    if (opened) data.planes.pop();
    else buttons("planes", [plane.name], () => ({ plane: data.planes.length - 1 }));
    opened = plane;
    data.planes.push(plane);
    cache.clear();
    set({ plane: data.planes.length - 1, slice: Math.floor(plane.slices.length / 2), zoom: 1, x: 0, y: 0 });
  }

  function wholeScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else by("viewer").requestFullscreen?.();
  }

  function buttons(group, names, change) {
    names.forEach((name, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name[0].toUpperCase() + name.slice(1);
      button.addEventListener("click", () => set(change(i)));
      by(group).append(button);
    });
  }
  buttons("planes", data.planes.map((p) => p.name), (plane) => ({ plane }));
  buttons("windows", data.windows.map((w) => w.name), (window) => ({ window }));
  buttons("differences", reaches.map((n) => `±${n}σ`), (difference) => ({ difference }));
  const offered = [true, withTruth, Boolean(data.uncertainty)];
  by("errors").hidden = !offered[1] && !offered[2];
  [...by("errors").children].forEach((button, i) => (button.hidden = !offered[i]));
  if (data.uncertainty) {
    by("uncertainty-half").textContent = data.uncertainty.top / 2;
    by("uncertainty-top").textContent = `${data.uncertainty.top} ${data.unit}`;
  }
  for (const button of by("errors").children) button.addEventListener("click", () => set({ error: Number(button.dataset.error) }));
  by("go-worst")?.addEventListener("click", () => {
    set({ plane: 0, slice: data.planes[0].slices.findIndex((slice) => slice.number === data.worst) });
    by("viewer").scrollIntoView({ block: "start" });
    by("viewer").focus({ preventScroll: true });
  });
  by("spots").hidden = !data.spots.length;
  for (const button of by("spots").children) button.addEventListener("click", () => set({ spots: Number(button.dataset.spots) }));
  by("map").hidden = !data.map;
  by("opacity").addEventListener("input", (event) => set({ map: event.target.value / 100 }));
  const ends = [...less, 1, ...less, 0, ...more, 0, ...more, 1];
  const stops = [0, 50, 50, 100].map((at, i) => `rgba(${ends.slice(4 * i, 4 * i + 4)}) ${at}%`);
  by("scale").style.background = `linear-gradient(90deg, ${stops})`;
  for (const button of document.querySelectorAll("[data-spot]")) {
    button.addEventListener("click", () => {
      const spot = data.spots[Number(button.dataset.spot)];
      const { width, height, slices } = data.planes[0];
      set({ plane: 0, spots: 1, slice: slices.findIndex((slice) => slice.number === spot.slice) });
      const zoom = 2;
      moveTo(0.5 - (zoom * (spot.column + 0.5)) / width, 0.5 - (zoom * (spot.row + 0.5)) / height, zoom);
      by("viewer").scrollIntoView({ block: "start" });
      by("viewer").focus({ preventScroll: true });
    });
  }
  for (const button of by("modes").children) button.addEventListener("click", () => set({ mode: button.dataset.mode }));
  by("blend").addEventListener("input", (event) => set({ blend: event.target.value / 100 }));
  by("whole-screen").addEventListener("click", wholeScreen);
  by("open-files").addEventListener("click", () => by("files").click());
  by("files").addEventListener("change", (event) => {
    openFiles([...event.target.files]);
    event.target.value = ""; // so that the same folder can be chosen again
  });
  by("viewer").addEventListener("dragover", (event) => event.preventDefault());
  by("viewer").addEventListener("drop", async (event) => {
    event.preventDefault();
    openFiles(await dicom.dropped(event.dataTransfer.items));
  });
  by("slice").addEventListener("input", (event) => set({ slice: Number(event.target.value) }));
  by("wiper").addEventListener("input", (event) => set({ wipe: event.target.value / 1000 }));

  for (const frame of document.querySelectorAll(".frame")) {
    let last = 0;
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) {
        const box = frame.getBoundingClientRect();
        const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
        zoomTo(state.zoom * Math.exp(-event.deltaY / 300), x, y);
      } else if (event.timeStamp - last > 40) {
        last = event.timeStamp;
        set({ slice: state.slice + Math.sign(event.deltaY) });
      }
    }, { passive: false });
    frame.addEventListener("pointermove", (event) => {
      if (!event.buttons || state.mode === "wipe") return;
      const box = frame.getBoundingClientRect();
      moveTo(state.x + event.movementX / box.width, state.y + event.movementY / box.height);
    });
  }

  const steps = {
    ArrowUp: () => set({ slice: state.slice - 1 }),
    ArrowDown: () => set({ slice: state.slice + 1 }),
    ArrowLeft: () => set(state.mode === "wipe" ? { wipe: Math.max(0, state.wipe - 0.02) } : { slice: state.slice - 1 }),
    ArrowRight: () => set(state.mode === "wipe" ? { wipe: Math.min(1, state.wipe + 0.02) } : { slice: state.slice + 1 }),
    p: () => set({ plane: (state.plane + 1) % data.planes.length }),
    w: () => set({ mode: state.mode === "wipe" ? "side" : "wipe" }),
    s: () => set({ spots: 1 - state.spots }),
    m: () => data.map && set({ map: state.map ? 0 : visible }),
    u: () => data.uncertainty && set({ error: state.error === 2 ? 0 : 2, mode: "side" }),
    d: () => set({ difference: (state.difference + 1) % reaches.length }),
    "[": () => set({ blend: Math.max(0, Math.round(20 * state.blend - 1) / 20) }),
    "]": () => set({ blend: Math.min(1, Math.round(20 * state.blend + 1) / 20) }),
    f: wholeScreen,
    b: () => state.peek || set({ peek: true }),
    "+": () => zoomTo(state.zoom * 1.4),
    "=": () => zoomTo(state.zoom * 1.4),
    "-": () => zoomTo(state.zoom / 1.4),
    0: () => moveTo(0, 0, 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = Number(key) - 1;
    const inside = by("viewer").contains(document.activeElement) || document.activeElement === document.body;
    if (key.startsWith("Arrow") && !by("viewer").contains(document.activeElement)) return; // arrows scroll the page
    if (!inside) return;
    if (data.windows[number]) set({ window: number });
    else if (steps[key]) steps[key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && set({ peek: false }));
  window.addEventListener("resize", layout);

  // A link can name a view: #plane=1&slice=4&window=2&mode=wipe&wipe=0.3&map=0.7&blend=0.5
  const asked = {};
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
    if (key === "mode") asked.mode = value === "wipe" ? "wipe" : "side";
    else if (key in state && Number.isFinite(Number(value))) asked[key] = Number(value);
  }
  asked.plane = Math.max(0, Math.min(data.planes.length - 1, Math.round(asked.plane ?? 0)));
  asked.window = Math.max(0, Math.min(data.windows.length - 1, Math.round(asked.window ?? 0)));
  asked.difference = Math.max(0, Math.min(reaches.length - 1, Math.round(asked.difference ?? 1)));
  asked.map = data.map ? Math.max(0, Math.min(1, asked.map ?? (data.spots.length ? visible : 0))) : 0;
  asked.blend = Math.max(0, Math.min(1, asked.blend ?? 1));
  asked.error = offered[asked.error] ? asked.error : 0;
  asked.slice ??= Math.floor(data.planes[asked.plane].slices.length / 2);
  set(asked);
})();
