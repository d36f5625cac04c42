// The drawing of a transformer, or the list of its parts. What belongs together lights up together,
// in both; the picture is one stop of the Tab key, in which the arrow keys move.
const LINK = 'inside-llms-part';   // an event: this part, in this group, is pointed at
const LABEL = 25, ROW = 19, MOST_HEADS = 32;   // inside a box, as pages/figures/machine.py has it

const svg = (tag, attributes, text = '') => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};
const path = points => `M${points.map(point => point.join(' ')).join('L')}`;

function start(root) {
  const [picture, words] = ['svg', 'ol'].map(name => root.querySelector(name));
  let data, send, here = null, drawn = '';

  const boxes = () => [...picture.querySelectorAll('[role=button]')];
  const point = part => document.dispatchEvent(
    new CustomEvent(LINK, { detail: { group: data.group, part } }));
  function light({ detail: { group, part } }) {
    if (group !== data.group) return;
    for (const each of root.querySelectorAll('[data-part]')) {
      each.classList.toggle('lit', each.dataset.part === part);
    }
  }
  function choose(part) {
    data.opened = part;
    mark();
    send('part', part);
  }
  function mark() {
    for (const each of root.querySelectorAll('[aria-pressed]')) {
      each.setAttribute('aria-pressed', String(each.dataset.part === data.opened));
    }
    const all = boxes();
    const stop = all.find(each => each.dataset.node === here)
      ?? all.find(each => each.dataset.part === data.opened) ?? all[0];
    for (const each of all) each.setAttribute('tabindex', each === stop ? '0' : '-1');
  }
  function listen(each) {
    const part = each.dataset.part;
    each.onpointerenter = () => point(part);
    each.onpointerleave = () => point(null);
    each.onfocus = () => point(part);
    each.onblur = () => point(null);
    each.onclick = () => choose(part);
  }

  function list() {
    words.replaceChildren(...data.words.map(word => {
      const item = document.createElement('li');
      const button = Object.assign(document.createElement('button'),
        { type: 'button', textContent: word.title });
      Object.assign(button.dataset, { part: word.part, role: word.role });
      button.setAttribute('aria-pressed', 'false');
      listen(button);
      item.append(button, ` ${word.text}`);
      return item;
    }));
  }

  function draw() {
    const { nodes, edges, frames, width, height } = data.drawing;
    const parts = [svg('defs', {})];
    parts[0].innerHTML = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9"'
      + ' markerHeight="9" orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z"/></marker>';
    for (const frame of frames) {
      parts.push(svg('rect', { class: 'frame', x: frame.x, y: frame.y, width: frame.width,
        height: frame.height, rx: 10 }));
      parts.push(svg('text', { class: 'times', x: frame.x + frame.width - 10, y: frame.y + 18,
        'text-anchor': 'end' }, frame.text));
    }
    for (const edge of edges) {
      parts.push(svg('path', { class: `edge ${edge.kind}`, d: path(edge.points),
        'marker-end': 'url(#tip)' }));
    }
    for (const node of nodes) parts.push(shape(node));
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.style.setProperty('--wide', width);
    picture.setAttribute('aria-label', data.label);
    picture.replaceChildren(...parts);
    for (const each of picture.querySelectorAll('[data-part]')) listen(each);
  }

  function shape(node) {
    if (node.kind === 'text') {
      return svg('text', { class: 'end', x: node.x, y: node.y, 'text-anchor': 'middle',
        'dominant-baseline': 'central' }, node.text);
    }
    const group = svg('g', { class: node.kind, 'data-part': node.part,
      'data-role': data.roles[node.part] ?? '' });
    if (node.kind === 'plus') {
      group.append(svg('circle', { cx: node.x, cy: node.y, r: 11 }),
        svg('path', { d: `M${node.x - 6} ${node.y}h12M${node.x} ${node.y - 6}v12` }));
      return group;
    }
    const said = { role: 'button', 'data-node': node.id, 'aria-pressed': 'false',
      'aria-label': node.text };
    for (const [name, value] of Object.entries(said)) group.setAttribute(name, value);
    const [left, right] = [node.x + 12, node.x + node.width - 12];
    group.append(
      svg('rect', { x: node.x, y: node.y, width: node.width, height: node.height, rx: 6 }),
      svg('text', { class: 'name', x: left, y: node.y + LABEL }, node.text),
      svg('text', { class: 'count', x: right, y: node.y + LABEL, 'text-anchor': 'end' },
        data.counts[node.part] ?? ''));
    const shown = Math.min(node.heads, MOST_HEADS), each = (node.width - 24) / shown;
    for (let head = 0; head < shown; head += 1) {   // its heads, side by side
      group.append(svg('rect', { class: 'head', x: left + head * each, y: node.y + 35,
        width: Math.max(each - 2, 1), height: 7, rx: 1.5 }));
    }
    node.rows.forEach(([name, value], index) => {
      const y = node.y + node.top + ROW * index + 12;
      group.append(svg('text', { class: 'row', x: left, y }, name),
        svg('text', { class: 'row', x: right, y, 'text-anchor': 'end' }, value));
    });
    return group;
  }

  picture.addEventListener('focusin', event => {
    here = event.target.closest('[data-node]')?.dataset.node ?? here;
    mark();
  });
  picture.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = boxes(), at = all.findIndex(each => each.dataset.node === here);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1,
      Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[Math.min(Math.max(to, 0), all.length - 1)].focus();
    else if (event.key === 'Enter' || event.key === ' ') choose(all[at]?.dataset.part ?? null);
    else return;
    event.preventDefault();
  };

  return {
    show(newData, newSend) {
      [data, send] = [newData, newSend];
      const wanted = JSON.stringify({ ...data, opened: null });
      if (wanted !== drawn) {
        const focused = root.getRootNode().activeElement;
        const within = picture.contains(focused), part = words.contains(focused)
          ? focused.dataset.part : null;
        drawn = wanted;
        picture.parentElement.hidden = !data.drawing;
        words.hidden = !data.words;
        if (data.drawing) draw();
        if (data.words) list();
        if (within) boxes().find(each => each.dataset.node === here)?.focus();
        if (part) words.querySelector(`[data-part="${part}"]`)?.focus();
      }
      mark();
      document.addEventListener(LINK, light);
    },
    close: () => document.removeEventListener(LINK, light),
  };
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.machine');
  root.machine ??= start(root);
  root.machine.show(data, setStateValue);
  return root.machine.close;
}
