// Brings plotly into the page, once, and draws every live chart with it.
// What it shows of the page's data, it shows as text or through plotly, never as HTML of its own.

const home = (window.insideLLMs ??= { waiting: new Map() });
const charts = new Set(); // boxes on the page; box.live holds what is known of each
let trouble = ""; // why there is no library, in a sentence

export default function ({ data, parentElement }) {
  // The element has nothing to show; as a row of the page it would leave a gap.
  const row = parentElement.closest('[data-testid="stElementContainer"]');
  if (row) row.style.display = "none";
  home.library ??= unpack(data).then(
    () => charts.forEach(paint),
    (error) => {
      trouble = error.message;
      home.library = null; // the next visit tries again
      charts.forEach(paint);
    },
  );
}

async function unpack(packed) {
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
  paint(box);
};

home.close = (box) => {
  if (!box.live) return;
  charts.delete(box);
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
  if (!live?.layout || live.held) return;
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
      const [, axis, end] = name.match(/^([xy]axis)\.range\[([01])\]$/) ?? [];
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
  const style = getComputedStyle(box);
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const [text, grid, ground] = ["text-color", "border-color", "background-color"].map(theme);
  const { layout, zoom } = live;
  const axis = (name) => ({
    ...layout[name],
    // fainter than the dashed lines of the figure
    gridcolor: /^#\w{6}$/.test(grid) ? `${grid}99` : grid,
    linecolor: grid,
    zerolinecolor: grid,
    ...(zoom[name]?.length === 2 && { range: [...zoom[name]] }),
    // plotly keeps the reader's ranges while this stays the same
    uirevision: `${layout.uirevision} ${live.resets}`,
  });
  return {
    ...layout,
    width: live.width,
    height: live.height,
    // The figure's own ground is clear; here plotly must know it, to set lines off against it.
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    // A finger that drags means to scroll the page.
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
    font: { ...layout.font, color: text, family: theme("font") },
    hoverlabel: {
      ...layout.hoverlabel,
      bgcolor: ground,
      bordercolor: grid,
      font: { color: text, family: theme("font") },
    },
    xaxis: axis("xaxis"),
    yaxis: axis("yaxis"),
    ...(layout.scene && { scene: { ...layout.scene, ...turned(live.plot) } }),
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
