// What a page can do better with a script. It reads well without one.
const wide = matchMedia('(min-width: 75em)');
const contents = document.querySelector('.contents details');
if (contents) {
  const follow = () => {
    contents.open = wide.matches;
  };
  follow();
  wide.addEventListener('change', follow);
  contents.addEventListener('click', (event) => {
    if (event.target.closest('a') && !wide.matches) contents.open = false;
  });
}

const { copy, copied } = document.body.dataset;
for (const block of document.querySelectorAll('.highlight')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = copy;
  button.ariaLive = 'polite';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.querySelector('pre').textContent);
    button.textContent = copied;
    setTimeout(() => {
      button.textContent = copy;
    }, 2000);
  });
  block.append(button);
}

// What is wider than its box can be scrolled with the keyboard, and only that is a stop of the tab key.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight)
      target.tabIndex = 0;
    else target.removeAttribute('tabindex');
  }
});
for (const box of document.querySelectorAll('pre, .scroll, .tables')) boxes.observe(box);

// Paper can't be unfolded.
addEventListener('beforeprint', () => {
  for (const fold of document.querySelectorAll('details.fold')) fold.open = true;
});
