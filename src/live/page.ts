/** The page's part of its live cells: knobs, the kernel they are sent to, and what comes back. Loaded when a knob is first touched. */
import type { Order, Output, Report, Value } from './protocol';

/** A cell that takes longer is ended. */
const LIMIT_MS = 10_000;

interface Box {
  readonly id: string;
  readonly form: HTMLFormElement;
  readonly knobs: HTMLElement[];
  readonly status: HTMLElement;
  readonly stop: HTMLButtonElement;
  readonly outputs: HTMLElement;
  readonly original: readonly Node[];
}

class LivePage {
  readonly #boxes: Box[];
  /** A knob's name in the address, to its cell and name. */
  readonly #addresses = new Map<string, { box: Box; name: string }>();
  readonly #text: string;
  #kernel: Worker | undefined;
  #url = '';
  readonly #threads = new Map<number, Worker>();
  /** Outputs of live cells without knobs. */
  readonly #others: { readonly outputs: HTMLElement; readonly original: readonly Node[] }[];
  #number = 0;
  #timer = 0;
  #startedMs = 0;
  #waiting: string | undefined;
  #running: Box | undefined;
  #fresh = new Set<string>();

  constructor(page: string) {
    this.#text = `(${String(Reflect.get(globalThis, 'tslabLiveKernel'))}).call(self);globalThis.tslabLive={page:(p)=>self.tslabKernel.start(p)};${page}`;
    this.#boxes = [...document.querySelectorAll<HTMLFormElement>('form.knobs')].map((form) =>
      this.#box(form),
    );
    this.#others = [...document.querySelectorAll<HTMLElement>('.live-outputs')]
      .filter((outputs) => this.#boxes.every((box) => box.outputs !== outputs))
      .map((outputs) => ({ outputs, original: [...outputs.childNodes] }));
    addEventListener('popstate', () => this.#follow());
    addEventListener('hashchange', () => this.#follow());
    // What was turned while this was loading stays.
    for (const slider of document.querySelectorAll<HTMLInputElement>('.knob input[type=range]'))
      if (slider.value !== slider.defaultValue) twin(slider);
    const turned = this.#boxes.filter((box) => Object.keys(this.#changed(box)).length > 0);
    if (turned.length === 0) this.#follow();
    for (const box of turned) this.#run(box);
  }

  #box(form: HTMLFormElement): Box {
    const cell = form.closest('.cell')!;
    const outputs = cell.querySelector<HTMLElement>('.live-outputs')!;
    const box: Box = {
      id: form.dataset.cell!,
      form,
      knobs: [...form.querySelectorAll<HTMLElement>('.knob')],
      status: form.querySelector<HTMLElement>('[role=status]')!,
      stop: form.querySelector<HTMLButtonElement>('button.stop')!,
      outputs,
      original: [...outputs.childNodes],
    };
    for (const knob of box.knobs) {
      const name = knob.dataset.name!;
      this.#addresses.set(this.#addresses.has(name) ? `${box.id}.${name}` : name, { box, name });
    }
    form.addEventListener('input', (event) => {
      twin(event.target as HTMLInputElement);
      this.#run(box);
    });
    form.addEventListener('change', () => history.pushState(null, '', this.#address()));
    form.addEventListener('submit', (event) => event.preventDefault());
    form.querySelector('button.reset')!.addEventListener('click', () => {
      this.#end();
      for (const each of this.#boxes) this.#restore(each);
      for (const { outputs, original } of this.#others) outputs.replaceChildren(...original);
      history.pushState(null, '', location.pathname + location.search);
    });
    box.stop.addEventListener('click', () => {
      this.#end();
      this.#say(box, 'Stopped.');
    });
    return box;
  }

  #restore(box: Box): void {
    for (const knob of box.knobs) put(knob, read(knob, knob.dataset.value!)!);
    box.outputs.replaceChildren(...box.original);
    this.#say(box, '');
  }

  /** Knobs that are not as the page has them. */
  #changed(box: Box): Record<string, Value> {
    const changed: Record<string, Value> = {};
    for (const knob of box.knobs) {
      const value = knobValue(knob);
      if (value !== undefined && value !== read(knob, knob.dataset.value!))
        changed[knob.dataset.name!] = value;
    }
    return changed;
  }

  #address(): string {
    const parts = [...this.#addresses].flatMap(([key, { box, name }]) => {
      const value = this.#changed(box)[name];
      return value === undefined ? [] : [`${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`];
    });
    return location.pathname + location.search + (parts.length > 0 ? `#${parts.join('&')}` : '');
  }

  /** Takes the knobs from the address: what is no value of a knob is ignored. */
  #follow(): void {
    const given = new Map<string, string>();
    for (const part of location.hash.slice(1).split('&')) {
      const [key = '', text] = part.split('=');
      if (text === undefined) continue;
      try {
        given.set(decodeURIComponent(key), decodeURIComponent(text));
      } catch {
        // Not ours.
      }
    }
    const turned = new Set<Box>();
    for (const [key, { box, name }] of this.#addresses) {
      const knob = box.knobs.find((one) => one.dataset.name === name)!;
      const text = given.get(key);
      const value = (text === undefined ? undefined : read(knob, text)) ?? read(knob, knob.dataset.value!)!;
      if (value !== knobValue(knob)) turned.add(box);
      put(knob, value);
    }
    for (const box of turned) this.#run(box);
  }

