// Everything from headers goes through textContent: no text becomes markup.
export function made(tag, text = "", more = {}) {
  const found = Object.assign(document.createElement(tag), more);
  if (text !== "") found.textContent = text;
  return found;
}

export function row(one, chosen, choose) {
  const line = made("tr", "", { tabIndex: 0, className: one.id === chosen ? "open" : "" });
  const state = made("td");
  state.append(made("span", one.state + (one.urgent ? ", urgent" : ""), { className: `state ${one.state}` }));
  const name = `${one.modality} ${one.description}`.trim();
  const sent = Object.entries(one.sends).map(([to, counts]) => {
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return `${to}: ${counts.arrived ?? 0} of ${all}`;
  });
  line.append(made("td", one.id), made("td", name), made("td", one.caller), made("td", one.instances), state);
  line.append(made("td", one.reason ?? "", { className: "reason" }), made("td", sent.join(", ")));
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

export function picture(id, which, round) {
  const figure = made("figure");
  const image = made("img", "", { src: `/api/series/${id}/${which}.png?round=${round}`, alt: `Middle slice ${which}` });
  image.addEventListener("error", () => image.replaceWith(made("p", "No picture.", { className: "none" })));
  figure.append(image, made("figcaption", which));
  return figure;
}
