// What scripts add, and nothing that is needed: live updates, a clock that runs, keys.
"use strict";

(() => {
  const SOON_MS = 120_000;

  const span = (ms) => {
    let left = Math.max(0, Math.floor(ms / 1000));
    const parts = [];
    for (const [unit, seconds] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
      const count = Math.floor(left / seconds);
      left %= seconds;
      if (count) parts.push(count + unit);
    }
    return parts.slice(0, 2).join(" ") || "0s";
  };

  let asked = false;

  const tick = () => {
    for (const each of document.querySelectorAll("[data-left]")) {
      // By what the server says is left: this machine's clock may be wrong.
      each.ends ??= Date.now() + Number(each.dataset.left);
      const left = each.ends - Date.now();
      each.textContent = span(left);
      each.classList.toggle("soon", left < SOON_MS);
      if (left <= 0 && !asked) {
        asked = true;
        setTimeout(() => { asked = false; take([""]); }, 1500);
      }
    }
  };

  // Fetch this page anew and take over the parts that the changed requests concern. A form that
  // somebody may be writing in stays as long as what it is about is the same.
  const refresh = async (ids) => {
    const parts = [...document.querySelectorAll("[data-live]")].filter(
      (part) => part.dataset.live === "any" || ids.includes("") || ids.includes(part.dataset.live));
    if (!parts.length) return;
    let page;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) return;
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { return; }
    document.title = page.title;
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (!fresh || (fresh.dataset.keep !== undefined && fresh.dataset.keep === part.dataset.keep)) continue;
      const comment = part.querySelector("textarea")?.value;
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      const focusId = focused?.id || "";
      const focusHref = focused?.getAttribute("href") || "";
      part.replaceWith(fresh);
      const box = fresh.querySelector("textarea");
      if (box && comment) box.value = comment;
      const again = (focusId && document.getElementById(focusId))
        || (focusHref && [...fresh.querySelectorAll("a")].find((a) => a.getAttribute("href") === focusHref));
      if (again) again.focus({ preventScroll: true });
    }
    showKeys();
    tick();
  };

  // Changes that come in a bunch are one fetch, and no two fetches run at once.
  const waiting = new Set();
  let fetching = false;
  const take = (ids) => {
    for (const id of ids) waiting.add(id);
    if (fetching) return;
    fetching = true;
    setTimeout(async () => {
      const due = [...waiting];
      waiting.clear();
      await refresh(due);
      fetching = false;
      if (waiting.size) take([]);
    }, 100);
  };

  const showKeys = () => {
    for (const each of document.querySelectorAll(".keys")) each.hidden = false;
  };

  const move = (by) => {
    const links = [...document.querySelectorAll(".row-link")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
    links[next].focus();
    links[next].closest("li").scrollIntoView({ block: "nearest" });
  };

  const focus = (selector) => {
    const found = document.querySelector(selector);
    if (found) { found.focus(); found.scrollIntoView({ block: "nearest" }); }
  };

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    a: () => focus("button.approve"),
    d: () => focus("button.deny"),
    c: () => focus("#comment"),
    "/": () => focus("input[type=search]"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  document.addEventListener("submit", (event) => {
    // A second click while the first is on its way is no second vote.
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  const panel = document.getElementById("decision");
  const jump = document.querySelector(".to-decision");
  if (panel && jump && "IntersectionObserver" in window) {
    new IntersectionObserver(([seen]) => jump.classList.toggle("away", seen.isIntersecting)).observe(panel);
  }

  showKeys();
  tick();
  setInterval(tick, 1000);
  if (document.querySelector("[data-live]")) {
    const events = new EventSource("/events");
    events.addEventListener("change", (event) => take(JSON.parse(event.data)));
    events.addEventListener("open", () => document.documentElement.setAttribute("data-connected", "yes"));
    addEventListener("pagehide", () => events.close());
  }
})();
