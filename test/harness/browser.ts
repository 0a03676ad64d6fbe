/** A headless Chromium, and what is really to be seen in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { root } from './kernel';

/** Screenshots of the last run, to be looked at. */
export const artefacts = join(root, 'test', 'dist', 'screenshots');

/** A headless Chromium that talks to nobody by itself. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', // tests run as root in a container
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** What a page did that it should not have done. */
export class Watch {
  /** Addresses outside this machine. */
  readonly foreign: string[] = [];
  readonly errors: string[] = [];

  constructor(page: Page) {
    page.on('request', (request) => this.visit(request.url()));
    page.on('websocket', (socket) => this.visit(socket.url()));
    page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message));
    page.on('console', (message) => {
      // A network interface of this machine came or went: no page's doing.
      if (message.text().includes('net::ERR_NETWORK_CHANGED')) return;
      if (message.type() === 'error') this.errors.push(`${message.text()} (${message.location().url})`);
    });
  }

  private visit(url: string): void {
    const { protocol, hostname } = new URL(url);
    const local =
      /^(data|blob|file|about):$/.test(protocol) || /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
    if (!local) this.foreign.push(url);
  }
}

export interface Ink {
  width: number;
  height: number;
  /** Share of the pixels that have a colour: marks have, axes, labels and the background have not. */
  coloured: number;
  /** Different colours among them, rounded so that smoothed edges don't count. */
  colours: number;
}

/** What is really to be seen: a screenshot of the element, its pixels counted. */
export async function ink(element: Locator, file?: string): Promise<Ink & { png: Buffer }> {
  await element.scrollIntoViewIfNeeded();
  if (file) mkdirSync(artefacts, { recursive: true });
  const png = await element.screenshot({
    animations: 'disabled',
    ...(file ? { path: join(artefacts, file) } : {}),
  });
  const { width, height, pixels } = await decode(element.page(), png);
  const seen = new Map<number, number>();
  let coloured = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    if (Math.max(r, g, b) - Math.min(r, g, b) < 40) continue;
    coloured++;
    const colour = ((r >> 5) << 6) | ((g >> 5) << 3) | (b >> 5);
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  const area = width * height;
  return {
    width,
    height,
    coloured: coloured / area,
    colours: [...seen.values()].filter((count) => count > area / 1000).length,
    png,
  };
}

/** Share of the pixels that differ between two screenshots; 1 if their sizes do. */
export async function difference(page: Page, a: Buffer, b: Buffer): Promise<number> {
  const [left, right] = [await decode(page, a), await decode(page, b)];
  if (left.width !== right.width || left.height !== right.height) return 1;
  let differ = 0;
  for (let at = 0; at < left.pixels.length; at += 4) {
    const delta = (offset: number) => Math.abs(left.pixels[at + offset]! - right.pixels[at + offset]!);
    if (delta(0) + delta(1) + delta(2) > 60) differ++;
  }
  return differ / (left.pixels.length / 4);
}

/** The browser at hand is the PNG decoder; a page of its own, so that the other's security policy doesn't matter. */
async function decode(page: Page, png: Buffer): Promise<{ width: number; height: number; pixels: Buffer }> {
  const blank = await page.context().newPage();
  try {
    const { width, height, base64 } = await blank.evaluate(async (data) => {
      // This function runs in the browser, whose types this project doesn't load.
      // biome-ignore lint/suspicious/noExplicitAny: see above
      const { document, Image } = globalThis as any;
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data: bytes } = context.getImageData(0, 0, image.width, image.height);
      let binary = '';
      for (let at = 0; at < bytes.length; at += 0x8000)
        binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      return { width: image.width as number, height: image.height as number, base64: btoa(binary) };
    }, png.toString('base64'));
    return { width, height, pixels: Buffer.from(base64, 'base64') };
  } finally {
    await blank.close();
  }
}
