// What surrounds the pictures: which result, windows, what is shown, slider, play; `update` says how things stand.
import { made } from "./parts.js";

const VIEWS = [["all", "All"], ["before", "Before"], ["after", "After"], ["removed", "Removed"]];
const REACHES = [1, 3, 10];
const HINT = "Wheel or arrows: scroll. Drag: window. Shift and drag: move. Ctrl and wheel: zoom. Double click: as at first. Hold B: before in place of after.";
const minus = (text) => text.replace("-", "−");
const short = (value) => minus(Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2))));

function choice(label, names, choose) {
  const box = made("div", "", { className: "choice", role: "group", ariaLabel: label });
  names.forEach((name, i) => {
    const button = made("button", name, { type: "button" });
    button.addEventListener("click", () => choose(i));
    box.append(button);
  });
  box.press = (chosen) => [...box.children].forEach((button, i) => { button.ariaPressed = String(i === chosen); });
  return box;
}

export function tools(viewer) {
  const { looks } = viewer;
  const top = made("div", "", { className: "bar" }), bottom = made("div", "", { className: "bar" });
  const windows = choice("Window", looks.windows.map((one) => one.name), (i) => viewer.window(i));
  const views = choice("Pictures", VIEWS.map(([, name]) => name), (i) => viewer.look(VIEWS[i][0]));
  const reaches = choice("Range of what was removed", REACHES.map((n) => `±${n}σ`), (i) => viewer.set({ reach: REACHES[i] }));
  reaches.title = "σ: standard deviation of what was removed";
  const results = made("select", "", { ariaLabel: "Result" });
  results.append(...looks.rounds.map((one) => new Option(`Result ${one.number}: ${one.method}`, one.id, false, one.id === looks.round)));
  results.addEventListener("change", () => viewer.onRound(Number(results.value)));
  const full = made("button", "Full screen", { type: "button" });
  full.addEventListener("click", () => viewer.full());
  top.append(windows, views, ...(looks.removed === null ? [] : [reaches]), ...(looks.rounds.length > 1 ? [results] : []), full);

  const play = made("button", "Play", { type: "button", className: "play" });
  play.addEventListener("click", () => viewer.play());
  const slider = made("input", "", { type: "range", min: 0, max: looks.frames - 1, ariaLabel: viewer.word });
  slider.addEventListener("input", () => { viewer.stop(); viewer.go(Number(slider.value)); });
  const where = made("span", "", { className: "count" });
  if (looks.frames > 1) bottom.append(play, slider, where);
  bottom.append(made("p", HINT, { className: "hint" }));

  function update() {
    if (!viewer.tools) return;
    const { center, width, place } = viewer;
    slider.value = place;
    where.textContent = `${viewer.word} ${place + 1} of ${looks.frames}`;
    play.textContent = viewer.playing ? "Stop" : "Play";
    windows.press(looks.windows.findIndex((one) => one.center === center && one.width === width));
    views.press(VIEWS.findIndex(([name]) => name === viewer.view));
    reaches.press(REACHES.indexOf(viewer.reach));
    const said = `center ${short(center)}, width ${short(width)} ${looks.unit}`;
    const range = looks.removed === null ? "" : `±${short(viewer.reach * looks.removed)} ${looks.unit}`;
    viewer.panes.forEach((pane, i) => {
      pane.window.textContent = i === 2 ? range : said;
      pane.where.textContent = looks.frames > 1 ? `${viewer.word} ${place + 1} of ${looks.frames}` : "";
    });
    viewer.panes[1].title.textContent = viewer.flipped ? "Before" : "After";
  }
  return { top, bottom, update };
}
