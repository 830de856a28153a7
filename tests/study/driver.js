// Goes through the study's page as a reader does, and tells in the page's title what it saw.
(async () => {
  const rest = (ms) => new Promise((done) => setTimeout(done, ms));
  const by = (id) => document.getElementById(id);
  const text = (selector) => document.querySelector(selector).textContent;
  const until = async (holds) => {
    for (let i = 0; i < 400 && !holds(); i++) await rest(50);
    if (!holds()) throw new Error(`waited for ${holds}`);
  };
  const key = (name, more = {}) => document.dispatchEvent(new KeyboardEvent("keydown", { key: name, ...more }));
  const shown = () => until(() => text(".pane .message") === "" && !document.querySelector(".anchors button").disabled);
  // The gray of each pixel of the image, in the middle of where it is drawn.
  const grays = (columns, rows) => {
    const canvas = document.querySelector(".pane canvas");
    const scale = Math.min(canvas.width / columns, canvas.height / rows);
    const left = (canvas.width - columns * scale) / 2;
    const top = (canvas.height - rows * scale) / 2;
    const context = canvas.getContext("2d");
    const gray = (row, column) => context.getImageData(Math.floor(left + (column + 0.5) * scale), Math.floor(top + (row + 0.5) * scale), 1, 1).data[0];
    return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => gray(row, column)));
  };
  const log = {};
  try {
    await until(() => !by("welcome").hidden);
    by("alias").value = "not an alias";
    by("enter").requestSubmit();
    await until(() => by("refused").textContent);
    log.refused = by("refused").textContent;
    by("alias").value = "R1";
    by("enter").requestSubmit();
    await until(() => !by("reading").hidden);
    await shown();
    log.began = text("#position");
    log.grays = grays(24, 24);
    log.window = text(".pane .window");
    log.slice = text(".pane .slice");
    if (window.resume) return;

    const pane = document.querySelector(".pane");
    const pointer = (kind, x, y) => pane.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, button: 0, pointerId: 1 }));
    pointer("pointerdown", 100, 100);
    pointer("pointermove", 200, 50);
    pointer("pointerup", 200, 50);
    log.dragged = text(".pane .window");
    key("!", { code: "Digit3", shiftKey: true });
    log.lung = text(".pane .window");
    key("0");
    log.reset = text(".pane .window");
    pane.dispatchEvent(new WheelEvent("wheel", { deltaY: 100 }));
    await until(() => text(".pane .slice") !== log.slice);
    log.scrolled = text(".pane .slice");

    key("Enter"); // nothing is answered: it stays
    await rest(100);
    log.stayed = text("#position");
    key("1");
    await until(() => by("saved").className === "bad"); // the first time it is not saved
    log.failed = text("#saved");
    for (const answer of ["2", "3", "4", "5", "y"]) key(answer);
    await until(() => text("#saved") === "Saved");
    key("Enter");
    await until(() => text("#position").includes(" 2 "));
    await shown();
    for (const answer of ["5", "4"]) key(answer);
    key("ArrowRight"); // half is answered: it stays
    key("ArrowLeft");
    await until(() => text("#position").includes(" 1 "));
    await shown();
    key("2"); // the first question is open again
    await until(() => text("#saved") === "Saved");
    log.chosen = [...document.querySelectorAll(".question h2 span")].map((part) => part.textContent);
    key("ArrowRight");
    await until(() => text("#position").includes(" 2 "));
    log.kept = [...document.querySelectorAll(".question h2 span")].map((part) => part.textContent);
  } catch (error) {
    log.error = String(error);
  } finally {
    document.title = JSON.stringify(log);
  }
})();
