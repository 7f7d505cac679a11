// One page of a listening test: player, questions, and the sending of the answer.
//
// All clips start at one instant and run together; switching crossfades their gains linearly, so
// that the gains always add up to one: switching between equal clips is inaudible by construction.
// Answers go to the server by POST with a key drawn once for each page; the same key is sent again until the
// server says what became of it. Nothing here builds HTML from text.

const FADE = 0.005;
const BINS = 200;

export function createMix(context, buffers, output) {
  const gains = buffers.map((_, i) => {
    const gain = context.createGain();
    gain.gain.value = i === 0 ? 1 : 0;
    gain.connect(output || context.destination);
    return gain;
  });
  let active = 0;
  let sources = [];
  return {
    active: () => active,
    start(when, offset, loop) {
      sources = buffers.map((buffer, i) => {
        const source = context.createBufferSource();
        source.buffer = buffer;
        if (loop) {
          source.loop = true;
          source.loopStart = loop[0];
          source.loopEnd = loop[1];
        }
        source.connect(gains[i]);
        source.start(when, offset);
        return source;
      });
      return sources[0];
    },
    stop() {
      for (const source of sources) {
        source.onended = null;
        try { source.stop(); } catch (error) { /* it has ended */ }
        source.disconnect();
      }
      sources = [];
    },
    switchTo(index) {
      active = index;
      const now = context.currentTime;
      const values = gains.map((g) => g.gain.value);
      gains.forEach((g, i) => {
        g.gain.cancelScheduledValues(now);
        g.gain.setValueAtTime(values[i], now);
        g.gain.linearRampToValueAtTime(i === index ? 1 : 0, now + FADE);
      });
    },
    disconnect() { for (const gain of gains) gain.disconnect(); },
  };
}

function make(tag, attributes, ...children) {
  const node = document.createElementNS
    ? document.createElement(tag) : null;
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "text") node.textContent = value;
    else if (key === "on") for (const [k, f] of Object.entries(value)) node.addEventListener(k, f);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A figure for step 1-9: the mouth and brows tell valence, the star in the chest and the eyes arousal.
function manikin(picture, step) {
  const x = (step - 5) / 4;
  const root = svg("svg", { viewBox: "0 0 60 76", "aria-hidden": "true", class: "cc-figure" });
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round" };
  root.append(svg("path", { ...line, d: "M6 74 V58 Q6 44 20 44 H40 Q54 44 54 58 V74" }));
  root.append(svg("circle", { ...line, cx: 30, cy: 22, r: 18 }));
  const valence = picture === "valence";
  const eye = valence ? 2 : 1 + 2.2 * ((step - 1) / 8);
  for (const cx of [23, 37]) root.append(svg("ellipse", { cx, cy: 18, rx: 2, ry: eye, fill: "currentColor" }));
  if (valence) {
    root.append(svg("path", { ...line, d: `M20 ${30 - 3 * x} Q30 ${30 + 9 * x} 40 ${30 - 3 * x}` }));
    // sad brows rise towards the middle, glad ones arch
    const inner = 12 + Math.min(0, x) * 2.5, outer = 12 - Math.min(0, x) * 2, arch = 12 - Math.max(0, x) * 4;
    root.append(svg("path", { ...line, d: `M18 ${outer} Q22 ${arch} 26 ${inner}` }));
    root.append(svg("path", { ...line, d: `M42 ${outer} Q38 ${arch} 34 ${inner}` }));
  } else {
    root.append(svg("path", { ...line, d: "M24 31 H36" }));
    const size = 2 + ((step - 1) / 8) * 11;
    const points = [];
    for (let i = 0; i < 16; i++) {
      const radius = i % 2 ? size * 0.45 : size;
      const angle = (i * Math.PI) / 8;
      points.push(`${30 + radius * Math.cos(angle)},${60 + radius * Math.sin(angle)}`);
    }
    root.append(svg("polygon", { points: points.join(" "), fill: "currentColor" }));
  }
  return root;
}

