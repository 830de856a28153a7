// Each changes the own password; an admin adds and removes users, and gives roles.
import { made } from "./parts.js";
import { get, me, post } from "./server.js";

const ROLES = ["technologist", "physicist", "admin"];
const at = (id) => document.getElementById(id);
const said = (place) => place.querySelector(":scope > .said, .said");

function asks(form, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said(form).textContent = await send(Object.fromEntries(new FormData(form)));
  });
}

asks(at("own"), async (given) => {
  if (given.new !== given.again) return "The two new passwords are not the same; nothing was changed.";
  const answer = await post("/api/password", { old: given.old, new: given.new });
  if (answer.startsWith("Your password is changed")) setTimeout(() => location.replace("/log-in"), 1500);
  return answer;
});

function line(one) {
  const own = one.name === me.name;
  const row = made("tr"), role = made("select", "", { ariaLabel: `Role of ${one.name}`, disabled: own });
  role.append(...ROLES.map((name) => new Option(name, name, false, name === one.role)));
  role.addEventListener("change", () => change(one, "role", { role: role.value }));
  const remove = made("button", "Remove", { className: "danger", disabled: own });
  remove.addEventListener("click", () => { if (confirm(`Remove ${one.name}?`)) change(one, "remove", {}); });
  const another = made("form", "", { className: "inline" });
  another.append(made("input", "", { type: "password", name: "password", minLength: 12, maxLength: 256, required: true, autocomplete: "new-password", placeholder: "new password", ariaLabel: `New password of ${one.name}` }), made("button", "Set"));
  another.addEventListener("submit", (event) => { event.preventDefault(); change(one, "password", Object.fromEntries(new FormData(another))); });
  const cells = [made("td", one.name), made("td"), made("td")];
  cells[1].append(role);
  if (own) cells[2].append(made("span", "This is you.", { className: "none" }));
  else cells[2].append(another, remove);
  row.append(...cells);
  return row;
}

async function change(one, what, body) {
  said(at("users")).textContent = await post(`/api/users/${encodeURIComponent(one.name)}/${what}`, body);
  await list();
}

async function list() {
  at("list").replaceChildren(...(await get("/api/users")).map(line));
}

at("who").textContent = `${me.name}, ${me.roles.at(-1)}`;
at("out").addEventListener("click", async () => { await post("/log-out"); location.replace("/log-in"); });
if (me.roles.includes("admin")) {
  at("add").elements.role.append(...ROLES.map((name) => new Option(name, name)));
  asks(at("add"), async (given) => {
    const answer = await post("/api/users", given);
    await list();
    return answer;
  });
  at("users").hidden = false;
  await list();
}
