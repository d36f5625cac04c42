// Bars that are buttons: one a token, as long as its probability. What is chosen goes to the server
// with the text's number, so that a click on bars that are out of date is known as such.
const element = (tag, className, text = '') =>
  Object.assign(document.createElement(tag), { className, textContent: text });

function bar([name, share, percent], index, most) {
  const button = element('button', 'bar');
  button.type = 'button';
  button.dataset.index = index;
  button.setAttribute('aria-label', `Add ${name.replace(/·/g, 'space ')}, ${percent}`);
  const track = element('span', 'track'), fill = element('span', 'fill');
  fill.style.setProperty('--share', share / most);
  track.append(fill, element('span', 'share', percent));
  button.append(element('span', 'name', name), track);
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.bars');
  const sign = JSON.stringify(data);
  root.style.setProperty('--role', data.colour);
  root.setAttribute('aria-label', data.label);
  if (root.dataset.sign !== sign) {
    const focused = root.contains(root.getRootNode().activeElement);
    const most = Math.max(...data.bars.map(each => each[1]), 1e-9);
    root.replaceChildren(
      ...data.bars.map((each, index) => bar(each, index, most)),
      element('p', 'rest', data.rest),
    );
    root.dataset.sign = sign;
    if (focused) root.querySelector('.bar')?.focus();   // the keyboard stays where it was
  }
  root.onclick = event => {
    const button = event.target.closest('.bar');
    if (button) setTriggerValue('chosen', [Number(button.dataset.index), data.number]);
  };
}
