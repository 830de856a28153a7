import { panel } from "./panel.js";
import { made, row } from "./parts.js";
import { get, me, post } from "./server.js";

const at = (id) => document.getElementById(id);
let list = [], chosen = null, shown = "";

function draw() {
  at("list").replaceChildren(...list.map((one) => row(one, chosen, choose, me.patients)));
  at("empty").hidden = list.length > 0;
}

async function choose(id) {
  const other = chosen !== id;
  chosen = id;
  if (other) history.replaceState(null, "", `#${id}`);
  at("scroll").classList.add("short");
  draw();
  shown = JSON.stringify(list.find((one) => one.id === id));
  const one = await get(`/api/series/${id}`);
  if (chosen !== id) return;
  await panel(at("one"), one, other);
}

function named() { // a link can name a series
  const asked = Number(location.hash.slice(1));
  if (asked !== chosen && list.some((one) => one.id === asked)) choose(asked);
}

at("who").textContent = `${me.name}, ${me.roles.at(-1)}`;
at("out").addEventListener("click", async () => { await post("/log-out"); location.replace("/log-in"); });
const events = new EventSource("/api/events");
events.addEventListener("open", () => { at("line").textContent = "live"; });
events.addEventListener("error", () => { at("line").textContent = "no connection; trying again"; });
events.addEventListener("over", () => location.replace("/log-in"));
events.addEventListener("series", (event) => {
  list = JSON.parse(event.data);
  if (chosen === null) named();
  draw();
  const now = list.find((one) => one.id === chosen);
  if (now && JSON.stringify(now) !== shown) choose(chosen);
});
addEventListener("hashchange", named);
for (const one of document.querySelectorAll("th.patient, th.accession")) one.hidden = !me.patients;
