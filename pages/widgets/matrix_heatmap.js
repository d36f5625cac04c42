// A matrix on a canvas, in colours of some transparency, so that it suits light and dark; labels,
// numbers and frames lie over it as SVG. Hover and arrow keys are handled here.
const LABEL = '12px monospace', LINE = 14, AXIS = 20, PAD = 6;   // of labels, in pixels
const MOST = { cell: 46, label: 110, height: 620 };
const UNDER_TEXT = 0.6;   // the deepest colour under a number that must stay readable

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 4 + view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const word = new DataView(new ArrayBuffer(4));
  const length = head.rows.length * head.columns.length;
  head.values = Float32Array.from({ length }, (_, index) => {
    for (let part = 0; part < 3; part += 1) word.setUint8(part, bytes[start + 3 * index + part]);
    return word.getFloat32(0);
  });
  return head;
}

const svg = (tag, attributes, text = '') => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};
const exact = value => String(Number(value.toPrecision(4))).replace('-', '−');
function brief(value, most) {   // as many digits as the largest number of the scale lets matter
  if (Number.isInteger(value) && Math.abs(value) < 1000) return exact(value);
  if (most < 0.1 || Math.abs(value) >= 1000) {
    return value.toExponential(0).replace('-', '−').replace('e+', 'e').replace('e-', 'e−');
  }
  return value.toFixed(most < 10 ? 2 : most < 100 ? 1 : 0).replace('-', '−');
}

