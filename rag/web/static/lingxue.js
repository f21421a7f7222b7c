/* The page's own behaviour: one delegated listener for chips, the evidence panel and copying.
   Loaded before Gradio's scripts. Never puts text together into HTML: the evidence comes
   escaped from /evidence/…, parsed as a document and adopted. */
"use strict";
(() => {
  // Gradio's own words (upload, clear…) follow the browser's language; ours are Chinese.
  Object.defineProperty(navigator, "language", { get: () => "zh-CN" });
  Object.defineProperty(navigator, "languages", { get: () => ["zh-CN"] });

  const narrow = window.matchMedia("(max-width: 900px)");
  let opener = null; // what has the focus back when the panel closes
  let wanted = 0; // the latest request wins

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function panel() {
    let aside = document.getElementById("panel");
    if (!aside) {
      const close = element("button", { type: "button", class: "lx-close", "aria-label": "关闭原文" }, "关闭 ✕");
      const body = element("div", { id: "panel-body", tabindex: "0", "aria-live": "polite" });
      const bar = element("div", { class: "lx-bar" }, element("strong", {}, "出处原文"), close);
      aside = element("aside", { id: "panel", "aria-label": "出处原文", hidden: "" }, bar, body);
      document.body.append(aside);
    }
    return aside;
  }

  function show(...content) {
    const aside = panel();
    aside.hidden = false;
    document.body.classList.add("lx-with-panel");
    aside.querySelector("#panel-body").replaceChildren(...content);
  }

  async function open(address) {
    const mine = ++wanted;
    show(element("p", { class: "lx-loading" }, "正在打开原文……"));
    let article = null;
    try {
      const reply = await fetch(address, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      article = page.getElementById("evidence");
    } catch {
      article = null;
    }
    if (mine !== wanted) return;
    if (!article) {
      show(element("p", { class: "lx-loading" }, "原文没有打开：领学程序可能已经停止。请重新启动后再点。"));
      return;
    }
    article.dataset.address = address;
    show(document.adoptNode(article));
    const quote = document.getElementById("quote");
    if (!quote) return;
    quote.scrollIntoView({ block: "center", behavior: "instant" });
    quote.focus({ preventScroll: true });
  }

  function close() {
    const aside = panel();
    if (aside.hidden) return;
    wanted++;
    aside.hidden = true;
    document.body.classList.remove("lx-with-panel");
    for (const chip of document.querySelectorAll(".lx-chosen")) chip.classList.remove("lx-chosen");
    if (opener && opener.isConnected) opener.focus();
  }

  function choose(link) {
    opener = link;
    for (const chip of document.querySelectorAll(".lx-chosen")) chip.classList.remove("lx-chosen");
    link.classList.add("lx-chosen");
  }

  function readable(message) {
    const copy = message.cloneNode(true);
    for (const part of copy.querySelectorAll(".lx-support, .lx-foot, .lx-badge, .lx-kind, button")) part.remove();
    for (const part of copy.querySelectorAll("p, li, br, h3, h4, div")) part.append("\n");
    return copy.textContent.replace(/[ \t]+/g, " ").replace(/\n\s*\n+/g, "\n").trim();
  }

  async function copy(button) {
    const message = button.closest(".lx-answer");
    if (!message) return;
    const text = readable(message);
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https the clipboard is closed; the old way still works.
      const box = element("textarea", { readonly: "" });
      box.value = text;
      document.body.append(box);
      box.select();
      done = document.execCommand("copy");
      box.remove();
    }
    const label = button.textContent;
    button.textContent = done ? "已复制" : "没有复制成";
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  // An opinion on an answer; of a useless one the reason is asked for.
  async function send(key, opinion, reason = "", comment = "") {
    const reply = await fetch("feedback", {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key, opinion, reason, comment }),
    });
    return reply.ok;
  }
  function mark(key, opinion) {
    for (const value of ["up", "down"]) {
      const button = document.getElementById(`j-${value}-${key}`);
      if (!button) continue;
      const given = value === opinion;
      button.classList.toggle("lx-given", given);
      button.setAttribute("aria-pressed", String(given));
      button.textContent = (given ? "✓ " : "") + (value === "up" ? "赞" : "踩");
    }
  }
  async function judge(button) {
    const [, value, key] = button.id.match(/^j-(up|down)-(.+)$/) || [];
    if (!key) return;
    const opinion = button.classList.contains("lx-given") ? "" : value;
    let said = {};
    if (opinion === "down") {
      said = await why();
      if (!said) return;
    }
    let kept = false;
    try {
      kept = await send(key, opinion, said.reason, said.comment);
    } catch {
      kept = false;
    }
    if (kept) mark(key, opinion);
    else button.textContent = "没有记下，请再点一次";
  }
  async function why() {
    let reasons = [];
    try {
      reasons = await (await fetch("feedback", { credentials: "same-origin" })).json();
    } catch {
      reasons = ["其他"];
    }
    const dialog = element("dialog", { class: "lx-dialog", "aria-labelledby": "why-title" });
    const form = element("form", { method: "dialog" }, element("h2", { id: "why-title" }, "这个回答哪里不好？"));
    const group = element("fieldset", {}, element("legend", { class: "lx-hidden" }, "原因"));
    for (const [number, reason] of reasons.entries()) {
      const radio = element("input", { type: "radio", name: "reason", value: reason });
      if (number === 0) radio.checked = true;
      group.append(element("label", {}, radio, ` ${reason}`));
    }
    const note = element("textarea", { rows: "2", maxlength: "500", "aria-label": "补充说明（可不填）", placeholder: "补充说明（可不填）" });
    const done = element("button", { value: "send", class: "lx-primary" }, "提交");
    const cancel = element("button", { value: "cancel", formnovalidate: "" }, "取消");
    form.append(group, note, element("div", { class: "lx-row" }, done, cancel));
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        const reason = form.querySelector("input:checked")?.value || "";
        resolve(dialog.returnValue === "send" ? { reason, comment: note.value } : null);
        dialog.remove();
      });
    });
  }

  // The open conversation stands in the address, so that a reload comes back to it.
  function followAddress() {
    const open = document.querySelector("#chat-links .lx-links")?.id.slice("open-".length);
    if (open === undefined) return;
    const address = new URL(window.location.href);
    if ((address.searchParams.get("c") || "") === open) return;
    if (open) address.searchParams.set("c", open);
    else address.searchParams.delete("c");
    window.history.replaceState(window.history.state, "", address);
    document.body.classList.remove("lx-history");
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = event.target instanceof Element ? event.target : event.target.parentElement;
    if (target.closest(".lx-close")) return close();
    const copier = target.closest(".lx-copy");
    if (copier) { event.preventDefault(); return copy(copier); }
    const judged = target.closest(".lx-judge");
    if (judged) return judge(judged);
    if (target.closest("#history-toggle")) return document.body.classList.toggle("lx-history");
    const link = target.closest('a[href^="#c-"], a.lx-open, #panel a.lx-more');
    if (!link) return;
    event.preventDefault();
    if (link.classList.contains("lx-more")) {
      const shown = link.closest("#evidence").dataset.address;
      return open(new URL(link.getAttribute("href"), new URL(shown, document.baseURI)).href);
    }
    const key = link.getAttribute("href");
    const source = key.startsWith("#c-") ? document.getElementById(key.slice(1))?.querySelector("a.lx-open") : link;
    if (!source) return;
    choose(link);
    return open(new URL(source.getAttribute("href"), document.baseURI).href);
  });

  // Gradio labels a message with its HTML source, which a screen reader would read out.
  function relabel(chat) {
    for (const part of chat.querySelectorAll('[data-testid="bot"][aria-label], [data-testid="user"][aria-label]')) {
      part.removeAttribute("aria-label");
    }
    const log = chat.querySelector('[role="log"]');
    if (log && log.getAttribute("aria-label") !== "对话") log.setAttribute("aria-label", "对话");
  }

  // A new question goes to the top of the chat, so that its answer is read from the beginning.
  // Gradio scrolls to the end a moment after each message; the question is held until that is over,
  // or until the reader scrolls.
  const HOLD_MS = 800;
  let asked = 0;
  let held = null;
  let answered = 0;
  function hold() {
    const log = held?.closest('[role="log"]');
    if (log) log.scrollTop += held.getBoundingClientRect().top - log.getBoundingClientRect().top - 8;
  }
  function follow(chat) {
    const questions = chat.querySelectorAll(".user-row");
    if (questions.length > asked) held = questions[questions.length - 1];
    asked = questions.length;
    const whole = chat.querySelectorAll(".bot-row .lx-answer:not(.lx-working)").length;
    if (whole > answered) {
      const done = held;
      setTimeout(() => { if (held === done) held = null; }, HOLD_MS);
    }
    answered = whole;
    hold();
  }
  document.addEventListener("scroll", hold, { capture: true, passive: true });
  for (const kind of ["wheel", "touchmove", "keydown"]) {
    document.addEventListener(kind, () => { held = null; }, { passive: true });
  }

  // On a phone a new outline stands below the form, out of sight.
  let outline = null;
  function bringOutline() {
    const latest = document.querySelector("#outline .lx-answer");
    if (latest && latest !== outline && narrow.matches) {
      document.getElementById("outline").scrollIntoView({ block: "start" });
    }
    outline = latest;
  }

  new MutationObserver(() => {
    const chat = document.getElementById("chat");
    if (!chat) return;
    relabel(chat);
    follow(chat);
    bringOutline();
    followAddress();
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label"] });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Tab" && narrow.matches && !panel().hidden && !panel().contains(document.activeElement)) {
      panel().querySelector(".lx-close").focus();
    }
  });
})();
