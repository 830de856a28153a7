"use strict";
// DICOM files that the reader opens on this page: two series, the scan and what was made of it. Files stay on this machine.
const dicom = (() => {
  const ENDLESS = 0xffffffff;
  const LONG = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"];
  const PIXELS = 0x7fe00010, ITEM_END = 0xfffee00d, SEQUENCE_END = 0xfffee0dd;
  const IMPLICIT = "1.2.840.10008.1.2", EXPLICIT = "1.2.840.10008.1.2.1";
  const TEXTS = {
    0x00020010: "syntax", 0x00082111: "derivation", 0x0020000e: "series", 0x00200013: "number", 0x00200032: "position",
    0x00200037: "directions", 0x00280008: "frames", 0x00280030: "spacing", 0x00281052: "intercept", 0x00281053: "slope",
  };
  const SHORTS = { 0x00280002: "samples", 0x00280010: "rows", 0x00280011: "columns", 0x00280100: "allocated", 0x00280101: "stored", 0x00280103: "signed" };

  function elements(view) {
    let explicit = true;
    const text = (at, length) => String.fromCharCode(...new Uint8Array(view.buffer, at, length));
    function element(at) {
      const group = view.getUint16(at, true);
      const tag = group * 65536 + view.getUint16(at + 2, true);
      if (group === 0xfffe || !(explicit || group === 2)) return { tag, length: view.getUint32(at + 4, true), start: at + 8 };
      return LONG.includes(text(at + 4, 2))
        ? { tag, length: view.getUint32(at + 8, true), start: at + 12 }
        : { tag, length: view.getUint16(at + 6, true), start: at + 8 };
    }
    // Where the next element begins; sequences and items may say their end only when it is reached.
    function after({ start, length }, end = SEQUENCE_END) {
      if (length !== ENDLESS) return start + length;
      for (let at = start; ; ) {
        const one = element(at);
        if (one.tag === end) return one.start;
        at = after(one, end === SEQUENCE_END ? ITEM_END : SEQUENCE_END);
      }
    }
    return { element, after, text, implicit: () => (explicit = false) };
  }

  function header(buffer) {
    const view = new DataView(buffer);
    const { element, after, text, implicit } = elements(view);
    if (buffer.byteLength < 140 || text(128, 4) !== "DICM") return null;
    const found = { slope: "1", intercept: "0", samples: 1 };
    for (let at = 132; at + 8 <= buffer.byteLength; ) {
      if (view.getUint16(at, true) !== 2 && found.syntax === IMPLICIT) implicit();
      const one = element(at);
      if (one.tag in TEXTS) found[TEXTS[one.tag]] = text(one.start, one.length).replace(/[\0 ]+$/, "");
      if (one.tag in SHORTS) found[SHORTS[one.tag]] = view.getUint16(one.start, true);
      if (one.tag === PIXELS) return { ...found, start: one.start, length: one.length };
      at = after(one);
    }
    return null;
  }

  const numbers = (text) => (text || "").split("\\").map(Number);

  // Where a slice lies along the line that all slices stand on; without a position, its number.
  function place({ position, directions, number }) {
    const [p, d] = [numbers(position), numbers(directions)];
    if (p.length !== 3 || d.length !== 6) return Number(number);
    const normal = [0, 1, 2].map((i) => d[(i + 1) % 3] * d[3 + ((i + 2) % 3)] - d[(i + 2) % 3] * d[3 + ((i + 1) % 3)]);
    return normal.reduce((sum, n, i) => sum + n * p[i], 0);
  }

  async function read(file) {
    let found = null;
    try {
      found = header(await file.arrayBuffer());
    } catch {
      return null; // cut short
    }
    if (!found) return null;
    const plain = [IMPLICIT, EXPLICIT].includes(found.syntax) && found.samples === 1 && Number(found.frames || 1) === 1;
    const made = /demottle [^|]*noise reduction/.test(found.derivation || "");
    return { ...found, file, made, plain: plain && [8, 16].includes(found.allocated), at: place(found) };
  }

  // The CT numbers (or signals) of one slice.
  async function values({ file, start, rows, columns, allocated, stored, signed, slope, intercept }) {
    const bytes = (await file.arrayBuffer()).slice(start, start + (rows * columns * allocated) / 8);
    const kinds = allocated === 8 ? [Uint8Array, Int8Array] : [Uint16Array, Int16Array];
    const raw = new kinds[signed](bytes);
    const [spare, factor, zero] = [32 - stored, Number(slope), Number(intercept)];
    const whole = signed ? (value) => (value << spare) >> spare : (value) => (value << spare) >>> spare;
    return Float32Array.from(raw, (value) => factor * whole(value) + zero);
  }

  const series = { before: [], after: [] };

  // Add files to what is open; returns a plane for the viewer, or why there is none.
  async function open(files) {
    const found = [];
    for (const file of files) found.push(await read(file)); // one after the other: a scan may be larger than memory
    const images = found.filter((one) => one && one.plain);
    if (!images.length) {
      return { why: found.some(Boolean) ? "These DICOM files are compressed, in color or of several frames; this page shows plain slices only." : "No DICOM image is among these files." };
    }
    for (const [name, made] of [["after", true], ["before", false]]) {
      const ours = Object.values(Object.groupBy(images.filter((one) => one.made === made), (one) => one.series));
      if (ours.length) series[name] = ours.sort((a, b) => b.length - a.length)[0].sort((a, b) => a.at - b.at);
    }
    return plane();
  }

  function plane() {
    const [lead, other] = series.after.length ? [series.after, series.before] : [series.before, []];
    const { rows, columns, spacing } = lead[0];
    const partner = new Map(other.filter((one) => one.rows === rows && one.columns === columns).map((one) => [one.at.toFixed(2), one]));
    const nothing = () => Promise.resolve(new Float32Array(rows * columns).fill(NaN));
    const [down, across] = spacing ? numbers(spacing) : [1, 1];
    const pairs = lead.map((one) => (series.after.length ? [partner.get(one.at.toFixed(2)), one] : [one, null]));
    const slices = pairs.map((both, i) => ({
      number: i,
      label: `slice ${i + 1} of ${pairs.length}`,
      load: () => Promise.all(both.map((one) => (one ? values(one) : nothing()))),
    }));
    const alone = pairs.filter((both) => both.some((one) => !one)).length;
    const what = series.after.length ? (series.before.length ? "scan and result" : "result alone; open the scan, too, to see what was removed") : "scan alone; open the result, too";
    const told = `Opened from files: ${what}, ${pairs.length} slices` + (alone && alone < pairs.length ? `, ${alone} of them without a slice of the scan at their place` : "") + ". Figures and verdict below are of the scan this page was made for.";
    return { plane: { name: "files", width: columns, height: rows, aspect: (columns * across) / (rows * down), slices }, told };
  }

  // Files of folders that were dropped, folders within them too.
  async function dropped(items) {
    const entries = [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean); // before the first wait: then they are gone
    const files = [];
    for (const entry of entries) {
      if (entry.isFile) files.push(await new Promise((done, failed) => entry.file(done, failed)));
      else {
        const reader = entry.createReader();
        for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) entries.push(...some);
      }
    }
    return files;
  }

  return { open, dropped };
})();
