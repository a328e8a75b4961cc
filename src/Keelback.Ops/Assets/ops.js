// Fetches the page again now and then, and puts in what changed. Everything works without it.
(() => {
  const main = () => document.getElementById("main");
  const note = document.createElement("p");
  note.className = "stale";
  note.hidden = true;
  note.setAttribute("role", "status");
  document.body.append(note);
  let timer, updated = new Date();

  // What is typed or marked would be lost, and a button must not move under a finger.
  const held = () => window.getSelection()?.type === "Range"
    || document.activeElement?.matches("main :is(input, select, textarea, button)")
    || document.querySelector("main details[open] form");

  // Where the focus was, in words that find it on the page that comes.
  const focused = () => {
    const at = document.activeElement;
    if (!at?.closest("main")) return null;
    if (at.id) return `#${CSS.escape(at.id)}`;
    if (at.matches("details[id] > summary")) return `#${CSS.escape(at.parentElement.id)} > summary`;
    return at.matches("a[href]") ? `main a[href="${CSS.escape(at.getAttribute("href"))}"]` : null;
  };

  const swap = (old, next) => {
    if (next.innerHTML === old.innerHTML) return;
    const focus = focused();
    const open = new Set([...old.querySelectorAll("details[open][id]")].map(d => d.id));
    const scrolled = new Map([...old.querySelectorAll("[id]")].filter(e => e.scrollLeft || e.scrollTop).map(e => [e.id, [e.scrollLeft, e.scrollTop]]));
    next.querySelectorAll("details[id]").forEach(d => { if (open.has(d.id)) d.open = true; });
    old.replaceWith(next);
    scrolled.forEach(([left, top], id) => document.getElementById(id)?.scrollTo(left, top));
    if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  };

  // Answers why it could not; nothing when it could.
  const update = async () => {
    const using = "a form is open, or text is marked";
    if (held()) return using;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.redirected || answer.status === 401 || answer.status === 403) return "you are not signed in any more; load the page again";
      if (!answer.ok) return `the server answers ${answer.status}`;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (held()) return using;
      swap(main(), next);
      updated = new Date();
    } catch {
      return "the server does not answer";
    }
  };

  const again = () => {
    clearTimeout(timer);
    const every = Number(main()?.dataset.live);
    if (every > 0) timer = setTimeout(refresh, every);
  };

  const refresh = async () => {
    if (document.hidden) return again();
    const why = await update();
    note.hidden = !why;
    if (why) note.textContent = `Not updated since ${updated.toLocaleTimeString()}: ${why}.`;
    again();
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden && Number(main()?.dataset.live) > 0) refresh(); });
  again();
})();
