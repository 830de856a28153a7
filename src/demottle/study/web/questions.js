// The questions beside the image: one is open, and takes the keys.

const YES_NO = "yes-no";

export class Questions {
  #open = 0;
  #given = {};
  #usable = false;

  // onAnswer(name, answer) is called with every answer a reader gives.
  constructor(element, questions, onAnswer) {
    this.questions = questions;
    this.onAnswer = onAnswer;
    this.parts = questions.map((question, number) => this.#part(question, number));
    element.replaceChildren(...this.parts.map((part) => part.element));
  }

  // Show the answers of a trial, and open the first question without one.
  show(given) {
    this.#given = { ...given };
    const first = this.questions.findIndex(({ name }) => !(name in this.#given));
    this.#open = Math.max(0, first);
    this.#update();
  }

  // Answers are taken only while the image is seen.
  set usable(value) {
    this.#usable = value;
    for (const { buttons } of this.parts) for (const button of buttons) button.disabled = !value;
  }

  get complete() {
    return this.questions.every(({ name }) => name in this.#given);
  }

  step(by) {
    this.#open = Math.max(0, Math.min(this.questions.length - 1, this.#open + by));
    this.#update();
  }

  // Take a key; says whether it meant anything.
  key(key) {
    const yesNo = this.questions[this.#open].kind === YES_NO;
    const place = yesNo ? ["y", "n"].indexOf(key) : Number(key) - 1;
    if (!(key.length === 1 && place >= 0 && place < this.questions[this.#open].anchors.length)) return false;
    this.#answer(this.#open, place);
    return true;
  }

  #answer(number, place) {
    if (!this.#usable) return;
    const { name, kind } = this.questions[number];
    const answer = kind === YES_NO ? place === 0 : place + 1;
    this.#given[name] = answer;
    const following = this.questions.findIndex(({ name: other }, i) => i > number && !(other in this.#given));
    this.#open = following >= 0 ? following : number;
    this.#update();
    this.onAnswer(name, answer);
  }

  #update() {
    this.parts.forEach(({ element, chosen, text, buttons }, number) => {
      const { name, kind, anchors, text: asked } = this.questions[number];
      const answer = this.#given[name];
      const place = answer === undefined ? -1 : kind === YES_NO ? (answer ? 0 : 1) : answer - 1;
      element.classList.toggle("open", number === this.#open);
      chosen.textContent = place < 0 ? "" : kind === YES_NO ? anchors[place] : String(answer);
      text.textContent = place < 0 || kind === YES_NO || number === this.#open ? asked : anchors[place];
      buttons.forEach((button, i) => button.setAttribute("aria-checked", i === place));
    });
    this.parts[this.#open].element.scrollIntoView({ block: "nearest" });
  }

  #part(question, number) {
    const made = (tag, text = "") => Object.assign(document.createElement(tag), { textContent: text });
    const element = made("section");
    element.className = "question";
    const heading = made("h2", question.title);
    const chosen = made("span");
    heading.append(chosen);
    const anchors = made("div");
    anchors.className = "anchors";
    anchors.setAttribute("role", "radiogroup");
    anchors.setAttribute("aria-label", question.text);
    const buttons = question.anchors.map((anchor, place) => {
      const button = made("button");
      button.type = "button";
      button.tabIndex = -1; // Tab goes from question to question
      button.setAttribute("role", "radio");
      button.append(made("b", question.kind === YES_NO ? "YN"[place] : String(place + 1)), made("span", anchor));
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        button.blur(); // so that Enter means the next case
        this.#answer(number, place);
      });
      return button;
    });
    anchors.append(...buttons);
    const text = made("p");
    element.append(heading, text, anchors);
    element.addEventListener("click", () => {
      this.#open = number;
      this.#update();
    });
    return { element, chosen, text, buttons };
  }
}
