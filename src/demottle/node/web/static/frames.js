// Frames of a series, asked for one at a time: the one that is looked at first, then those that come next in the direction of
// scrolling. What was wished for before and has not begun is forgotten, so that fast scrolling asks for little.
const AT_ONCE = 3, AHEAD = 8, MOST_BYTES = 192 << 20;
const TYPES = { Uint8: Uint8Array, Int8: Int8Array, Uint16: Uint16Array, Int16: Int16Array, Float32: Float32Array };

async function fetched(path) {
  const answer = await fetch(path);
  if (answer.status === 401) location.replace("/log-in");
  if (!answer.ok) throw new Error((await answer.json()).detail);
  const said = (name) => answer.headers.get(`x-${name}`);
  return {
    stored: new TYPES[said("kind")](await answer.arrayBuffer()),
    rows: Number(said("rows")), columns: Number(said("columns")), slope: Number(said("slope")), intercept: Number(said("intercept")),
  };
}

export class Frames {
  #kept = new Map(); // by place: { before, after }, the one that was used last at the end
  #begun = new Map();
  #wishes = [];
  #waiting = new Map();
  #bytes = 0;
  asked = 0;

  constructor(series, count, round, missing) {
    Object.assign(this, { series, count, round, missing: new Set(missing) });
  }

  has(place) {
    return this.#kept.has(place);
  }

  // The frame at a place, and those around it on the way.
  get(place, direction = 1) {
    const near = Array.from({ length: AHEAD }, (_, i) => place + direction * (i + 1));
    this.#wishes = [place, ...near, place - direction].filter((one) => one >= 0 && one < this.count && !this.#kept.has(one));
    const found = this.#kept.get(place);
    if (found) {
      this.#kept.delete(place);
      this.#kept.set(place, found);
    }
    const waited = found ? Promise.resolve(found) : this.#promised(place);
    this.#next();
    return waited;
  }

  #promised(place) {
    for (const [other, promise] of this.#waiting) {
      if (other === place || this.#begun.has(other)) continue;
      promise.reject(new DOMException("another frame is wanted", "AbortError"));
      this.#waiting.delete(other);
    }
    if (!this.#waiting.has(place)) this.#waiting.set(place, promised());
    return this.#waiting.get(place).promise;
  }

  #next() {
    while (this.#begun.size < AT_ONCE && this.#wishes.length) {
      const place = this.#wishes.shift();
      if (this.#begun.has(place)) continue;
      this.#begun.set(place, true);
      this.#fetch(place).then(
        (pair) => this.#waiting.get(place)?.resolve(pair),
        (error) => this.#waiting.get(place)?.reject(error),
      ).finally(() => {
        this.#waiting.delete(place);
        this.#begun.delete(place);
        this.#next();
      });
    }
  }

  async #fetch(place) {
    this.asked += 1;
    const path = (which) => `/api/series/${this.series}/images/${place}/${which}?round=${this.round ?? 0}`;
    const after = this.round === null || this.missing.has(place) ? null : fetched(path("after"));
    const pair = { before: await fetched(path("before")), after: await after };
    this.#kept.set(place, pair);
    this.#bytes += size(pair);
    for (const [old, one] of this.#kept) {
      if (this.#bytes <= MOST_BYTES || old === place) break;
      this.#kept.delete(old);
      this.#bytes -= size(one);
    }
    return pair;
  }
}

const size = (pair) => pair.before.stored.byteLength + (pair.after?.stored.byteLength ?? 0);

function promised() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
