// Answers on their way to the disk: sent one after the other, and again until they are there.

const WAIT = 2000; // ms before it is tried again

async function asked(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const value = await response.json();
  if (!response.ok) throw Object.assign(new Error(value.error), { refused: response.status < 500 });
  return value;
}

export const enter = (reader) => asked("/api/reader", { reader });

export class Saving {
  #line = [];
  #busy = false;

  // onState(text, bad) is called when the state changes.
  constructor(onState) {
    this.onState = onState;
    window.addEventListener("beforeunload", (event) => this.#line.length && event.preventDefault());
  }

  get pending() {
    return this.#line.length;
  }

  add(record) {
    this.#line.push(record);
    this.#work();
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#line.length) {
      try {
        await asked("/api/answers", this.#line[0]);
        this.#line.shift();
        this.onState(this.#line.length ? "Saving …" : "Saved", false);
      } catch (error) {
        const why = error instanceof TypeError ? "The study's program does not answer; start it again." : error.message;
        this.onState(`Not saved. ${why}`, true);
        await new Promise((done) => setTimeout(done, WAIT));
      }
    }
    this.#busy = false;
  }
}
