// The course as a list of links. A plain click asks the server to change the page, which keeps what
// the learner has set up; any other click (a new tab, a saved link) follows the address.
export default function ({ data, parentElement, setTriggerValue }) {
  const nav = parentElement.querySelector('nav');
  const drawn = JSON.stringify(data.parts);
  if (nav.dataset.drawn !== drawn) {
    nav.dataset.drawn = drawn;
    nav.replaceChildren(...data.parts.flatMap(part));
  }
  nav.onclick = (event) => {
    const link = event.target.closest('a');
    const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !plain || event.button !== 0) return;
    event.preventDefault();
    setTriggerValue('chosen', link.dataset.slug);
    if (window.innerWidth < 768) {   // the menu covers a narrow page
      document.querySelector('[data-testid=stSidebarCollapseButton] button')?.click();
    }
  };
}

function part({ title, lessons }) {
  const list = element('ul', '', lessons.map(({ slug, title: name, icon, done, here }) => {
    const sign = element('span', icon);
    sign.className = 'icon';
    sign.ariaHidden = 'true';
    const link = element('a', '', [sign, element('span', name)]);
    link.href = slug === 'home' ? './' : slug;
    link.dataset.slug = slug;
    if (here) link.ariaCurrent = 'page';
    if (done) link.append(element('small', done));
    return element('li', '', [link]);
  }));
  if (!title) return [list];
  list.ariaLabel = title;
  return [element('p', title), list];
}

function element(tag, text, children = []) {
  const made = document.createElement(tag);
  made.append(text, ...children);
  return made;
}
