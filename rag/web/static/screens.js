/* Screens that are pages of their own, shown inside their tab: links and forms are followed in place.
   What comes is a whole page of this server, escaped there; its #screen is parsed as a document and
   adopted, never put together as text. */
"use strict";
(() => {
  const POLL_MS = 700;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  async function load(place, address, options = {}, quiet = false) {
    place.dataset.address = address;
    place.setAttribute("aria-busy", "true");
    let found = null;
    let where = "";
    try {
      const reply = await fetch(address, { credentials: "same-origin", ...options });
      where = new URL(reply.url).pathname;
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      found = page.getElementById("screen");
      if (where === "/login" || reply.status === 401) { window.location.assign("/login"); return; }
    } catch {
      found = null;
    }
    place.removeAttribute("aria-busy");
    if (!found) {
      const retry = element("button", { type: "button", class: "lx-button" }, "再试一次");
      retry.addEventListener("click", () => load(place, address));
      place.replaceChildren(element("p", { role: "alert" }, "没有打开：领学程序可能已经停止，请重新启动。"), retry);
      return;
    }
    place.replaceChildren(...document.adoptNode(found).childNodes);
    place.querySelectorAll("form.lx-upload").forEach((form) => upload(place, form));
    const poll = place.querySelector("[data-poll]");
    if (poll) setTimeout(() => { if (poll.isConnected) load(place, poll.dataset.poll, {}, true); }, POLL_MS);
    else settle(place, quiet);
  }

  // After an action the reader is told at the top what came of it.
  const refused = new WeakMap(); // place → lines of files that were not taken in
  function settle(place, quiet) {
    if (refused.has(place)) {
      place.prepend(element("ul", { class: "lx-told lx-wrong", role: "alert" }, ...refused.get(place)));
      refused.delete(place);
    }
    const count = place.querySelector("[data-notice]");
    const notice = document.querySelector("#notice .lx-notice span");
    if (count && notice) notice.textContent = count.dataset.notice;
    const said = place.querySelector(".lx-told");
    if (said && !quiet) said.scrollIntoView({ block: "nearest" });
  }

  function upload(place, form) {
    const input = form.querySelector("input[type=file]");
    const list = form.querySelector(".lx-uploads");
    const send = async (files) => {
      if (!files.length) return;
      input.disabled = true;
      let kept = 0;
      for (const file of files) kept += await one(form.getAttribute("action"), file, list);
      input.disabled = false;
      input.value = "";
      if (!kept) return;
      const faults = [...list.querySelectorAll(".lx-wrong")];
      if (faults.length) refused.set(place, faults);
      const body = new FormData();
      body.append("work", "add");
      await load(place, "/library/jobs", { method: "POST", body });
    };
    input.addEventListener("change", () => send([...input.files]));
    for (const kind of ["dragover", "dragleave", "drop"]) {
      form.addEventListener(kind, (event) => {
        event.preventDefault();
        form.classList.toggle("lx-over", kind === "dragover");
        if (kind === "drop") send([...event.dataTransfer.files]);
      });
    }
  }

  function one(action, file, list) {
    const bar = element("progress", { max: "1", value: "0", "aria-label": `上传 ${file.name}` });
    const said = element("span", {}, "正在上传");
    const line = element("li", {}, `${file.name} `, bar, " ", said);
    list.append(line);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const done = (ok, text) => {
        bar.remove();
        said.textContent = text;
        if (!ok) line.className = "lx-wrong";
        resolve(ok ? 1 : 0);
      };
      request.upload.addEventListener("progress", (event) => { if (event.total) bar.value = event.loaded / event.total; });
      request.addEventListener("load", () => {
        let reply = {};
        try { reply = JSON.parse(request.responseText); } catch { reply = {}; }
        const taken = request.status === 200 && !reply.error;
        done(taken, taken ? "已上传" : reply.error || "没有上传成功，请重试");
      });
      request.addEventListener("error", () => done(false, "没有上传成功：连接断了，请重试"));
      request.open("POST", action);
      const body = new FormData();
      body.append("file", file);
      request.send(body);
    });
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest(".lx-screen a.lx-go") : null;
    if (!link) return;
    event.preventDefault();
    load(link.closest(".lx-screen"), link.getAttribute("href"));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".lx-screen form.lx-form");
    if (!form || form.classList.contains("lx-leaves")) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter || undefined);
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    load(form.closest(".lx-screen"), form.getAttribute("action"), { method: "POST", body });
  });

  // A screen is read when its tab is first opened, and again each time the tab is chosen.
  const shown = new WeakSet();
  function look() {
    for (const place of document.querySelectorAll(".lx-screen")) {
      if (place.offsetParent === null) { shown.delete(place); continue; }
      if (shown.has(place)) continue;
      shown.add(place);
      if (!place.querySelector("[data-poll]")) load(place, `/${place.id.slice("at-".length)}`, {}, true);
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["style", "class", "hidden"] });
})();
