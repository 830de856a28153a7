// The slices of trials: fetched when needed, those around first, and kept for the trials nearby only.

const MOST_TRIALS = 4;
const AT_ONCE = 3;

export class Images {
  #stacks = new Map(); // by trial: one promise for each image and slice
  #line = [];
  #running = 0;

  // The codes of one slice as Int16Array, rows by columns.
  slice(trial, place, number) {
    const stack = this.#stack(trial);
    const key = `${place}/${number}`;
    if (!stack.has(key)) stack.set(key, this.#fetched(trial, key, stack));
    return stack.get(key);
  }

  // Fetch all slices of a trial in the background, the middle ones first.
  prepare(trial, many = trial.slices) {
    const middle = Math.floor(trial.slices / 2);
    const numbers = [...Array(trial.slices).keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    for (const number of numbers.slice(0, many)) {
      for (let place = 0; place < trial.images; place++) this.#line.push([trial, place, number]);
    }
    this.#work();
  }

  // What waits in the background is not wanted any more.
  forgetWaiting() {
    this.#line = [];
  }

  async #work() {
    if (this.#running >= AT_ONCE) return;
    this.#running++;
    while (this.#line.length) {
      try {
        await this.slice(...this.#line.shift());
      } catch {
        // it is fetched again, and complained about, when it is shown
      }
    }
    this.#running--;
  }

  #stack(trial) {
    const stack = this.#stacks.get(trial.name) ?? new Map();
    this.#stacks.delete(trial.name); // the last used goes to the end
    this.#stacks.set(trial.name, stack);
    if (this.#stacks.size > MOST_TRIALS) this.#stacks.delete(this.#stacks.keys().next().value);
    return stack;
  }

  // Every answer is as long as the largest slice of the study; what is behind the codes means nothing.
  async #fetched(trial, key, stack) {
    try {
      const response = await fetch(`/api/image/${trial.name}/${key}`);
      if (!response.ok) throw new Error((await response.json()).error);
      const bytes = new DataView(await response.arrayBuffer());
      const codes = new Int16Array(trial.rows * trial.columns);
      for (let i = 0; i < codes.length; i++) codes[i] = bytes.getInt16(2 * i, true);
      return codes;
    } catch (error) {
      stack.delete(key);
      throw error;
    }
  }
}
