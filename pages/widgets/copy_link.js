// A button that copies the page's address, which holds the state of the page.
export default function ({ parentElement }) {
  const button = parentElement.querySelector('button');
  const said = parentElement.querySelector('[role=status]');
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      said.textContent = 'Copied.';
    } catch {
      said.textContent = 'Copy it from the address bar.';   // no permission, or no https
    }
    setTimeout(() => { said.textContent = ''; }, 3000);
  };
}
