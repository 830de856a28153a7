// What is asked of the node, and who asks.
export async function get(path) {
  const answer = await fetch(path);
  if (answer.status === 401) location.replace("/log-in");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail);
  return found;
}

export const me = await get("/api/me");

export async function post(path, body = {}) {
  const headers = { "content-type": "application/json", "x-csrf-token": me.csrf };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.status === 401) location.replace("/log-in");
  const found = await answer.json();
  return found.said ?? found.detail ?? "";
}
