// Merges what this session knows into the browser's storage, and reports what else lies there.
// Nothing new is no report: each one makes the server run the page again.
const KEY = 'inside_llms_progress';
let replaced = 0;   // number of the last command that this page load carried out

function stored() {
  try {
    const content = JSON.parse(localStorage.getItem(KEY));
    return content && typeof content.right === 'object' && content.right ? content : { right: {} };
  } catch {
    return { right: {} };
  }
}

function knows(write, next) {
  return next.last === write.last && Object.entries(next.right).every(
    ([lesson, ids]) => write.right[lesson] && ids.every((id) => write.right[lesson].includes(id)));
}

function merged(old, write) {
  const right = { ...old.right };
  for (const [lesson, ids] of Object.entries(write.right)) {
    const before = Array.isArray(right[lesson]) ? right[lesson] : [];
    right[lesson] = [...new Set([...before, ...ids])];
  }
  return { right, last: write.last || old.last || '' };
}

export default function ({ data, setStateValue }) {
  const { write, command } = data;
  let next = merged(stored(), write);
  if (command.number && command.number !== replaced) {
    next = { right: command.right, last: command.last };
    replaced = command.number;
  }
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch { /* storage is off or full: progress then lasts as long as the tab */ }
  const told = JSON.stringify({ ...next, number: replaced });
  if (!knows(write, next) && window.insideLlmsProgressTold !== told) {
    window.insideLlmsProgressTold = told;
    setStateValue('stored', { ...next, number: replaced });
  }
}
