"use strict";
// Makes the page's own forms and links work in place. Without it, the same forms and links load pages.
(() => {
  const log = document.getElementById("log");
  const status = document.getElementById("status");
  const panel = document.getElementById("passage");
  const desk = document.getElementById("desk");
  const field = document.getElementById("question");
  if (!log || !field) return;
  let opener = null;

  const say = (text) => { status.textContent = ""; requestAnimationFrame(() => { status.textContent = text; }); };

  const post = async (form, button) => {
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) body.set(button.name, button.value);
    // Not form.action: a button of that name stands in its way.
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
    return { status: answer.status, body: await answer.json().catch(() => ({})) };
  };

  const bottom = (turn) => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    turn.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  };

  const put = (html, row) => {
    const held = document.createElement("template");
    held.innerHTML = html.trim();
    const fresh = held.content.firstElementChild;
    const old = document.getElementById("r" + row);
    if (old && fresh) old.replaceWith(fresh);
    else if (fresh) log.append(fresh);
    return fresh;
  };

  const follow = (row) => {
    const stream = new EventSource("/events/" + row);
    const parts = [];
    stream.addEventListener("part", (event) => {
      const part = JSON.parse(event.data);
      parts[Number(part.n)] = part.html;
      const reply = document.querySelector("#r" + row + " .reply");
      if (!reply) return;
      reply.className = "reply arriving";
      reply.setAttribute("aria-busy", "true");
      reply.innerHTML = "<div class='words'>" + parts.map((html) => "<div class='part'>" + html + "</div>").join("") + "</div>";
    });
    stream.addEventListener("done", (event) => {
      stream.close();
      const turn = put(JSON.parse(event.data).html, row);
      if (turn) { turn.classList.add("fresh"); bottom(turn); }
      say(status.dataset.ready);
    });
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) say(status.dataset.lost); };
  };

  const ask = async (form, button) => {
    const composer = form.hasAttribute("data-composer");
    if (composer && !field.value.trim()) { field.focus(); return; }
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    try {
      const { status: code, body } = await post(form, button);
      if (code !== 200) { say(body.problem || status.dataset.lost); return; }
      document.getElementById("welcome")?.remove();
      document.getElementById("new").hidden = false;
      if (composer) { field.value = ""; grow(); }
      form.elements.key.value = body.key;
      const turn = put(body.html, body.row);
      if (turn) { turn.classList.add("fresh"); bottom(turn); }
      field.focus({ preventScroll: true });
      follow(body.row);
    } catch {
      say(status.dataset.lost);
    } finally {
      delete form.dataset.busy;
    }
  };

  const judge = async (form, button) => {
    const { status: code, body } = await post(form, button);
    if (code !== 200) return;
    const thanks = document.createElement("p");
    thanks.className = "thanks";
    thanks.tabIndex = -1;
    thanks.textContent = body.said;
    form.replaceWith(thanks);
    thanks.focus({ preventScroll: true });
  };

  const open = async (link) => {
    const [answer, n] = new URL(link.href).searchParams.get("open").split(".");
    const found = await fetch("/passages/" + answer + "/" + n);
    panel.innerHTML = await found.text();
    panel.hidden = false;
    desk.classList.add("reading");
    document.querySelectorAll(".cite[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    opener = link;
    (panel.querySelector("#opened") || panel).focus({ preventScroll: true });
    panel.querySelector("mark")?.scrollIntoView({ block: "nearest" });
    say(status.dataset.opened);
  };

  const close = () => {
    panel.hidden = true;
    desk.classList.remove("reading");
    opener?.removeAttribute("aria-current");
    (opener?.isConnected ? opener : field).focus({ preventScroll: true });
    opener = null;
    if (location.search) history.replaceState(null, "", "/");
  };

  const grow = () => { field.style.height = "auto"; field.style.height = Math.min(field.scrollHeight, 200) + "px"; };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("data-ask")) { event.preventDefault(); ask(form, event.submitter); }
    if (form.hasAttribute("data-feedback")) { event.preventDefault(); judge(form, event.submitter); }
  });
  document.addEventListener("click", (event) => {
    const cite = event.target.closest("[data-cite]");
    if (cite && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); open(cite); }
    if (event.target.closest("[data-close]")) { event.preventDefault(); close(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) close();
    if (event.target === field && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
  field.addEventListener("input", grow);
  document.querySelectorAll("[data-working]").forEach((turn) => follow(turn.dataset.row));

  // What is said unasked while the page is open: a person's answer, a reminder. The browser asks again by itself.
  const shown = [...log.querySelectorAll("[data-row]")].map((turn) => Number(turn.dataset.row));
  new EventSource("/arrivals?after=" + Math.max(0, ...shown)).addEventListener("said", (event) => {
    const said = JSON.parse(event.data);
    if (document.getElementById("r" + said.row)) return;
    document.getElementById("welcome")?.remove();
    document.getElementById("new").hidden = false;
    const turn = put(said.html, said.row);
    if (turn) { turn.classList.add("fresh"); bottom(turn); }
    say(status.dataset.ready);
  });
})();
