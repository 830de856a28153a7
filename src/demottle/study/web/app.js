// The study as a reader goes through it: welcome, one trial after the other, thanks.

import { Images } from "./images.js";
import { Questions } from "./questions.js";
import { Saving, enter } from "./saving.js";
import { Viewer } from "./viewer.js";

const by = (id) => document.getElementById(id);
const show = (id) => ["welcome", "reading", "done"].forEach((name) => (by(name).hidden = name !== id));
const TASKS = {
  single: "You will see images one by one, and say how good each is. What was done to an image is not shown, and some come twice.",
  pairs: "You will see the same image in two versions side by side, and say which is better. What was done to them is not shown, and some come twice.",
};
const NAMES = ["Left", "Right"];

const study = await (await fetch("/api/study")).json();
const THING = study.design === "pairs" ? "Pair" : "Image";
const images = new Images();
const viewer = new Viewer(by("panes"), images, showWindow);
const questions = new Questions(by("questions"), study.questions, answered);
const saving = new Saving((text, bad) => {
  by("saved").textContent = text;
  by("saved").classList.toggle("bad", bad);
  summarize(text, bad);
});
const clock = { trial: null, since: 0, spent: new Map() };
let reader = null;
let now = 0;

document.title = study.title;
for (const element of document.querySelectorAll(".title")) element.textContent = study.title;
by("task").textContent = TASKS[study.design];
by("alias").value = sessionStorage.getItem("alias") ?? "";
show("welcome");
by("alias").focus();

by("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});

async function begin() {
  try {
    reader = await enter(by("alias").value);
  } catch (error) {
    sessionStorage.removeItem("alias");
    by("refused").textContent = error instanceof TypeError ? "The study's program does not answer; start it again." : error.message;
    return;
  }
  sessionStorage.setItem("alias", reader.reader);
  by("alias").blur();
  by("who").textContent = `Reader ${reader.reader}`;
  by("progress").replaceChildren(...reader.trials.map((_, number) => segment(number)));
  if (furthest() === reader.trials.length) finish();
  else go(furthest());
}

const given = (number) => (reader.given[reader.trials[number].name] ??= {});
const complete = (number) => study.questions.every(({ name }) => name in given(number));

// The first trial that is not complete: one may go back from it, but not beyond it.
function furthest() {
  const open = reader.trials.findIndex((_, number) => !complete(number));
  return open < 0 ? reader.trials.length : open;
}

async function go(number) {
  if (number < 0 || number > furthest()) return;
  if (number === reader.trials.length) return finish();
  stopClock();
  now = number;
  const trial = reader.trials[now];
  show("reading");
  by("saved").textContent = "";
  questions.usable = false;
  questions.show(given(now));
  windowsOf(trial);
  showPosition();
  images.forgetWaiting();
  try {
    await viewer.show(trial, trial.images > 1 ? NAMES : [""]);
  } catch {
    if (now === number) setTimeout(() => now === number && go(number), 2000); // what is wrong is said in the image
    return;
  }
  if (now !== number) return;
  questions.usable = true;
  startClock(trial.name);
  images.prepare(trial);
  if (reader.trials[now + 1]) images.prepare(reader.trials[now + 1]);
}

function answered(name, answer) {
  const trial = reader.trials[now];
  given(now)[name] = answer;
  stopClock();
  const seconds = (clock.spent.get(trial.name) ?? 0) / 1000;
  clock.spent.set(trial.name, 0);
  startClock(trial.name);
  saving.add({ reader: reader.reader, trial: trial.name, answers: { [name]: answer }, seconds });
  showPosition();
}

// Time counts while the image is seen, and is sent with the next answer to it.
function startClock(trial) {
  if (!document.hidden) Object.assign(clock, { trial, since: performance.now() });
}
function stopClock() {
  if (clock.trial !== null) clock.spent.set(clock.trial, (clock.spent.get(clock.trial) ?? 0) + performance.now() - clock.since);
  clock.trial = null;
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stopClock();
  else if (reader && !by("reading").hidden) startClock(reader.trials[now].name);
});

function finish() {
  stopClock();
  summarize("Saving …", false);
  show("done");
}

function summarize(text, bad) {
  const all = reader ? `All ${reader.trials.length} ${THING.toLowerCase()}s are answered` : "";
  by("summary").textContent = saving.pending ? `${all}. ${text}` : `${all} and saved. You may close this page.`;
  by("summary").classList.toggle("bad", bad);
}

// Back to the welcome, for a pause or another reader; what is answered is kept.
function leave() {
  sessionStorage.removeItem("alias");
  location.reload();
}

function segment(number) {
  const part = document.createElement("i");
  part.addEventListener("click", () => go(number));
  return part;
}

function showPosition() {
  const count = reader.trials.length;
  const done = reader.trials.filter((_, number) => complete(number)).length;
  const position = document.createElement("b");
  position.textContent = `${THING} ${now + 1} of ${count}`;
  by("position").replaceChildren(position);
  [...by("progress").children].forEach((part, number) => {
    part.className = complete(number) ? "complete" : Object.keys(given(number)).length ? "begun" : "";
    part.classList.toggle("now", number === now);
  });
  by("progress").setAttribute("aria-valuemax", count);
  by("progress").setAttribute("aria-valuenow", done);
  by("back").disabled = now === 0;
  by("next").disabled = !complete(now);
  by("next").textContent = now === count - 1 ? "Finish" : "Next";
}

function windowsOf(trial) {
  const buttons = trial.windows.map(([name, center, width], number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, tabIndex: -1 });
    button.title = `center ${center}, width ${width} (Shift ${number + 1})`;
    button.addEventListener("click", () => {
      button.blur();
      viewer.window(number);
    });
    return button;
  });
  by("windows").replaceChildren(...buttons);
}

function showWindow() {
  [...by("windows").children].forEach((button, number) => button.setAttribute("aria-pressed", number === viewer.windowNumber));
}

function toggleHelp(wanted = by("help").hidden) {
  by("help").hidden = !wanted;
  by("help-button").setAttribute("aria-expanded", wanted);
}

const keys = {
  ArrowUp: () => viewer.scroll(-1),
  ArrowDown: () => viewer.scroll(1),
  PageUp: () => viewer.scroll(-5),
  PageDown: () => viewer.scroll(5),
  ArrowLeft: () => go(now - 1),
  ArrowRight: () => complete(now) && go(now + 1),
  Enter: () => complete(now) && go(now + 1),
  Tab: (event) => questions.step(event.shiftKey ? -1 : 1),
  Escape: () => toggleHelp(false),
  "?": () => toggleHelp(),
  "+": () => viewer.zoomBy(1.25),
  "=": () => viewer.zoomBy(1.25),
  "-": () => viewer.zoomBy(0.8),
  0: () => viewer.reset(),
};
document.addEventListener("keydown", (event) => {
  if (by("reading").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const digit = /^(?:Digit)([1-9])$/.exec(event.code);
  if (event.shiftKey && digit) viewer.window(Number(digit[1]) - 1);
  else if (keys[event.key]) keys[event.key](event);
  else if (event.repeat || !questions.key(event.key.toLowerCase())) return;
  event.preventDefault();
});
by("back").addEventListener("click", () => go(now - 1));
by("next").addEventListener("click", () => go(now + 1));
by("reset").addEventListener("click", () => viewer.reset());
by("help-button").addEventListener("click", () => toggleHelp());
by("look-again").addEventListener("click", () => go(0));
for (const button of document.querySelectorAll(".leave")) button.addEventListener("click", leave);

if (by("alias").value) begin(); // the page was loaded again
