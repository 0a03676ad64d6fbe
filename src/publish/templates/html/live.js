// Live cells: what answers is loaded when a knob is first touched, or the address has turned one.
const { assets } = document.currentScript.dataset;
let isLoading = false;
const load = () => {
  if (isLoading) return;
  isLoading = true;
  for (const src of assets.split(' ')) {
    const script = document.createElement('script');
    // In this order.
    Object.assign(script, { src, async: false });
    document.head.append(script);
  }
};
for (const form of document.querySelectorAll('form.knobs')) {
  form.hidden = false;
  for (const touch of ['focusin', 'pointerdown', 'input']) form.addEventListener(touch, load);
}
if (/^#[^=]+=/.test(location.hash)) load();
addEventListener('hashchange', () => /^#[^=]+=/.test(location.hash) && load());
