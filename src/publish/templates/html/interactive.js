// Puts Vega's live charts in the place of the pictures. Without eval, which the page's policy forbids.

// What a chart needs is in the page, and its links lead nowhere.
const refuse = () => Promise.reject(new Error('A chart on a page brings its data along.'));
const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };

for (const figure of document.querySelectorAll('figure')) {
  const spec = figure.querySelector('script[type="application/json"]');
  const picture = figure.querySelector('img');
  if (!spec || !picture) continue;
  const live = document.createElement('div');
  live.className = 'live';
  const view = new vega.View(vega.parse(JSON.parse(spec.textContent), null, { ast: true }), {
    expr: vega.expressionInterpreter,
    loader,
    logger: vega.logger(vega.None),
    renderer: 'svg',
    hover: true,
  });
  view
    .initialize(live)
    .runAsync()
    .then(() => {
      const svg = live.querySelector('svg');
      if (!svg.querySelector('.mark-group :is(path[d], text, image)')) return; // it could not be drawn
      // One description instead of a name for each of its parts.
      svg.setAttribute('aria-hidden', 'true');
      live.setAttribute('role', 'img');
      live.setAttribute('aria-label', picture.alt);
      picture.replaceWith(live);
    })
    .catch(() => {}); // the picture stays
}
