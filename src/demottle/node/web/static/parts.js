// Everything from headers goes through textContent: no text becomes markup.
export function made(tag, text = "", more = {}) {
  const found = Object.assign(document.createElement(tag), more);
  if (text !== "") found.textContent = text;
  return found;
}

// Seconds since 1970 as date and time of this browser's clock; of today the time alone.
function moment(seconds) {
  const at = new Date(1000 * seconds), today = at.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  if (today) return at.toLocaleTimeString([], { ...time, second: "2-digit" });
  return `${at.toLocaleDateString([], { day: "numeric", month: "short" })} ${at.toLocaleTimeString([], time)}`;
}

export function row(one, chosen, choose, patients) {
  const line = made("tr", "", { tabIndex: 0, className: one.id === chosen ? "open" : "" });
  const state = made("td", "", { className: "how" });
  state.append(made("span", one.state + (one.urgent ? ", urgent" : ""), { className: `state ${one.state}` }));
  const name = `${one.modality} ${one.description}`.trim();
  const sent = Object.entries(one.sends).map(([to, counts]) => {
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return `${to}: ${counts.arrived ?? 0} of ${all}`;
  });
  const cell = (kind, text) => made("td", text, { className: kind });
  const reason = cell("why", "");
  reason.append(made("div", one.reason ?? "", { className: "reason", title: one.reason ?? "" }));
  line.append(cell("no", one.id), cell("came", moment(one.first)));
  if (patients) line.append(cell("patient", one.patient), cell("accession", one.accession));
  line.append(cell("name", name), cell("from", one.caller), cell("objects", one.instances), state, reason, cell("sent", sent.join(", ")));
  line.addEventListener("click", () => choose(one.id));
  line.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(one.id); });
  return line;
}

export function gate(found) {
  const verdicts = found?.verdicts ?? [];
  if (!verdicts.length) return made("p", "No gate.", { className: "none" });
  const table = made("table");
  const head = made("tr");
  for (const name of ["Gate", "Found", "Limit", ""]) head.append(made("th", name));
  table.append(head);
  for (const one of verdicts) {
    const line = made("tr");
    const number = (value) => (typeof value === "number" ? `${+value.toPrecision(4)} ${one.unit ?? ""}` : "");
    line.append(made("td", one.what), made("td", number(one.value)), made("td", number(one.limit)));
    line.append(made("td", one.status, { className: one.status === "failed" ? "state failed" : "" }));
    table.append(line);
  }
  return table;
}
