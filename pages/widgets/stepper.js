// Buttons, slider and clock of a stepper. The clock ticks here; the server is asked for one step at
// a time, and for the next only when it has answered and the page is at rest.
const PATIENCE = { playing: 5000, asked: 800 };   // ms to wait for a page that is not at rest
const LOST = 15000;                               // ms until an answer is given up
const TICK = 80;
const SHAPES = { play: 'M4 2.5v11L13 8z', pause: 'M4 3h3v10H4zM9 3h3v10H9z' };

const now = () => performance.now();
const busy = () => document.querySelector('[data-testid=stApp]')
  ?.dataset.testScriptState === 'running';

function start(root) {
  const [range, output, speed] = ['input', 'output', 'select']
    .map(tag => root.querySelector(tag));
  const buttons = Object.fromEntries(
    [...root.querySelectorAll('button')].map(button => [button.dataset.go, button]));
  let data = { n: 1, place: 0, number: 0 }, send;
  let shown = 0, wanted = null, wantedAt = 0;      // the step on the slider; one yet to ask for
  let number = 0, sentAt = -Infinity;   // of the last request
  let playing = false, clock = null;

  const last = () => data.n - 1;
  const waiting = () => data.number < number && now() - sentAt < LOST;
  const inSight = () => !document.hidden && root.getClientRects().length > 0;

  function paint() {
    const [at, all] = [shown + 1, data.n].map(number => number.toLocaleString('en'));
    const text = `${data.label} ${at} of ${all}`;
    range.max = Math.max(last(), 1);
    range.value = shown;
    range.setAttribute('aria-valuetext', text);
    output.textContent = text;
    const none = data.n < 2;
    for (const each of [...Object.values(buttons), range, speed]) each.disabled = none;
    // Not `disabled`: a button that has the focus would lose it at the last step.
    for (const go of ['first', 'back']) buttons[go].setAttribute('aria-disabled', shown === 0);
    for (const go of ['next', 'last']) buttons[go].setAttribute('aria-disabled', shown === last());
    const name = playing ? 'Pause' : 'Play';
    buttons.play.setAttribute('aria-label', name);
    buttons.play.title = name;
    buttons.play.querySelector('path').setAttribute('d', SHAPES[playing ? 'pause' : 'play']);
  }

  function ask(step) {
    shown = Math.min(Math.max(step, 0), last());
    [wanted, wantedAt] = [shown, now()];
    paint();
    tick();
  }

  function play(on) {
    if (on === playing) return;
    playing = on;
    paint();
    if (on && shown === last()) ask(0);
    tick();
  }

  function tick() {
    if (playing && wanted === null && inSight() && !waiting()
        && now() - sentAt >= Number(speed.value)) {
      if (shown >= last()) play(false);
      else if (!busy() || now() - sentAt > PATIENCE.playing) {
        shown += 1;
        [wanted, wantedAt] = [shown, -Infinity];
        paint();
      }
    }
    if (wanted !== null && !waiting() && (!busy() || now() - wantedAt > PATIENCE.asked)) {
      number += 1;
      sentAt = now();
      send('asked', { place: wanted, number });
      wanted = null;
    }
    const needed = playing || wanted !== null;
    if (needed) clock ??= setInterval(tick, TICK);
    else rest();
  }

  function rest() {
    clearInterval(clock);
    clock = null;
  }

  const steps = { first: () => 0, back: () => shown - 1, next: () => shown + 1, last };
  for (const [go, button] of Object.entries(buttons)) {
    button.onclick = () => {
      if (go === 'play') play(!playing);
      else if (button.getAttribute('aria-disabled') !== 'true') {
        playing = false;
        ask(steps[go]());
      }
    };
  }
  range.oninput = () => {
    playing = false;
    ask(Number(range.value));
  };

  return {
    show(newData, newSend) {
      [data, send] = [newData, newSend];
      root.setAttribute('aria-label', data.label);
      range.setAttribute('aria-label', data.label);
      number = Math.max(number, data.number);      // this page was left, and entered again
      if (wanted === null && !waiting()) shown = data.place;
      shown = Math.min(shown, last());
      if (wanted !== null) wanted = Math.min(wanted, last());
      if (playing && last() === 0) playing = false;
      paint();
      if (clock) tick();
    },
    close() {
      playing = false;
      rest();
    },
  };
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.stepper');
  root.stepper ??= start(root);
  root.stepper.show(data, setStateValue);
  return root.stepper.close;
}
