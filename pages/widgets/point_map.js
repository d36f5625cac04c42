// Points are small pictures, placed in per cent of the field: a new place is one style, and the
// style sheet lets them glide there. Hover, arrow keys and the ring are handled here.
const SHAPES = {   // in a box of 12 x 12
  circle: 'M6 1a5 5 0 1 0 .01 0z', square: 'M2 2h8v8H2z', diamond: 'M6 0l6 6-6 6-6-6z',
  cross: 'M4 0h4v4h4v4H8v4H4V8H0V4h4z', 'triangle-up': 'M6 0l6 11H0z',
  x: 'M2 0l4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4z', 'triangle-down': 'M0 1h12L6 12z',
  star: 'M6 0l1.6 4.2 4.4.2-3.4 2.8 1.2 4.4L6 9.1l-3.8 2.5 1.2-4.4L0 4.4l4.4-.2z',
};
const NAME = 17;   // pixels that a name is high
const NEAR = 22;   // pixels around a point that belong to it

const svg = (tag, attributes) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};
function shape([, colour, name]) {
  const picture = svg('svg', { viewBox: '-1 -1 14 14', 'aria-hidden': 'true' });
  picture.append(svg('path', { d: SHAPES[name], fill: colour }));
  return picture;
}

function start(root) {
  const [field, legend, said] = ['.field', '.legend', '.said'].map(name => root.querySelector(name));
  let data, send, built, points = [], here = null, pointed = null;

  function build() {
    points = data.names.map((name, index) => {
      const point = document.createElement('div');
      point.className = 'point';
      const label = document.createElement('span');
      label.textContent = name;
      point.append(shape(data.legend[data.groups[index]]), label);
      return point;
    });
    field.replaceChildren(...points);
    legend.replaceChildren(...data.legend.map(entry => {
      const line = document.createElement('span');
      line.append(shape(entry), entry[0]);
      return line;
    }));
  }

  function dress() {
    points.forEach((point, index) => {
      const [across, down] = data.places[index];
      point.style.left = `${across}%`;
      point.style.top = `${down}%`;
      const classes = ['point'];
      if (across > 80) classes.push('left');
      if (index === data.chosen) classes.push('chosen');
      if (data.named.includes(index)) classes.push('named');
      if (index === (pointed ?? (field.matches(':focus-visible') ? here : null))) {
        classes.push('here');
      }
      point.className = classes.join(' ');
    });
    spread();
  }

  function spread() {   // names that would lie on each other give way downwards
    const wide = field.clientWidth / 100, high = field.clientHeight / 100, taken = [];
    if (data.chosen !== null) {   // the ring
      const [across, down] = data.places[data.chosen];
      taken.push([across * wide - 14, across * wide + 14, down * high - 12, down * high + 12]);
    }
    const shown = points.map((point, index) => index)
      .filter(index => index === data.chosen || data.named.includes(index))
      .sort((a, b) => data.places[a][1] - data.places[b][1]);
    shown.forEach(index => {
      const label = points[index].lastChild, width = label.offsetWidth;
      const [across, down] = data.places[index];
      const left = across * wide + (across > 80 ? -9 - width : 9);
      const own = index === data.chosen ? 1 : 0;   // its name may touch its own ring
      let top = down * high - NAME / 2;
      for (const [from, to, above, below] of taken.slice(own)) {
        if (left < to && from < left + width && top < below && above < top + NAME) top = below;
      }
      taken.push([left, left + width, top, top + NAME]);
      label.style.marginTop = `${top - down * high + NAME / 2}px`;
    });
  }

  const tell = index => `${data.names[index]}, ${data.legend[data.groups[index]][0]}`;
  function nearest(event) {
    const box = field.getBoundingClientRect();
    let best = null, least = NEAR;
    data.places.forEach(([across, down], index) => {
      const far = Math.hypot(across / 100 * box.width + box.left - event.clientX,
        down / 100 * box.height + box.top - event.clientY);
      if (far < least) [best, least] = [index, far];
    });
    return best;
  }
  function beside(right, below) {   // the nearest point on that side
    const { clientWidth: wide, clientHeight: high } = field;
    const [x, y] = data.places[here];
    let best = here, least = Infinity;
    data.places.forEach(([across, down], index) => {
      const [dx, dy] = [(across - x) / 100 * wide, (down - y) / 100 * high];
      const ahead = dx * right + dy * below, aside = Math.abs(dx * below) + Math.abs(dy * right);
      const far = ahead + 2 * aside;
      if (ahead > 0.01 && aside <= 3 * ahead && far < least) [best, least] = [index, far];
    });
    return best;
  }
  function choose(index) {
    if (index === null) return;
    here = index;
    data.chosen = index;
    data.named = [];
    dress();
    send('picked', index);
  }

  field.onpointermove = event => {
    const index = event.pointerType === 'touch' ? null : nearest(event);
    if (index !== pointed) { pointed = index; dress(); }
  };
  field.onpointerleave = () => { pointed = null; dress(); };
  field.onclick = event => choose(nearest(event));
  field.onfocus = () => { here ??= data.chosen ?? 0; dress(); };
  field.onblur = dress;
  field.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    here ??= data.chosen ?? 0;
    const side = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[
      event.key];
    if (side) {
      here = beside(...side);
      pointed = null;
      dress();
      said.textContent = tell(here);
    } else if (event.key === 'Enter' || event.key === ' ') choose(here);
    else return;
    event.preventDefault();
  };

  return (newData, newSend) => {
    [data, send] = [newData, newSend];
    field.style.height = `${data.height}px`;
    field.setAttribute('aria-label',
      `Map of points. ${data.alt} Arrow keys move, Enter chooses a point.`);
    const sign = JSON.stringify([data.names, data.groups, data.legend]);
    if (sign !== built) build();
    built = sign;
    if (here >= points.length) here = null;
    dress();
  };
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.map');
  root.show ??= start(root);
  root.show(data, setStateValue);
}