  #knobs(): Record<string, Record<string, Value>> {
    return Object.fromEntries(
      this.#boxes.map((box) => [
        box.id,
        Object.fromEntries(
          box.knobs.map((knob) => [knob.dataset.name!, knobValue(knob) ?? read(knob, knob.dataset.value!)!]),
        ),
      ]),
    );
  }

  #run(box: Box): void {
    if (box.knobs.some((knob) => knobValue(knob) === undefined)) return; // half typed
    if (this.#running) {
      this.#waiting = box.id;
      return;
    }
    this.#running = box;
    this.#startedMs = performance.now();
    this.#fresh.clear();
    box.stop.hidden = false;
    this.#kernel ??= this.#start();
    const order: Order = { run: box.id, knobs: this.#knobs(), number: ++this.#number };
    this.#kernel.postMessage(order);
    this.#timer = window.setTimeout(() => {
      this.#end();
      this.#say(box, `Ended after ${LIMIT_MS / 1000} s: the cell takes too long for a page.`);
    }, LIMIT_MS);
  }

  #start(): Worker {
    this.#url ||= URL.createObjectURL(new Blob([this.#text], { type: 'text/javascript' }));
    const kernel = new Worker(this.#url, { name: 'kernel' });
    kernel.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
    kernel.onerror = (event) => {
      const box = this.#running;
      this.#end();
      if (box)
        this.#say(box, `The page's cells can't run here: ${event.message ?? 'no worker could be started'}.`);
    };
    return kernel;
  }

  /** Whatever runs is ended, with its threads. */
  #end(): void {
    clearTimeout(this.#timer);
    this.#kernel?.terminate();
    this.#kernel = undefined;
    for (const thread of this.#threads.values()) thread.terminate();
    this.#threads.clear();
    if (this.#running) this.#running.stop.hidden = true;
    this.#running = undefined;
    this.#waiting = undefined;
  }

  #hear(report: Report): void {
    if (report.what === 'thread') {
      const thread = new Worker(this.#url, { name: 'thread' });
      thread.postMessage(report.port, [report.port]);
      this.#threads.set(report.thread, thread);
      return;
    }
    if (report.what === 'unthread') {
      this.#threads.get(report.thread)?.terminate();
      this.#threads.delete(report.thread);
      return;
    }
    if (report.number !== this.#number || !this.#running) return;
    if (report.cell === '') {
      this.#done();
      return;
    }
    const box = this.#boxes.find(({ id }) => id === report.cell);
    const outputs =
      box?.outputs ??
      document.querySelector<HTMLElement>(`.live-outputs[data-cell="${CSS.escape(report.cell)}"]`);
    if (!outputs) return;
    if (!this.#fresh.has(report.cell)) {
      this.#fresh.add(report.cell);
      // So that nothing below jumps while the next picture is made.
      outputs.style.minHeight = `${outputs.offsetHeight}px`;
      outputs.replaceChildren();
    }
    if (report.what === 'output') show(outputs, report.output);
    else outputs.style.minHeight = '';
  }

  #done(): void {
    clearTimeout(this.#timer);
    const box = this.#running!;
    box.stop.hidden = true;
    this.#running = undefined;
    this.#say(box, `Answered in ${Math.round(performance.now() - this.#startedMs)} ms.`);
    const next = this.#boxes.find(({ id }) => id === this.#waiting);
    this.#waiting = undefined;
    if (next) this.#run(next);
  }

  #say(box: Box, sentence: string): void {
    box.status.textContent = sentence;
  }
}

/** The value that stands in a knob's fields; undefined where it is none. */
function knobValue(knob: HTMLElement): Value | undefined {
  const field = knob.querySelector<HTMLInputElement | HTMLSelectElement>('[data-field]')!;
  if (field instanceof HTMLInputElement && field.type === 'checkbox') return field.checked;
  return read(knob, field.value);
}

/** Text as a value of that knob's kind; undefined where it is none. */
function read(knob: HTMLElement, text: string): Value | undefined {
  switch (knob.dataset.kind) {
    case 'number': {
      const value = Number(text);
      return text.trim() === '' || !Number.isFinite(value) ? undefined : value;
    }
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    default: {
      const options = [...knob.querySelectorAll('option')].map(({ value }) => value);
      return options.includes(text) ? text : undefined;
    }
  }
}

function put(knob: HTMLElement, value: Value): void {
  const field = knob.querySelector<HTMLInputElement | HTMLSelectElement>('[data-field]')!;
  if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === true;
  else field.value = String(value);
  twin(field);
}

/** A number has a field and a slider; the slider goes over the values to try. */
function twin(changed: HTMLElement): void {
  const knob = changed.closest<HTMLElement>('.knob');
  const slider = knob?.querySelector<HTMLInputElement>('input[type=range]');
  const field = knob?.querySelector<HTMLInputElement>('input[type=number]');
  if (!knob || !slider || !field) return;
  const tries = knob.dataset.tries!.split(' ').map(Number);
  if (changed === slider) field.value = String(tries[Number(slider.value)]);
  else {
    const nearest = tries.reduce((a, b) =>
      Math.abs(b - Number(field.value)) < Math.abs(a - Number(field.value)) ? b : a,
    );
    slider.value = String(tries.indexOf(nearest));
  }
  slider.setAttribute('aria-valuetext', field.value);
}

/** What is wider than its box is a stop of the tab key, as on the rest of the page. */
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const box = target as HTMLElement;
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
});

