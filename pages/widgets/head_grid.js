// All heads of a model as one picture; a head is chosen by mouse, or by arrow keys and Enter.
export default function ({ data, parentElement, setTriggerValue }) {
  const field = parentElement.querySelector('[role=application]');
  const said = parentElement.querySelector('[role=status]');
  const { rows, columns, chosen } = data;
  let here = chosen;
  const picture = field.querySelector('img');
  if (picture.src !== data.picture) picture.src = data.picture;
  field.ariaLabel = data.alt;
  field.style.aspectRatio = `${columns} / ${rows}`;
  field.style.maxWidth = `${data.tile * columns}px`;
  parentElement.querySelector('.columns').textContent = `${data.names[1]} 1 to ${columns} →`;
  parentElement.querySelector('.rows').textContent = `↓ ${data.names[0]} 1 to ${rows}`;

  const name = ([row, column]) => `${data.names[0]} ${row + 1}, ${data.names[1]} ${column + 1}`;
  const put = (mark, [row, column]) => Object.assign(mark.style, {
    left: `${100 * column / columns}%`, top: `${100 * row / rows}%`,
    width: `${100 / columns}%`, height: `${100 / rows}%`,
  });
  const [frame, cursor] = field.querySelectorAll('i');
  put(frame, chosen);
  const show = (cell) => {
    cursor.hidden = !cell;
    said.textContent = name(cell ?? chosen);
    if (cell) put(cursor, cell);
  };
  show(null);

  const under = (event) => {
    const box = field.getBoundingClientRect();
    const part = (at, size, count) => Math.min(count - 1, Math.max(0, Math.floor(at / size * count)));
    return [part(event.clientY - box.top, box.height, rows),
      part(event.clientX - box.left, box.width, columns)];
  };
  field.onpointermove = (event) => show(under(event));
  field.onpointerleave = field.onblur = () => show(null);
  field.onclick = (event) => setTriggerValue('asked', under(event));
  field.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === 'Enter' || event.key === ' ') setTriggerValue('asked', here);
    else if (step[event.key]) {
      const to = [here[0] + step[event.key][0], here[1] + step[event.key][1]];
      if (to[0] >= 0 && to[0] < rows && to[1] >= 0 && to[1] < columns) here = to;
      show(here);
    } else return;
    event.preventDefault();
  };
}
