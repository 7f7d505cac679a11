// One page: player, questions, and the sending of the answer. Answers go to the server by POST with
// a key drawn once for each page; it is sent until the server says what became of it.

function buildPage(parent, data, send) {
  const texts = data.texts;
  const stored = "concours:" + data.page;
  const answers = { ...data.draft };
  try { Object.assign(answers, JSON.parse(sessionStorage.getItem(stored) || "{}")); } catch (error) { /* private mode */ }
  const key = crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  let gone = false, sending = false, finished = false, timer = null, later = null, sent = 0;

  const notice = make("p", { class: "cc-notice", role: "status", "aria-live": "polite" });
  const other = make("div", { class: "cc-other", hidden: true, role: "alert" }, make("p", { text: texts.other_tab }),
    make("button", { type: "button", text: texts.use_here, on: { click: () => send("take", String(Date.now())) } }));
  const button = make("button", { type: "button", class: "cc-submit", text: data.submitText });
  const player = data.slots.length ? buildPlayer(data, texts, unlock) : null;
  const form = make("fieldset", { class: "cc-answers" }, buildQuestions(data, texts, answers, changed));
  const root = make("div", { class: "cc-page", "data-page": data.page, lang: data.language }, other,
    data.prompt ? make("blockquote", { class: "cc-prompt" }, make("strong", { text: texts.prompt + ": " }), data.prompt) : null,
    player ? player.root : null, form, notice, button);
  parent.replaceChildren(root);
  if (player) player.load();

  function unlocked() { return !player || data.mustHear <= 0 || player.complete(); }
  function unlock() {
    const open = unlocked();
    if (form.disabled === !open && root.dataset.built) return;
    form.disabled = !open;
    button.disabled = !open || sending || finished;
    if (!sending && !finished && data.mustHear > 0) say(open ? texts.unlocked : texts.must_hear, open ? "ok" : "wait");
    root.dataset.built = "1";
    root.dataset.unlocked = String(open);
  }
  function say(text, kind) { notice.textContent = text; notice.dataset.kind = kind; }
  function remember() { try { sessionStorage.setItem(stored, JSON.stringify(answers)); } catch (error) { /* private mode */ } }
  function forget() { try { sessionStorage.removeItem(stored); } catch (error) { /* private mode */ } }

  async function post(path, body) {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), 45000);
    try {
      const answer = await fetch(path, {
        method: "POST", credentials: "same-origin", signal: abort.signal,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ page: data.page, mac: data.mac, tab: parent.ccTab, ...body }),
      });
      if (answer.status === 429 || answer.status >= 500) throw new Error(String(answer.status));
      return await answer.json();
    } finally { clearTimeout(limit); }
  }
  function newEvents() { return player ? player.events.slice(sent, sent + 200) : []; }
  function changed() {
    remember();
    clearTimeout(timer);
    timer = setTimeout(saveDraft, 350);
  }
  async function saveDraft() {
    if (gone || sending || finished) return;
    const events = newEvents();
    try {
      const reply = await post("/api/draft", { answers, events });
      sent += events.length;
      other.hidden = reply.tab !== "other";
      if (reply.result === "saved") forget();
    } catch (error) { /* kept in this tab, and sent with the next change or the answer */ }
  }
  const beat = setInterval(() => {
    if (!root.isConnected) { clean(); return; }
    if (!document.hidden) saveDraft();
  }, 15000);

  async function submit() {
    if (sending || finished) return;
    const missing = data.questions.find((q) => q.required !== false && answers[q.id] === undefined);
    if (missing) {
      say(texts.missing.replace("{what}", (missing.group ? missing.group + " " : "") + missing.label), "error");
      const field = root.querySelector(`[data-question="${CSS.escape(missing.id)}"]`);
      field.scrollIntoView({ block: "center" });
      const input = field.querySelector("input, textarea");
      if (input) input.focus();
      return;
    }
    sending = true;
    button.disabled = true;
    clearTimeout(timer);
    say(texts.sending, "wait");
    const slow = setTimeout(() => { if (sending && !gone) say(texts.slow, "wait"); }, 2500);
    let reply;
    try {
      const events = newEvents();
      reply = await post("/api/submit", { key, answers, events, heard: player ? player.heard : [] });
      sent += events.length;
    } catch (error) {
      clearTimeout(slow);
      sending = false;
      if (gone) return;
      say(texts.failed, "error");
      button.disabled = false;
      remember();
      later = setTimeout(submit, 2500);
      return;
    }
    clearTimeout(slow);
    clearTimeout(later);
    sending = false;
    if (["stored", "repeated", "conflict"].includes(reply.result)) {
      finished = true;
      form.disabled = true;
      forget();
      say(reply.result === "conflict" ? texts.conflict : texts.saved, reply.result === "conflict" ? "error" : "ok");
      setTimeout(() => next(0), reply.result === "conflict" ? 2500 : 0);
      return;
    }
    button.disabled = false;
    say(reply.reason === "missing" ? texts.missing.replace("{what}", label(reply.what)) : texts[reply.reason] || texts.failed, "error");
  }
  function label(id) { const q = data.questions.find((x) => x.id === id); return q ? q.label : ""; }
  // The page is replaced once the server has shown the next one; a lost connection must not strand the rater.
  function next(times) {
    if (gone || !root.isConnected) return;
    if (times >= 3) { location.reload(); return; }
    send("next", key + ":" + times);
    setTimeout(() => next(times + 1), 6000);
  }
  button.addEventListener("click", submit);
  unlock();
  function clean() {
    gone = true;
    clearTimeout(timer);
    clearTimeout(later);
    clearInterval(beat);
    if (player) player.destroy();
  }
  return clean;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const host = parentElement.querySelector(".cc-host");
  // a restarted server gives the same page to a new session
  host.ccTab = data.tab;
  if (host.ccSignature !== data.signature) {
    if (host.ccClean) host.ccClean();
    host.ccSignature = data.signature;
    host.ccClean = buildPage(host, data, (name, value) => host.ccSend(name, value));
  }
  host.ccSend = setTriggerValue;
  return () => {
    // called before a rebuild too: tear down only when the page has left the document
    setTimeout(() => {
      if (!host.isConnected && host.ccClean) { host.ccClean(); host.ccClean = null; }
    }, 0);
  };
}