const displays = new WeakMap<HTMLElement, Map<string, HTMLElement>>();

function show(outputs: HTMLElement, output: Output): void {
  if (output.kind !== 'data') {
    const last = outputs.lastElementChild;
    const kind = output.kind === 'stdout' ? 'output' : `output ${output.kind}`;
    if (last instanceof HTMLPreElement && last.className === kind) last.textContent += output.text;
    else {
      const text = document.createElement('pre');
      text.className = kind;
      text.textContent = output.text;
      outputs.append(text);
      boxes.observe(text);
    }
    return;
  }
  const element = elementOf(output.data);
  const known = displays.get(outputs) ?? new Map<string, HTMLElement>();
  displays.set(outputs, known);
  const before = output.id === undefined ? undefined : known.get(output.id);
  if (output.id !== undefined) known.set(output.id, element);
  if (output.update && before?.isConnected) before.replaceWith(element);
  else outputs.append(element);
  for (const box of [element, ...element.querySelectorAll('.scroll')])
    if (box.matches('pre, .scroll')) boxes.observe(box);
}

/** The text of our charts follows the page, also within a picture. */
const CHART_STYLE =
  '<style>:root{--chart-text:#3d444d;color:var(--chart-text)}@media(prefers-color-scheme:dark){:root{--chart-text:#d1d7e0}}</style>';

function elementOf(data: Readonly<Record<string, unknown>>): HTMLElement {
  const svg = data['image/svg+xml'];
  if (typeof svg === 'string') {
    const figure = document.createElement('figure');
    const box = document.createElement('div');
    box.className = 'scroll';
    const picture = document.createElement('img');
    picture.alt = String(data['text/plain'] ?? '');
    const size = /<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg);
    if (size) {
      picture.width = Math.round(Number(size[1]));
      picture.height = Math.round(Number(size[2]));
      picture.style.setProperty('--width', `${picture.width}px`);
    }
    picture.src = `data:image/svg+xml,${encodeURIComponent(svg.replace('>', `>${CHART_STYLE}`))}`;
    box.append(picture);
    figure.append(box);
    return figure;
  }
  const html = data['text/html'];
  if (typeof html === 'string') {
    const output = document.createElement('div');
    output.className = 'output html';
    const check = data['application/vnd.tslab-parallel.check+json'] as { verdict?: string } | undefined;
    if (check)
      output.classList.add(
        'check',
        check.verdict === 'held' ? 'held' : check.verdict === 'did not hold' ? 'missed' : 'open',
      );
    output.append(...cleaned(html));
    return output;
  }
  const text = document.createElement('pre');
  text.className = 'output';
  text.textContent = String(data['text/plain'] ?? '');
  return text;
}

const ALLOWED = new Set(
  'TABLE CAPTION THEAD TBODY TR TH TD P STRONG EM B I U CODE PRE BR DIV SPAN SMALL SUB SUP UL OL LI PROGRESS H3 H4'.split(
    ' ',
  ),
);

/** What a cell shows as HTML, without what could run, load or lead away. */
function cleaned(html: string): Node[] {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  for (const element of [...body.querySelectorAll('*')]) {
    if (!ALLOWED.has(element.tagName)) {
      if (/^(SCRIPT|STYLE|IFRAME|OBJECT|EMBED|TEMPLATE|NOSCRIPT)$/.test(element.tagName)) element.remove();
      else element.replaceWith(...element.childNodes);
      continue;
    }
    for (const { name, value } of [...element.attributes]) {
      const isKept =
        /^(colspan|rowspan|max|value|aria-label)$/.test(name) ||
        (name === 'style' && /^text-align:(left|right)$/.test(value));
      if (!isKept) element.removeAttribute(name);
    }
  }
  return [...body.childNodes];
}

Object.assign(globalThis, {
  tslabLive: { page: (cells: unknown) => new LivePage(`tslabLive.page(${String(cells)})`) },
});
