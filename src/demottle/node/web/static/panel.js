// One series: its images, what may be done with it, how far it was sent, the gate.
import { gate, made } from "./parts.js";
import { get, me, post } from "./server.js";
import { Viewer } from "./viewer.js";

let viewer = null, key = "";

// `other`: another series than before. What a person may be about to press stays as it is, and images are asked for anew only
// where there may be others to see.
export async function panel(box, one, other) {
  const latest = one.rounds[0];
  if (!box.children.length) for (const tag of ["h2", "div", "div", "div"]) box.append(made(tag));
  const [title, images, actions, details] = box.children;
  title.textContent = `${one.id}: ${one.modality} ${one.description}`;
  if (other) actions.replaceChildren(...buttons(one));
  details.replaceChildren(...about(one, latest));
  box.hidden = false;
  const state = one.state === "receiving" ? "receiving" : `${latest?.id} ${["waiting", "working"].includes(latest?.state)} ${one.purged}`;
  if (other || state !== key) await see(images, one.id, undefined, other ? null : viewer);
  key = state;
  if (other) viewer.element.focus({ preventScroll: true }); // arrows scroll through slices at once
}

async function see(place, id, round, as) {
  let found;
  try {
    const looks = await get(`/api/series/${id}/images${round === undefined ? "" : `?round=${round}`}`);
    found = new Viewer(id, looks, (chosen) => see(place, id, chosen, viewer), as);
  } catch (error) {
    found = { element: made("p", error.message, { className: "none" }), end: () => {} };
  }
  const held = viewer?.element.contains(document.activeElement);
  viewer?.end();
  viewer = found;
  place.replaceChildren(found.element);
  if (held) found.element.focus({ preventScroll: true });
}

function about(one, latest) {
  const parts = [];
  if (one.reason) parts.push(made("p", one.reason));
  for (const open of latest?.open ?? []) parts.push(made("p", `${open.objects} objects to ${open.destination}: ${open.state}. ${open.reason}`));
  if (latest?.page) parts.push(made("a", "Page of the result", { href: `/api/series/${one.id}/report/${latest.id}`, target: "_blank", rel: "noopener" }));
  if (latest) parts.push(gate(latest.gate));
  return parts;
}

function buttons(one) {
  const box = made("div", "", { className: "buttons" }), said = made("div", "", { className: "said", role: "status" });
  const add = (what, text, role, body = () => ({}), danger = false) => {
    if (!me.roles.includes(role)) return;
    const button = made("button", text, { className: danger ? "danger" : "", name: what });
    button.addEventListener("click", async () => {
      if (danger && !confirm(`${text}: series ${one.id}?`)) return;
      said.textContent = await post(`/api/series/${one.id}/${what}`, body());
    });
    box.append(button);
  };
  add("resend", "Send again", "technologist");
  add("urgent", "Make urgent", "technologist");
  if (me.roles.includes("physicist")) {
    const rule = made("select", "", { ariaLabel: "Rule" }); // what was left alone has none before: a person chooses
    rule.append(new Option("rule as before", ""), ...me.rules.map((name) => new Option(name, name)));
    box.append(rule);
    const method = made("select", "", { ariaLabel: "Method" });
    method.append(new Option("as the rule says", ""), ...me.methods.map((name) => new Option(name, name)));
    box.append(method);
    add("redo", "Do again", "physicist", () => ({
      ...(method.value && { method: method.value }), ...(rule.value && { rule: rule.value }),
    }));
  }
  add("reject", "Reject", "physicist", () => ({}), true);
  add("purge", "Purge", "admin", () => ({}), true);
  return [box, said];
}
