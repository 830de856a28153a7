const at = (id) => document.getElementById(id);
at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ name: at("name").value, password: at("password").value });
  const answer = await fetch("/log-in", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (answer.ok) location.replace("/");
  else at("said").textContent = (await answer.json()).detail;
});
