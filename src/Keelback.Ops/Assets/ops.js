// Fetches the page again now and then, and puts in what changed. Everything works without it.
(() => {
  let timer;

  const busy = () => document.hidden || window.getSelection()?.type === "Range"
    || document.activeElement?.closest("main form, main details, main [tabindex]");

  const again = () => {
    clearTimeout(timer);
    const every = Number(document.getElementById("main")?.dataset.live);
    if (every > 0) timer = setTimeout(refresh, every);
  };

  const refresh = async () => {
    if (busy()) return again();
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.ok && !busy()) {
        const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
        const main = document.getElementById("main");
        if (next && next.innerHTML !== main.innerHTML) {
          const open = new Set([...main.querySelectorAll("details[open][id]")].map(d => d.id));
          const scrolled = new Map([...main.querySelectorAll("[id]")].filter(e => e.scrollLeft || e.scrollTop).map(e => [e.id, [e.scrollLeft, e.scrollTop]]));
          next.querySelectorAll("details[id]").forEach(d => { if (open.has(d.id)) d.open = true; });
          main.replaceWith(next);
          scrolled.forEach(([left, top], id) => document.getElementById(id)?.scrollTo(left, top));
        }
      }
    } catch { /* away for a moment: the page stays, and is tried again */ }
    again();
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  again();
})();