function buildPlayer(data, texts, onHeard) {
  const seconds = data.seconds;
  const player = { events: [], heard: data.slots.map(() => 0), ready: false };
  const bins = data.slots.map(() => new Uint8Array(BINS));
  let context = null, mix = null, buffers = [], playing = false;
  let startedAt = 0, offset = 0, last = 0, loop = null, looping = false, timer = null, gone = false, again = null;
  let sequence = data.sequence || 0;

  const log = (kind, slot, at) => {
    player.events.push({ sequence: sequence++, kind, slot, at_seconds: Math.round(at * 1000) / 1000 });
  };
  const play = make("button", { type: "button", class: "cc-play", disabled: true, text: texts.play });
  const clips = data.slots.map((slot, i) => make("button", {
    type: "button", class: "cc-clip", "aria-pressed": i === 0 ? "true" : "false",
    "aria-keyshortcuts": String(i + 1), text: slot.name, on: { click: () => choose(i) },
  }));
  const canvas = make("canvas", { width: 640, height: 88 });
  const wave = make("div", {
    class: "cc-wave", role: "slider", tabindex: "0", "aria-label": texts.position,
    "aria-valuemin": "0", "aria-valuemax": seconds.toFixed(1), "aria-valuenow": "0",
  }, canvas);
  const loopButton = make("button", {
    type: "button", class: "cc-loop", "aria-pressed": "false", title: texts.loop_help, text: texts.loop,
    on: { click: () => toggleLoop() },
  });
  const clock = make("span", { class: "cc-clock", text: "0.0 / " + seconds.toFixed(1) + " s" });
  const heardBars = data.slots.map((slot) => make("progress", { max: "100", value: "0", "aria-label": slot.name }));
  const heardText = make("span", { class: "cc-heard", role: "status" });
  const status = make("button", { type: "button", class: "cc-status", text: texts.loading, disabled: true,
    on: { click: () => load() } });
  const group = data.slots.length > 1
    ? make("div", { class: "cc-clips", role: "group", "aria-label": texts.clip },
        ...clips.map((c, i) => make("div", { class: "cc-clip-cell" }, c, data.mustHear > 0 ? heardBars[i] : null)))
    : (data.mustHear > 0 ? make("div", { class: "cc-single" }, heardBars[0]) : null);
  player.root = make("section", { class: "cc-player", "aria-label": texts.listen },
    status, group, wave, make("div", { class: "cc-controls" }, play, loopButton, clock, heardText),
    make("p", { class: "cc-keys", text: texts.keys }));

  const position = () => {
    if (!playing) return offset;
    let at = context.currentTime - startedAt + offset;
    if (looping) {
      const [a, b] = region();
      if (at > b) at = a + ((at - a) % (b - a));
    }
    return Math.max(0, Math.min(at, seconds));
  };
  const region = () => loop || [0, seconds];
  const active = () => (mix ? mix.active() : 0);

  function mark(from, to) {
    if (to < from) { mark(from, region()[1]); mark(region()[0], to); return; }
    const slot = active();
    // only bins that were heard whole count
    const first = Math.ceil((from / seconds) * BINS - 0.5), end = Math.ceil((to / seconds) * BINS - 0.5);
    for (let i = Math.max(0, first); i < Math.min(BINS, end); i++) bins[slot][i] = 1;
    const share = bins[slot].reduce((a, b) => a + b, 0) / BINS;
    player.heard[slot] = share * seconds;
    const needed = Math.max(data.mustHear, 1e-9);
    heardBars[slot].value = Math.min(100, Math.round((100 * player.heard[slot]) / needed));
    const all = player.heard.reduce((a, h) => a + Math.min(h, needed), 0) / (needed * player.heard.length);
    if (data.mustHear > 0) {
      const percent = Math.floor(100 * Math.min(1, all + 0.005));
      const text = texts.heard.replace("{percent}", String(percent));
      if (heardText.dataset.step !== String(Math.floor(percent / 25))) {
        heardText.dataset.step = String(Math.floor(percent / 25));
        heardText.textContent = text;
      }
    }
    onHeard();
  }
  player.complete = () => player.heard.every((h) => h >= data.mustHear - seconds / BINS - 1e-6);

  function tick() {
    if (!playing) return;
    const at = position();
    mark(last, at);
    last = at;
    draw();
    if (!looping && at >= seconds - 0.005) finish();
  }
  function finish() {
    mark(last, seconds);
    halt();
    offset = 0;
    log("end", active(), seconds);
    draw();
  }
  async function begin() {
    if (!player.ready || playing) return;
    if (context.state !== "running") await context.resume();
    if (offset >= seconds - 0.01) offset = 0;
    const when = context.currentTime + 0.02;
    mix.start(when, offset, looping ? region() : null);
    startedAt = when;
    last = offset;
    playing = true;
    play.textContent = texts.pause;
    log("play", active(), offset);
    timer = setInterval(tick, 40);
  }
  function halt() {
    if (!playing) return;
    clearInterval(timer);
    mix.stop();
    playing = false;
    play.textContent = texts.play;
  }
  function pause() {
    if (!playing) return;
    tick();
    const at = position();
    halt();
    offset = at;
    log("pause", active(), at);
  }
  function choose(index) {
    if (index >= data.slots.length || !mix) return;
    if (playing) tick();
    mix.switchTo(index);
    clips.forEach((c, i) => c.setAttribute("aria-pressed", i === index ? "true" : "false"));
    log("switch", index, position());
    draw();
  }
  function seek(to) {
    const was = playing;
    if (was) { tick(); halt(); }
    offset = Math.max(0, Math.min(to, seconds - 0.02));
    log("seek", active(), offset);
    draw();
    if (was) begin();
  }
  function toggleLoop(on) {
    const was = playing;
    if (was) pause();
    looping = on === undefined ? !looping : on;
    if (!looping) loop = null;
    else if (offset < region()[0] || offset > region()[1]) offset = region()[0];
    loopButton.setAttribute("aria-pressed", String(looping));
    log(looping ? "loop" : "loop-off", active(), region()[0]);
    draw();
    if (was) begin();
  }
  function draw() {
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(player.root);
    const { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    if (loop) {
      pen.fillStyle = style.getPropertyValue("--cc-region");
      pen.fillRect((loop[0] / seconds) * width, 0, ((loop[1] - loop[0]) / seconds) * width, height);
    }
    const peaks = buffers[active()] && buffers[active()].peaks;
    const at = position();
    if (peaks) {
      for (let x = 0; x < peaks.length; x++) {
        const done = (x / peaks.length) * seconds <= at;
        pen.fillStyle = style.getPropertyValue(done ? "--cc-accent" : "--cc-quiet");
        const h = Math.max(1, peaks[x] * (height - 4));
        pen.fillRect((x * width) / peaks.length, (height - h) / 2, Math.max(1, width / peaks.length - 1), h);
      }
    }
    pen.fillStyle = style.getPropertyValue("--cc-text");
    pen.fillRect(Math.round((at / seconds) * (width - 2)), 0, 2, height);
    wave.setAttribute("aria-valuenow", at.toFixed(1));
    wave.setAttribute("aria-valuetext", at.toFixed(1) + " s");
    clock.textContent = at.toFixed(1) + " / " + seconds.toFixed(1) + " s";
  }
  let dragFrom = null;
  const where = (event) => {
    const box = wave.getBoundingClientRect();
    return Math.max(0, Math.min(seconds, ((event.clientX - box.left) / box.width) * seconds));
  };
  wave.addEventListener("pointerdown", (event) => { dragFrom = where(event); wave.setPointerCapture(event.pointerId); });
  wave.addEventListener("pointerup", (event) => {
    if (dragFrom === null) return;
    const to = where(event), from = dragFrom;
    dragFrom = null;
    if (Math.abs(to - from) < Math.max(0.1, seconds / 50)) { seek(to); return; }
    loop = [Math.min(from, to), Math.max(from, to)];
    offset = loop[0];
    toggleLoop(true);
  });
  wave.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    seek(position() + step);
  });
  play.addEventListener("click", () => (playing ? pause() : begin()));
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tag = event.target.tagName, type = event.target.type;
    if (tag === "TEXTAREA" || tag === "SELECT" || (tag === "INPUT" && type !== "radio")) return;
    if (event.key === " " && tag !== "BUTTON" && tag !== "INPUT") { event.preventDefault(); playing ? pause() : begin(); }
    else if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (event.key === "l" || event.key === "L") toggleLoop();
    else if (tag !== "INPUT" && event.key === "ArrowLeft") seek(position() - 1);
    else if (tag !== "INPUT" && event.key === "ArrowRight") seek(position() + 1);
  };
  document.addEventListener("keydown", keys);

  async function load() {
    status.hidden = false;
    status.disabled = true;
    status.textContent = texts.loading;
    try {
      context = context || new AudioContext();
      const fetched = await Promise.all(data.slots.map(async (slot) => {
        const answer = await fetch(slot.url, { credentials: "same-origin", cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        return context.decodeAudioData(await answer.arrayBuffer());
      }));
      if (gone) return;
      buffers = fetched;
      for (const buffer of buffers) buffer.peaks = peaksOf(buffer, 160);
      mix = createMix(context, buffers);
      player.ready = true;
      play.disabled = false;
      status.hidden = true;
      draw();
    } catch (error) {
      if (gone) return;
      status.textContent = texts.load_failed;
      status.disabled = false;
      clearTimeout(again);
      again = setTimeout(() => { if (!gone && !player.ready && player.root.isConnected) load(); }, 3000);
    }
  }
  player.load = load;
  player.destroy = () => {
    gone = true;
    clearTimeout(again);
    document.removeEventListener("keydown", keys);
    halt();
    if (mix) mix.disconnect();
    if (context) context.close();
  };
  return player;
}

function peaksOf(buffer, columns) {
  const samples = buffer.getChannelData(0), size = Math.floor(samples.length / columns) || 1;
  const peaks = [];
  for (let c = 0; c < columns; c++) {
    let peak = 0;
    for (let i = c * size; i < (c + 1) * size && i < samples.length; i += 4) peak = Math.max(peak, Math.abs(samples[i]));
    peaks.push(peak);
  }
  const most = Math.max(...peaks, 1e-6);
  return peaks.map((p) => p / most);
}

function buildQuestions(data, texts, answers, onChange) {
  const form = make("div", { class: "cc-form" });
  let group = null, box = form, number = 0;
  for (const question of data.questions) {
    if ((question.group || null) !== group) {
      group = question.group || null;
      box = form;
      if (group) {
        box = make("div", { class: "cc-group", role: "group", "aria-label": group }, make("h3", { text: group }));
        form.append(box);
      }
    }
    const name = "q" + number++;
    box.append(question.kind === "text" || question.kind === "number" ? textField(question, name)
      : question.kind === "slider" ? slider(question) : choices(question, name));
  }
  return form;

  function textField(question, name) {
    const tag = question.kind === "text" ? "textarea" : "input";
    const field = make(tag, { id: "cc-" + name, rows: 2, maxlength: question.max,
      type: question.kind === "number" ? "number" : null, step: "any" });
    if (answers[question.id] !== undefined) field.value = answers[question.id];
    field.addEventListener("input", () => {
      const value = question.kind === "number" ? field.valueAsNumber : field.value;
      if (value === "" || Number.isNaN(value)) delete answers[question.id]; else answers[question.id] = value;
      onChange();
    });
    return make("div", { class: "cc-field", "data-question": question.id },
      make("label", { for: "cc-" + name, text: question.label }), field);
  }
  function slider(question) {
    const touched = answers[question.id] !== undefined;
    const value = make("output", { text: touched ? String(answers[question.id]) : "–" });
    const input = make("input", { type: "range", min: question.min, max: question.max, step: 1,
      "aria-label": question.label + ": " + question.group, value: touched ? answers[question.id] : 50 });
    const set = () => {
      answers[question.id] = Number(input.value);
      value.textContent = input.value;
      row.classList.remove("cc-untouched");
      input.removeAttribute("aria-valuetext");
      onChange();
    };
    input.addEventListener("input", set);
    input.addEventListener("pointerup", set);
    input.addEventListener("keydown", (e) => { if (e.key === "Enter") set(); });
    const marks = make("div", { class: "cc-marks", "aria-hidden": "true" },
      ...[...question.marks].reverse().map((m) => make("span", { text: m })));
    const row = make("div", { class: "cc-slider" + (touched ? "" : " cc-untouched"), "data-question": question.id },
      make("span", { class: "cc-slider-name", text: question.label }),
      make("div", { class: "cc-slider-body" }, input, marks), value);
    if (!touched) input.setAttribute("aria-valuetext", texts.slider_untouched);
    return row;
  }
  function choices(question, name) {
    const set = make("fieldset", { class: "cc-choices cc-" + question.kind, "data-question": question.id },
      make("legend", { text: question.label }));
    const row = make("div", { class: "cc-options", style: "--n:" + question.options.length });
    if (question.low) row.append(make("span", { class: "cc-end", text: question.low, "aria-hidden": "true" }));
    question.options.forEach((option, i) => {
      const input = make("input", { type: "radio", name: data.page + name, value: String(i) });
      if (question.low) input.setAttribute("aria-label", option.label + " / " + question.options.length +
        (i === 0 ? ", " + question.low : i === question.options.length - 1 ? ", " + question.high : ""));
      if (answers[question.id] === option.value) input.checked = true;
      input.addEventListener("change", () => { answers[question.id] = option.value; onChange(); });
      row.append(make("label", { class: "cc-option" }, input,
        question.picture ? manikin(question.picture, i + 1) : null, make("span", { text: option.label })));
    });
    if (question.high) row.append(make("span", { class: "cc-end", text: question.high, "aria-hidden": "true" }));
    set.append(row);
    return set;
  }
}

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