function start(root) {
  const [field, canvas, over, tip, scale, said] =
    ['.field', 'canvas', 'svg', '.tip', '.scale', '.said'].map(name => root.querySelector(name));
  const ink = canvas.getContext('2d');
  let data, send, box = {}, here = null, pointed = null;   // a cell is [row, column]

  const value = ([row, column]) => data.values[row * data.columns.length + column];
  const say = cell => {
    const number = value(cell);
    if (number === -Infinity) return data.masked;
    return Number.isNaN(number) ? 'no value' : number === Infinity ? '∞' : exact(number);
  };
  const describe = ([row, column]) => [`${data.names[0]} ${row}: ${data.rows[row]}`,
    `${data.names[1]} ${column}: ${data.columns[column]}`, say([row, column])];
  const x = column => box.left + Math.round(column * box.cell);
  const y = row => box.top + Math.round(row * box.cell);

  function measure() {   // what the labels leave is the cells'
    ink.font = LABEL;
    const widest = labels => Math.max(...labels.map(text => ink.measureText(text).width));
    const [rows, columns] = [data.rows.length, data.columns.length];
    const left = AXIS + Math.min(widest(data.rows), MOST.label, root.clientWidth / 4) + PAD;
    const cell = Math.min(
      MOST.cell, (root.clientWidth - left - 2) / columns, Math.max(MOST.height / rows, 3));
    const wide = widest(data.columns) + 4;
    const upright = wide <= cell;
    const top = LINE + PAD + (upright ? LINE : Math.min(wide, MOST.label));
    box = { left, top, cell: cell > 8 ? Math.floor(cell) : cell, upright };
    box.width = Math.round(columns * box.cell);
    box.height = Math.round(rows * box.cell);
  }

  function paint() {
    const sharp = window.devicePixelRatio || 1;
    canvas.width = box.width * sharp;
    canvas.height = box.height * sharp;
    Object.assign(canvas.style, { left: `${box.left}px`, top: `${box.top}px`,
      width: `${box.width}px`, height: `${box.height}px` });
    ink.scale(sharp, sharp);
    const gap = box.cell > 8 ? 1 : 0;
    data.values.forEach((number, index) => {
      const row = Math.floor(index / data.columns.length), column = index % data.columns.length;
      const [left, top] = [x(column) - box.left, y(row) - box.top];
      fill(number, left, top, x(column + 1) - box.left - left - gap,
        y(row + 1) - box.top - top - gap);
    });
  }

  function fill(number, left, top, width, height) {
    const [colour, grey] = data.colours;
    if (!Number.isFinite(number) && number !== Infinity) {
      ink.strokeStyle = grey;
      ink.globalAlpha = 0.6;
      ink.lineWidth = 1;
      ink.beginPath();
      if (Number.isNaN(number)) ink.rect(left + width / 2, top + height / 2, 1, 1);
      else for (let at = 4; at < width + height; at += 6) {   // a hatch, cut off at the cell
        ink.moveTo(left + Math.max(0, at - height), top + Math.min(at, height));
        ink.lineTo(left + Math.min(at, width), top + Math.max(0, at - width));
      }
      ink.stroke();
      return;
    }
    ink.globalAlpha = depth(number);
    ink.fillStyle = number < 0 && data.limits[0] === -data.limits[1] ? grey : colour;
    ink.fillRect(left, top, width, height);
    if (ink.fillStyle === grey.toLowerCase() && !texts() && height > 5) {
      ink.clearRect(left + 2, top + Math.floor(height / 2), width - 4, 1);   // a minus
    }
  }

  const texts = () => data.numbers && box.cell >= 34;
  function depth(number) {
    const [low, high] = data.limits;
    const part = low === -high ? Math.abs(number) / high : (number - low) / (high - low);
    return Math.min(Math.max(part, 0), 1) * (texts() ? UNDER_TEXT : 1);
  }

  function fit(text, room) {
    if (ink.measureText(text).width <= room) return text;
    let cut = [...text];
    while (cut.length && ink.measureText(`${cut.join('')}…`).width > room) cut.pop();
    return `${cut.join('')}…`;
  }

  function label() {
    const parts = [], every = Math.ceil(LINE / box.cell);
    const [cell, middle] = [data.cell ?? [], box.cell / 2];
    ink.font = LABEL;
    data.rows.forEach((text, row) => {
      if (row % every && row !== cell[0]) return;
      parts.push(svg('text', { x: box.left - PAD, y: y(row) + middle, 'text-anchor': 'end',
        'dominant-baseline': 'central', class: row === cell[0] ? 'on' : '' },
      fit(text, box.left - AXIS - PAD)));
    });
    data.columns.forEach((text, column) => {
      if (column % every && column !== cell[1]) return;
      const at = [x(column) + middle, box.top - PAD];
      const turned = { transform: `translate(${at}) rotate(-90)`, 'dominant-baseline': 'central' };
      const place = box.upright ? { x: at[0], y: at[1], 'text-anchor': 'middle' } : turned;
      parts.push(svg('text', { ...place, class: column === cell[1] ? 'on' : '' },
        fit(text, box.upright ? box.cell : box.top - LINE - PAD)));
    });
    parts.push(svg('text', { class: 'axis', x: box.left, y: 11 }, `${data.names[1]} →`));
    parts.push(svg('text', { class: 'axis', transform: `translate(11 ${box.top}) rotate(-90)`,
      'text-anchor': 'end' }, `← ${data.names[0]}`));
    if (texts()) {
      data.values.forEach((number, index) => {
        if (!Number.isFinite(number)) return;
        const row = Math.floor(index / data.columns.length), column = index % data.columns.length;
        parts.push(svg('text', { class: 'number', x: x(column) + middle, y: y(row) + middle },
          brief(number, Math.max(...data.limits.map(Math.abs)))));
      });
    }
    parts.push(svg('rect', { class: 'frame', x: box.left - .5, y: box.top - .5,
      width: box.width + 1, height: box.height + 1 }));
    return parts;
  }

  const outline = (kind, row, column, rows = 1, columns = 1) => svg('rect', { class: kind,
    x: x(column) - .5, y: y(row) - .5, width: x(column + columns) - x(column),
    height: y(row + rows) - y(row) });

  function mark() {
    over.querySelectorAll('.band, .chosen, .here').forEach(each => each.remove());
    if (data.cell) {
      const [row, column] = data.cell;
      over.append(outline('band', row, 0, 1, data.columns.length),
        outline('band', 0, column, data.rows.length, 1), outline('chosen', row, column));
    }
    const cell = pointed ?? (field.matches(':focus-visible') ? here : null);
    tip.hidden = !cell;
    if (!cell) return;
    over.append(outline('here', ...cell));
    tip.textContent = describe(cell).join('\n');
    const left = Math.min(x(cell[1]) + 4, root.clientWidth - tip.offsetWidth);
    Object.assign(tip.style, { left: `${Math.max(0, left)}px`, top: `${y(cell[0] + 1) + 8}px` });
  }

  function explainScale() {
    const [colour, grey] = data.colours, [low, high] = data.limits;
    const share = texts() ? 100 * UNDER_TEXT : 100;
    const deepest = `color-mix(in srgb, ${colour} ${share}%, transparent)`;
    const ramp = document.createElement('i');
    ramp.style.background = `linear-gradient(to right, ${low === -high ? `${grey}, ` : ''
    }transparent, ${deepest})`;
    const parts = [exact(low), ramp, exact(high)];
    const sign = (look, text) => {
      const shape = Object.assign(document.createElement('i'), { className: 'sign' });
      shape.style.background = look;
      const entry = document.createElement('span');
      entry.append(shape, text);
      parts.push(entry);
    };
    const hatch = `repeating-linear-gradient(135deg, transparent 0 4px, ${grey} 4px 5px)`;
    if (data.values.includes(-Infinity)) sign(hatch, data.masked);
    const dot = `radial-gradient(${grey} 1px, transparent 1.5px)`;
    if (data.values.includes(NaN)) sign(dot, 'no value');
    scale.replaceChildren(...parts);
  }

  function draw() {
    if (!root.clientWidth) return;   // not in sight yet
    measure();
    Object.assign(field.style,
      { width: `${box.left + box.width + 1}px`, height: `${box.top + box.height + 1}px` });
    over.setAttribute('width', box.left + box.width + 1);
    over.setAttribute('height', box.top + box.height + 1);
    paint();
    over.replaceChildren(...label());
    mark();
    explainScale();
  }

  function cellAt(event) {
    const at = field.getBoundingClientRect();
    const row = Math.floor((event.clientY - at.top - box.top) / box.cell);
    const column = Math.floor((event.clientX - at.left - box.left) / box.cell);
    return row in data.rows && column in data.columns ? [row, column] : null;
  }
  function choose(cell) {
    if (!cell) return;
    data.cell = String(cell) === String(data.cell) ? null : cell;
    here = cell;
    over.replaceChildren(...label());
    mark();
    send('cell', data.cell);
  }

  field.onpointermove = event => {
    const cell = event.pointerType === 'touch' ? null : cellAt(event);
    if (String(cell) !== String(pointed)) { pointed = cell; mark(); }
  };
  field.onpointerleave = () => { pointed = null; mark(); };
  field.onclick = event => choose(cellAt(event));
  field.onfocus = () => { here ??= data.cell ?? [0, 0]; mark(); };
  field.onblur = mark;
  field.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = here ?? [0, 0], [rows, columns] = [data.rows.length, data.columns.length];
    const to = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], Home: [row, 0],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], End: [row, columns - 1],
    }[event.key];
    if (to) {
      here = [Math.min(Math.max(to[0], 0), rows - 1), Math.min(Math.max(to[1], 0), columns - 1)];
      pointed = null;
      mark();
      said.textContent = describe(here).join(', ');
    } else if (event.key === 'Enter' || event.key === ' ') choose(here);
    else return;
    event.preventDefault();
  };

  const watcher = new ResizeObserver(draw);
  return {
    show(bytes, newSend) {
      [data, send] = [unpack(bytes), newSend];
      if (here && !(here[0] in data.rows && here[1] in data.columns)) here = null;
      field.setAttribute('aria-label',
        `Heatmap. ${data.alt} Arrow keys move, Enter chooses a cell.`);
      draw();
      watcher.observe(root);
    },
    close: () => watcher.disconnect(),
  };
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.heatmap');
  root.heatmap ??= start(root);
  root.heatmap.show(data, setStateValue);
  return root.heatmap.close;
}
