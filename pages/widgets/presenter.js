// Arrow keys, Page Up and Down (which clickers send) and Escape, while a lesson is presented; and
// the speaker notes in a window of their own, for the screen that the audience does not see.
const KEYS = {
  ArrowRight: 'next', PageDown: 'next', ArrowLeft: 'back', PageUp: 'back', Escape: 'leave',
};
const TAKES_KEYS = 'input, textarea, select, [contenteditable=true], [role=slider], [role=radio],'
  + ' [role=tab], [role=grid], [role=listbox], [role=option], [data-arrow-keys]';
const STYLE = 'font: 1.4rem/1.5 sans-serif; max-width: 45rem; margin: 2rem auto; padding: 0 1rem;'
  + ' color-scheme: light dark; white-space: pre-line';

let notesWindow = null;
let listening = null;   // one handler a page load: Streamlit calls us again at every run

function takesKeys(event) {
  return event.composedPath().some(element => element.matches?.(TAKES_KEYS));
}

function showNotes({ title, notes, next }, onKey) {
  if (!notesWindow || notesWindow.closed) return;
  notesWindow.onkeydown = onKey;
  const { document: page } = notesWindow;
  page.title = 'Speaker notes';
  page.documentElement.style.colorScheme = 'light dark';
  page.body.style.cssText = STYLE;
  const parts = [['h1', title], ['p', notes], ['p', next ? `Next: ${next}` : 'The last section.']];
  page.body.replaceChildren(...parts.map(([tag, text]) =>
    Object.assign(page.createElement(tag), { textContent: text })));
}

export default function ({ data, parentElement, setTriggerValue }) {
  const onKey = event => {
    if (!parentElement.isConnected) return;   // the lesson is no longer presented
    const action = KEYS[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (takesKeys(event) && event.key.startsWith('Arrow')) return;   // a slider keeps its arrows
    event.preventDefault();
    event.stopPropagation();   // Page Up and Down, which clickers send, are ours even on a slider
    setTriggerValue('go', action);
  };
  parentElement.querySelector('button').onclick = () => {
    notesWindow = window.open('', 'inside-llms-notes', 'popup,width=700,height=600') ?? notesWindow;
    showNotes(data, onKey);
  };
  showNotes(data, onKey);
  document.removeEventListener('keydown', listening, true);
  document.addEventListener('keydown', onKey, true);
  listening = onKey;
  return () => document.removeEventListener('keydown', onKey, true);   // never a newer one
}
