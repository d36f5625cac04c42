// Tokens as chips. They are built anew only when the tokens change; roles and levels are put on the
// chips that stand. What a chip says on hover and focus, and the light on its equals, is done here.
const LINK = 'inside-llms-link';   // an event: chips of this link, in this group, light up
const SPOKEN = { '·': 'space ', '↵': 'newline ', '→': 'tab ' };
const DEEPEST = 60;   // per cent of colour under a text that must stay readable

const element = (tag, className, text = '') =>
  Object.assign(document.createElement(tag), { className, textContent: text });

function start(root) {
  const [row, tip, more, legend] = ['row', 'tip', 'more', 'legend']
    .map(name => root.querySelector(`.${name}`));
  let data, send, ask, built, tokens = [], here = 0, lit = [];   // here: the chip that Tab comes to

  function build() {
    const parts = [];
    tokens = [];
    for (const each of data.groups) {
      const [text, count] = Array.isArray(each) ? each : [each, 1];
      const added = Array.from({ length: count }, (_, part) => token(text, part, count));
      if (count === 1) parts.push(added[0]);
      else {
        const group = element('span', 'group');
        const inner = element('span', 'parts');
        inner.append(...added);
        group.append(element('span', 'text', text), inner);
        parts.push(group);
      }
      if (text.endsWith('↵')) parts.push(element('span', 'break'));
    }
    row.replaceChildren(...parts);
    here = Math.min(here, Math.max(tokens.length - 1, 0));
  }

  function token(text, part, count) {
    const index = tokens.length, id = data.ids[index];
    const button = element('button', 'token');
    button.type = 'button';
    button.base = count > 1 ? 'token part' : 'token';
    if (count === 1) button.append(element('span', 'text', text));
    if (count > 1 || (data.show_ids && id !== null)) {
      button.append(element('small', '', id ?? `${part + 1}/${count}`));
    }
    const facts = [];
    if (count > 1) facts.push(data.parts[index]);
    if (id !== null) facts.push(`id ${id}`);
    facts.push(data.details[index] || `place ${data.first + index}`);
    button.text = `${count > 1 ? `part ${part + 1} of ${count} of ` : ''}"${text}"`;
    button.facts = facts;
    tokens.push(button);
    return button;
  }

  function dress() {
    const roles = [];
    for (const [first, last, number] of data.roles) {
      for (let place = first; place <= last; place += 1) roles[place - data.first] = number;
    }
    tokens.forEach((button, index) => {
      const [role, name] = data.legend[roles[index]] ?? [];
      const classes = [button.base];
      button.all = [...button.facts];
      if (role) { classes.push('role', role); button.all.push(name); }
      if (data.levels.length) {
        const level = data.levels[index];
        classes.push('level');
        if (level < 0) classes.push('below');
        button.style.setProperty('--level', `${DEEPEST * Math.abs(level) / (data.top || 1)}%`);
        button.all.push(`${level < 0 ? data.below_name : data.level_name} ${Math.abs(level)}`);
      }
      if (lit.includes(button)) classes.push('linked');
      button.className = classes.join(' ');
      const spoken = button.text.replace(/[·↵→]/g, sign => SPOKEN[sign]);
      button.setAttribute('aria-label', `token ${spoken}, ${button.all.join(', ')}`);
      if (data.selectable) {
        button.setAttribute('aria-pressed', data.first + index === data.selected);
      }
      button.tabIndex = index === here ? 0 : -1;
    });
  }

  function explainRoles() {
    const entries = data.legend.map(([role, name]) => {
      const entry = element('span', '');
      entry.append(element('span', `token role swatch ${role}`), name);
      return entry;
    });
    const sides = data.levels.length ? [[data.level_name, '']] : [];
    if (data.levels.length && data.below_colour) sides.push([data.below_name, ' below']);
    for (const [name, side] of sides) {
      const entry = element('span', '');
      entry.append(`${name}: 0`, element('span', `token swatch ramp${side}`), `${data.top}`);
      entries.push(entry);
    }
    legend.replaceChildren(...entries);
  }

  function follow() {   // scrolls the box, never the page, to where the first role begins
    const first = tokens[(data.roles[0]?.[0] ?? -1) - data.first];
    if (!first || row.scrollHeight <= row.clientHeight) return;
    const top = first.offsetTop, bottom = top + first.offsetHeight;
    if (top < row.scrollTop || bottom > row.scrollTop + row.clientHeight) row.scrollTop = top - 40;
  }

  function tell(link) {
    document.dispatchEvent(new CustomEvent(LINK, { detail: { group: data.group, link } }));
  }
  const linkOf = index => (data.links.length ? data.links : data.ids)[index];
  const onLink = ({ detail: { group, link } }) => {
    lit.forEach(button => button.classList.remove('linked'));
    lit = group === data.group && link !== null
      ? tokens.filter((_, index) => linkOf(index) === link) : [];
    lit.forEach(button => button.classList.add('linked'));
  };

  function explain(button) {
    tip.textContent = `${button.text}\n${button.all.join(' · ')}`;
    tip.hidden = false;
    const box = root.getBoundingClientRect(), at = button.getBoundingClientRect();
    const left = Math.min(at.left - box.left, box.width - tip.offsetWidth);
    Object.assign(tip.style,
      { left: `${Math.max(0, left)}px`, top: `${at.bottom - box.top + 7}px` });
    tell(linkOf(tokens.indexOf(button)) ?? null);
  }
  function hush() {
    if (tip.hidden) return;
    tip.hidden = true;
    tell(null);
  }

  function move(index) {
    if (!tokens[index]) return;
    tokens[here].tabIndex = -1;
    here = index;
    tokens[here].tabIndex = 0;
    tokens[here].focus();
  }
  function beside(direction) {   // the nearest chip in the row above or below
    const from = tokens[here].getBoundingClientRect();
    const middle = from.left + from.width / 2;
    let best = -1, least = Infinity;
    tokens.forEach((button, index) => {
      const to = button.getBoundingClientRect();
      const down = direction * (to.top + to.height / 2 - from.top - from.height / 2);
      const far = 20 * down + Math.abs(to.left + to.width / 2 - middle);
      if (down > from.height / 2 && far < least) [best, least] = [index, far];
    });
    return best;
  }

  const buttonOf = event => event.target.closest('button.token');
  row.onmouseover = event => (buttonOf(event) ? explain(buttonOf(event)) : hush());
  row.onmouseleave = hush;
  row.addEventListener('focusin', event => {
    if (!buttonOf(event)) return;
    tokens[here].tabIndex = -1;
    here = tokens.indexOf(buttonOf(event));
    tokens[here].tabIndex = 0;
    explain(tokens[here]);
  });
  row.addEventListener('focusout', hush);
  row.onscroll = hush;
  row.onclick = event => {
    const index = tokens.indexOf(buttonOf(event));
    if (index < 0 || !data.selectable) return;
    const place = data.first + index;
    if (data.kept) return ask('asked', place);
    data.selected = data.selected === place ? null : place;
    dress();
    send('selected', data.selected);
  };
  row.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !tokens.length) return;
    if (event.key === 'Escape' && !tip.hidden) hush();
    else {
      const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tokens.length - 1 }[
        event.key] ?? { ArrowDown: beside(1), ArrowUp: beside(-1) }[event.key];
      if (to === undefined) return;
      move(to);
    }
    event.preventDefault();
  };

  return {
    show(newData, newSend, newAsk) {
      [data, send, ask] = [newData, newSend, newAsk];
      row.setAttribute('aria-label', data.label);
      row.style.maxHeight = data.height ? `${data.height}px` : '';
      root.style.setProperty('--above-colour', data.level_colour ?? '');
      root.style.setProperty('--below-colour', data.below_colour ?? '');
      const { groups, ids, parts, details, links, first, show_ids: shown } = data;
      const sign = JSON.stringify([groups, ids, parts, details, links, first, shown]);
      if (sign !== built) build();
      built = sign;
      dress();
      explainRoles();
      [more.textContent, more.hidden] = [data.more, !data.more];
      follow();
      document.addEventListener(LINK, onLink);
    },
    close: () => document.removeEventListener(LINK, onLink),
  };
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector('.chips');
  root.chips ??= start(root);
  root.chips.show(data, setStateValue, setTriggerValue);
  return root.chips.close;
}
