import { gate, made, picture, row } from "./parts.js";

const at = (id) => document.getElementById(id);
const get = async (path) => {
  const answer = await fetch(path);
  if (answer.status === 401) location.replace("/log-in");
  return answer.json();
};
const me = await get("/api/me");
let list = [], chosen = null, shown = "";

async function post(path, body = {}) {
  const headers = { "content-type": "application/json", "x-csrf-token": me.csrf };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const found = await answer.json();
  return found.said ?? found.detail ?? "";
}

function draw() {
  at("list").replaceChildren(...list.map((one) => row(one, chosen, choose)));
  at("empty").hidden = list.length > 0;
}

async function choose(id) {
  chosen = id;
  draw();
  const one = await get(`/api/series/${id}`);
  if (chosen !== id) return;
  const box = at("one"), said = made("div", "", { className: "said", role: "status" });
  shown = JSON.stringify(list.find((other) => other.id === id));
  const pictures = made("div", "", { className: "pictures" });
  pictures.append(picture(id, "before", one.round), picture(id, "after", one.round));
  box.replaceChildren(made("h2", `${one.id}: ${one.modality} ${one.description}`), pictures, buttons(one, said), said);
  const latest = one.rounds[0];
  for (const open of latest?.open ?? []) box.append(made("p", `${open.objects} objects to ${open.destination}: ${open.state}. ${open.reason}`));
  if (latest?.page) box.append(made("a", "Page of the result", { href: `/api/series/${id}/report/${latest.id}`, target: "_blank", rel: "noopener" }));
  if (latest) box.append(gate(latest.gate));
  box.hidden = false;
}

function buttons(one, said) {
  const box = made("div", "", { className: "buttons" });
  const add = (what, text, role, body = () => ({}), danger = false) => {
    if (!me.roles.includes(role)) return;
    const button = made("button", text, { className: danger ? "danger" : "" });
    button.addEventListener("click", async () => {
      if (danger && !confirm(`${text}: series ${one.id}?`)) return;
      said.textContent = await post(`/api/series/${one.id}/${what}`, body());
    });
    box.append(button);
  };
  add("resend", "Send again", "technologist");
  add("urgent", "Make urgent", "technologist");
  if (me.roles.includes("physicist")) {
    const method = made("select", "", { ariaLabel: "Method" });
    method.append(new Option("as the rule says", ""), ...me.methods.map((name) => new Option(name, name)));
    box.append(method);
    add("redo", "Do again", "physicist", () => (method.value ? { method: method.value } : {}));
  }
  add("reject", "Reject", "physicist", () => ({}), true);
  add("purge", "Purge", "admin", () => ({}), true);
  return box;
}

at("who").textContent = `${me.name}, ${me.roles.at(-1)}`;
at("out").addEventListener("click", async () => { await post("/log-out"); location.replace("/log-in"); });
const events = new EventSource("/api/events");
events.addEventListener("open", () => { at("line").textContent = "live"; });
events.addEventListener("error", () => { at("line").textContent = "no connection; trying again"; });
events.addEventListener("over", () => location.replace("/log-in"));
events.addEventListener("series", (event) => {
  list = JSON.parse(event.data);
  draw();
  const now = list.find((one) => one.id === chosen);
  if (now && JSON.stringify(now) !== shown) choose(chosen);
});
