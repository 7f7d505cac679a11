// The player: all clips start at one instant and run together; switching crossfades their gains
// linearly, so that the gains always add up to one: switching between equal clips is inaudible by
// construction. The scripts player.js, form.js and page.js are one module, in this order. Nothing in
// them builds HTML from text.

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

function buildPlayer(data, texts, onHeard) {
  const seconds = data.seconds;
  const player = { events: [], heard: data.slots.map(() => 0), ready: false };
  const bins = data.slots.map(() => new Uint8Array(BINS));
  let context = null, mix = null, buffers = [], peaks = null, playing = false;
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
      if (data.wave) peaks = commonPeaks(buffers, 160);
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

// One picture for all clips of a page: their own would show which ones are copies.
function commonPeaks(buffers, columns) {
  const all = buffers.map((buffer) => peaksOf(buffer, columns));
  return all[0].map((_, i) => all.reduce((sum, peaks) => sum + peaks[i], 0) / all.length);
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
