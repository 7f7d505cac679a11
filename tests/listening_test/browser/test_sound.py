"""Switching in a real Web Audio engine: equal clips null to silence, others do not click."""

from importlib.resources import files
from typing import Any

RATE = 44100

RENDER = """
const done = arguments[arguments.length - 1];
const [source, same] = [arguments[0], arguments[1]];
(async () => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { createMix } = await import(url);
  const rate = 44100, n = rate * 2;
  const context = new OfflineAudioContext(1, n, rate);
  const make = (frequency) => {
    const buffer = context.createBuffer(1, n, rate), data = buffer.getChannelData(0);
    for (let i = 0; i < n; i++) data[i] = 0.5 * Math.sin(2 * Math.PI * frequency * i / rate);
    return buffer;
  };
  const first = make(441), second = same ? make(441) : make(660);
  const mix = createMix(context, [first, second]);
  mix.start(0, 0, null);
  for (const [at, to] of [[0.5, 1], [0.503, 0], [1.0, 1], [1.5, 0]])
    context.suspend(at).then(() => { mix.switchTo(to); context.resume(); });
  const out = (await context.startRendering()).getChannelData(0);
  const original = first.getChannelData(0);
  let null_ = 0, jump = 0, other = 0;
  for (let i = 1; i < n; i++) {
    null_ = Math.max(null_, Math.abs(out[i] - original[i]));
    jump = Math.max(jump, Math.abs(out[i] - out[i - 1]));
  }
  for (let i = Math.round(1.1 * rate); i < 1.4 * rate; i++)
    other = Math.max(other, Math.abs(out[i] - second.getChannelData(0)[i]));
  return { null: null_, jump, other };
})().then(done, (error) => done({ error: String(error) }));
"""


def render(browser: Any, same: bool) -> dict[str, float]:
    source = files("concours.listening_test").joinpath("player.js").read_text(encoding="utf-8")
    browser.driver.get("about:blank")
    found: dict[str, float] = browser.driver.execute_async_script(RENDER, source, same)
    assert "error" not in found, found
    return found


def test_equal_clips_null_to_silence_across_switches(new_browser: Any) -> None:
    assert render(new_browser(), same=True)["null"] < 1e-6


def test_different_clips_switch_in_time_and_without_a_click(new_browser: Any) -> None:
    found = render(new_browser(), same=False)
    assert found["other"] < 1e-6
    # the steepest step of a 660 Hz tone of 0.5 is 0.047; a crossfade of 5 ms adds at most 0.0046
    assert found["jump"] < 0.06
