/** The fan-out's rows of the target table, against its transports alone, built-in fetch and Python, in one run. */
import { Agent } from 'node:http';
import { fanOut } from 'tslab-parallel';
import { python, type Site, startSite } from 'tslab-parallel/handbook';
import { request, Agent as UndiciAgent } from 'undici';
import { type Contender, type Measured, measure, print, type Row, timed } from './harness';

/** `concurrency` loops that take the next address each: what one writes by hand. */
async function byHand(urls: readonly string[], concurrency: number, get: (url: string) => Promise<string>) {
  const pages: string[] = new Array(urls.length);
  let next = 0;
  const loop = async () => {
    while (next < urls.length) {
      const index = next++;
      pages[index] = await get(urls[index]!);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return pages;
}

const builtIn = async (url: string) => (await fetch(url)).text();
const bareUndici = (concurrency: number) => {
  const dispatcher = new UndiciAgent({ connections: concurrency });
  return async (url: string) => (await request(url, { dispatcher })).body.text();
};
async function bareNodeFetch() {
  const { default: nodeFetch } = await import('node-fetch');
  const agent = new Agent({ keepAlive: true });
  return async (url: string) => (await nodeFetch(url, { agent })).text();
}

const AIOHTTP = `
import aiohttp, asyncio, time

async def download(urls, concurrency):
    gate = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        async def page(url):
            async with gate, session.get(url) as response:
                return await response.text()
        start = time.perf_counter()
        pages = await asyncio.gather(*[page(url) for url in urls])
        return (time.perf_counter() - start) * 1000

await download(data["urls"], data["concurrency"])
`;
const REQUESTS = `
import requests, threading, time
from concurrent.futures import ThreadPoolExecutor

local = threading.local()
def page(url):
    if not hasattr(local, "session"): local.session = requests.Session()
    with local.session.get(url) as response:
        return response.text

start = time.perf_counter()
with ThreadPoolExecutor(data["concurrency"]) as pool:
    pages = list(pool.map(page, data["urls"]))
(time.perf_counter() - start) * 1000
`;
/** Milliseconds within the program: Python's start and imports don't count. */
async function inPython(program: string, site: Site, concurrency: number): Promise<number> {
  const { value } = await python(program, { input: { urls: site.urls, concurrency }, quiet: true });
  return value as number;
}

async function rows(): Promise<Row[]> {
  const slow = await startSite({ pages: 160, latencyMs: 50 });
  const fast = await startSite({ pages: 10_000, latencyMs: 0, bytes: 1000 });
  const nodeFetch = await bareNodeFetch();
  const fan = (site: Site, concurrency: number, transport: 'node-fetch' | 'undici'): Contender => ({
    name: `fanOut, ${transport}`,
    run: () => timed(() => fanOut(site.urls, { concurrency, transport })),
  });
  const hand = (name: string, site: Site, concurrency: number, get: (url: string) => Promise<string>) => ({
    name,
    run: () => timed(() => byHand(site.urls, concurrency, get)),
  });
  // Connections and compiled code are there before the first round.
  for (const transport of ['node-fetch', 'undici'] as const)
    await fanOut(slow.urls, { concurrency: 160, transport });

  const known = [5, 20].map(
    (concurrency): Row => ({
      name: `160 pages at 50 ms, ${concurrency} at once`,
      rounds: 5,
      contenders: [
        fan(slow, concurrency, 'node-fetch'),
        fan(slow, concurrency, 'undici'),
        hand('bare node-fetch', slow, concurrency, nodeFetch),
        hand('bare undici', slow, concurrency, bareUndici(concurrency)),
        hand('built-in fetch', slow, concurrency, builtIn),
        { name: 'Python aiohttp', rounds: 3, run: () => inPython(AIOHTTP, slow, concurrency) },
        { name: 'Python requests, threads', rounds: 3, run: () => inPython(REQUESTS, slow, concurrency) },
        {
          name: "ideal, of the site's own latency",
          run: async () => Math.ceil(160 / concurrency) * (await slow.stats()).meanMs,
        },
      ],
      targets: (['node-fetch', 'undici'] as const).map((transport) => ({
        text: `${transport} against the ideal`,
        figure: (ms) => ms(`fanOut, ${transport}`) / ms("ideal, of the site's own latency"),
        atMost: { 'node-fetch': [1.06, 1.12], undici: [1.05, 1.09] }[transport][concurrency === 5 ? 0 : 1]!,
      })),
    }),
  );
  return [
    ...known,
    {
      name: '160 pages at 50 ms, 160 at once, warm',
      rounds: 9,
      contenders: [
        fan(slow, 160, 'node-fetch'),
        hand('bare node-fetch', slow, 160, nodeFetch),
        fan(slow, 160, 'undici'),
        hand('bare undici', slow, 160, bareUndici(160)),
        hand('built-in fetch', slow, 160, builtIn),
      ],
      targets: (['node-fetch', 'undici'] as const).map((transport) => ({
        text: `${transport} against the same alone`,
        figure: (ms) => ms(`fanOut, ${transport}`) / ms(`bare ${transport}`),
        atMost: 1.1,
      })),
    },
    {
      name: '10,000 pages at 0 ms, 50 at once',
      rounds: 5,
      contenders: [
        fan(fast, 50, 'node-fetch'),
        hand('bare node-fetch', fast, 50, nodeFetch),
        fan(fast, 50, 'undici'),
        hand('bare undici', fast, 50, bareUndici(50)),
        hand('built-in fetch', fast, 50, builtIn),
        { name: 'Python aiohttp', rounds: 3, run: () => inPython(AIOHTTP, fast, 50) },
        { name: 'Python requests, 5 threads', rounds: 1, run: () => inPython(REQUESTS, fast, 5) },
      ],
      targets: [
        {
          text: 'node-fetch against the same alone',
          figure: (ms) => ms('bare node-fetch') / ms('fanOut, node-fetch'),
          atLeast: 0.95,
        },
        {
          text: 'undici against the same alone',
          figure: (ms) => ms('bare undici') / ms('fanOut, undici'),
          atLeast: 0.85,
        },
        {
          text: 'undici against aiohttp',
          figure: (ms) => ms('Python aiohttp') / ms('fanOut, undici'),
          atLeast: 1.7,
        },
      ],
    },
  ];
}

/** What is held while 100,000 pages of 1,000 bytes stream through `completed()`: the most beyond the start, in MiB. */
async function streaming(): Promise<void> {
  const site = await startSite({ pages: 1000, latencyMs: 0, bytes: 1000 });
  function* urls() {
    for (let page = 0; page < 100_000; page++) yield site.urls[page % 1000]!;
  }
  await fanOut(site.urls, { concurrency: 50, transport: 'undici' });
  const held = () => {
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  };
  const atFirst = held();
  let most = 0;
  let count = 0;
  const run = fanOut(urls(), { concurrency: 50, transport: 'undici', keep: false });
  for await (const _page of run.completed()) if (++count % 500 === 0) most = Math.max(most, held() - atFirst);
  await run;
  console.log(
    `\n100,000 pages through completed(): at most ${most.toFixed(0)} MiB more than at first, garbage included`,
  );
}

export async function benchFetch(only?: string): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const row of await rows()) {
    if (only && !row.name.includes(only)) continue;
    const result = await measure(row);
    print(result);
    measured.push(result);
  }
  if (!only || only === 'memory') await streaming();
  return measured;
}

if (require.main === module) benchFetch(process.argv[2]).then(() => process.exit(0));
