// The questions of a page; every answer starts empty.

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
