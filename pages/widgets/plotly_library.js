// Brings plotly into the page, once, and draws every chart with it.
// What it shows of the page's data, it shows as text or through plotly, never as HTML of its own.

const home = (window.insideLLMs ??= { waiting: new Map() });
const charts = new Set(); // boxes on the page; box.live holds what is known of each
let trouble = ""; // why there is no library, in a sentence
let packed; // the library, as it travels

export default function ({ data, parentElement }) {
  // The element has nothing to show; as a row of the page it would leave a gap.
  const row = parentElement.closest('[data-testid="stElementContainer"]');
  if (row) row.style.display = "none";
  packed = data;
  if ([...charts].some((box) => box.live.wanted)) load();
}

// --- when ---

// The library holds the browser up for most of a second, and each chart for a moment. So charts
// that the reader is about to see come first, when the words stand; all others when nothing else
// is to be done.
const REST = 1500; // milliseconds in which no chart has come
const about = { rootMargin: "50% 0px", scrollMargin: "50% 0px" };
const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) want(target);
}, about);
let resting;

function expect(box) {
  near.observe(box);
  clearTimeout(resting);
  resting = setTimeout(() => idle().then(wantAnother), REST);
}

async function wantAnother() {
  const box = [...charts].find((each) => !each.live.wanted);
  if (!box) return;
  want(box);
  await home.library;
  await idle();
  wantAnother();
}

function want(box) {
  near.unobserve(box);
  if (!box.live) return;
  box.live.wanted = true;
  if (packed) load();
  paint(box);
}

const idle = () =>
  new Promise((done) =>
    window.requestIdleCallback ? requestIdleCallback(done, { timeout: 2000 }) : setTimeout(done, 50),
  );

window.addEventListener("beforeprint", () => charts.forEach(want));

function load() {
  home.library ??= idle()
    .then(unpack)
    .catch((error) => {
      trouble = error.message;
      home.library = null; // the next chart tries again
    })
    .then(() => charts.forEach(paint));
}

async function unpack() {
  if (window.Plotly) return;
  if (!window.DecompressionStream) {
    throw new Error("This browser is too old to draw the chart; one from 2023 or later can.");
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(stream).blob();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const script = Object.assign(document.createElement("script"), { src: url });
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error("The chart could not be loaded; reload the page."));
    document.head.append(script);
  });
  URL.revokeObjectURL(url);
  script.remove();
}

// --- one chart ---

home.draw = (box, { figure, alt, height, pick }, send) => {
  const live = (box.live ??= open(box));
  live.send = pick ? send : null;
  const { data, layout } = JSON.parse(figure);
  if (live.layout?.uirevision !== layout.uirevision) live.zoom = {};
  Object.assign(live, { data, layout, height });
  box.setAttribute("aria-label", alt);
  box.style.height = `${height}px`; // held from the first moment on: the page must not jump
  if (live.wanted) paint(box);
  else expect(box);
};

home.close = (box) => {
  if (!box.live) return;
  charts.delete(box);
  near.unobserve(box);
  box.live.resizing.disconnect();
  box.live.listening.abort();
  const { plot } = box.live;
  if (plot) {
    window.Plotly.purge(plot);
    plot.emit = () => {}; // a label that plotly was about to show still asks for it
  }
  box.live = null;
};

function open(box) {
  charts.add(box);
  const listening = new AbortController();
  const resizing = new ResizeObserver(() => box.clientWidth !== box.live?.width && paint(box));
  resizing.observe(box);
  const live = { listening, resizing, zoom: {}, resets: 0, held: false };
  const { signal } = listening;
  // A new figure in the middle of a drag would take the zoom frame out of the reader's hand.
  box.addEventListener("pointerdown", () => (live.held = true), { signal, capture: true });
  for (const end of ["pointerup", "pointercancel"]) {
    const release = () => {
      if (!live.held) return;
      live.held = false;
      setTimeout(() => paint(box)); // after plotly has taken the new zoom in
    };
    window.addEventListener(end, release, { signal, capture: true });
  }
  return live;
}

function paint(box) {
  const { live } = box;
  if (!live?.wanted || live.held) return;
  if (!window.Plotly) return void say(box, trouble || "Loading the chart …");
  live.width = box.clientWidth;
  if (!live.width) return; // in a closed tab; the observer calls again
  const first = !live.plot;
  if (first) {
    live.plot = document.createElement("div");
    box.replaceChildren(live.plot);
  }
  window.Plotly.react(live.plot, live.data, dressed(box), {
    displayModeBar: false,
    showTips: false,
    doubleClick: false, // done below: plotly would go back to the axes of the first tick
  });
  if (first) listen(box);
}

function say(box, sentence) {
  const note = document.createElement("p");
  note.textContent = sentence;
  note.style.cssText = "margin:0;padding:1rem;opacity:.7";
  box.replaceChildren(note);
}

function listen(box) {
  const { live } = box;
  live.plot.on("plotly_relayout", (change) => {
    for (const [name, value] of Object.entries(change)) {
      const [, axis, end] = name.match(/^([xy]axis\d*)\.range\[([01])\]$/) ?? [];
      if (axis) (live.zoom[axis] ??= [])[end] = value;
    }
  });
  live.plot.on("plotly_click", ({ points }) => {
    if (live.send && points.length) live.send("picked", Number(points[0].x));
  });
  live.plot.on("plotly_doubleclick", () => {
    live.zoom = {};
    live.resets += 1;
    setTimeout(() => paint(box));
  });
}

// The figure's layout in the colours of the theme, and at what the reader has zoomed to.
function dressed(box) {
  const { live } = box;
  const { layout, zoom } = live;
  const axes = {};
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter(isAxis)])) {
    axes[name] = {
      ...layout[name],
      ...(zoom[name]?.length === 2 && { range: [...zoom[name]] }),
      // plotly keeps the reader's ranges while this stays the same
      uirevision: `${layout.uirevision} ${live.resets}`,
    };
  }
  return {
    ...layout,
    ...axes,
    width: live.width,
    height: live.height,
    // A finger that drags means to scroll the page.
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
    template: { layout: theme(box) },
    ...(layout.scene && { scene: { ...layout.scene, ...turned(live.plot) } }),
  };
}

const isAxis = (name) => /^[xy]axis\d*$/.test(name);

// What the course's figures have in common, for plotly to use where a figure says nothing.
function theme(box) {
  const style = getComputedStyle(box);
  const of = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const [text, line, ground] = ["text-color", "border-color", "background-color"].map(of);
  const grid = /^#\w{6}$/.test(line) ? `${line}99` : line; // fainter than a figure's dashes
  const font = { color: text, family: of("font"), size: 12 };
  const axis = { gridcolor: grid, linecolor: line, zerolinecolor: line, tickcolor: line };
  const title = { font: { ...font, size: 14 } };
  const colorbar = { outlinewidth: 0, thickness: 16, tickfont: font };
  return {
    font,
    // Clear would do for the eye; but plotly sets lines and words off against its ground.
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    colorway: of("chart-categorical-colors").split(","),
    hoverlabel: { bgcolor: ground, bordercolor: line, font, align: "left" },
    xaxis: { ...axis, title, showgrid: false, zeroline: false, automargin: true },
    yaxis: { ...axis, title, ticklabelstandoff: 4, automargin: true },
    legend: { font, bgcolor: "rgba(0,0,0,0)" },
    coloraxis: { colorbar },
    scene: Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((name) => [name, axis])),
  };
}

// A picture in space stays as the reader has turned it. What plotly keeps by itself is lost when a
// figure arrives before it has heard of the end of a drag.
function turned(plot) {
  const camera = plot?._fullLayout?.scene?._scene?.getCamera();
  return camera ? { camera } : {};
}

// --- charts that were here first ---

for (const call of home.waiting.values()) home.draw(...call);
home.waiting.clear();
