import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { checkOptions, checkWhole, refuse } from '../../helper/arguments';
import { toRequest } from '../../helper/fetch/options';
import { FAILURES, type Failure, planFailures, type SiteOptions } from './page';
import type { FromSite, SiteStats, ToSite } from './site-process';

const DEFAULTS: Required<SiteOptions> = {
  pages: 160,
  hosts: 2,
  latencyMs: 50,
  jitterMs: 0,
  bytes: 10_000,
  failures: 0,
  recoversAfter: Number.MAX_SAFE_INTEGER,
  seed: 1,
};

/** Web sites to download from: local ones in a process of their own, or the real ones that `SITES` names. */
export interface Site {
  /** All pages, the hosts in turn, as in the documents: the first host's first page, the second's first, … */
  readonly urls: string[];
  /** Addresses of the hosts, such as `http://127.0.0.1:34567`. */
  readonly hosts: string[];
  /** How each of the failing pages fails, by its address. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** What the site has done so far, all hosts together. Rejects for real sites, which don't tell. */
  stats(): Promise<SiteStats>;
  /** Ends the site. Not a duty: it ends with the kernel. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts web sites of known latency on this machine, in a process of their own, on free ports of 127.0.0.1: something
 * to download from without the internet, the same each time. The process ends with the kernel, however that ends.
 *
 * @example
 * const site = await startSite({ pages: 160, latencyMs: 50 });
 * await fanOut(site.urls, { concurrency: 20 });
 *
 * With the environment variable `SITES=https://…,https://…` nothing is started: the pages are those addresses in turn,
 * so a notebook runs on real sites unchanged. Only sites that are to fail (`failures`) stay local.
 *
 * @throws TypeError for a bad option, or for addresses in `SITES` that are none; Error when the process can't be started
 */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const checked = check(options);
  if (process.env.SITES && planFailures(checked).size === 0) {
    return new RealSites(process.env.SITES, checked.pages);
  }
  const child = fork(join(__dirname, 'site-process.js'), [], {
    // A group of its own: the stop button's SIGINT goes to the kernel's group.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const site = new LocalSite(child, checked);
  try {
    await site.start();
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return site;
}

class LocalSite implements Site {
  urls: string[] = [];
  hosts: string[] = [];
  failures: ReadonlyMap<string, Failure> = new Map();
  readonly #child: ChildProcess;
  readonly #options: Required<SiteOptions>;
  readonly #calls = new Map<number, { resolve: (message: never) => void; reject: (error: Error) => void }>();
  readonly #exited: Promise<void>;
  #lastCall = 0;

  constructor(child: ChildProcess, options: Required<SiteOptions>) {
    this.#child = child;
    this.#options = options;
    this.#exited = new Promise((resolve) => {
      const ended = (why: string) => {
        for (const { reject } of this.#calls.values()) reject(new Error(why));
        this.#calls.clear();
        resolve();
      };
      child.once('error', (error) => ended(`The site's process could not be started: ${error.message}`));
      child.once('exit', (code, signal) => ended(`The site has ended (${signal ?? `exit code ${code}`}).`));
    });
    child.on('message', (message: FromSite) => {
      const id = 'stats' in message ? message.stats : 0;
      const call = this.#calls.get(id);
      if ('error' in message) call?.reject(new Error(`The site could not be started: ${message.error}`));
      else call?.resolve(message as never);
    });
  }

  async start(): Promise<void> {
    const { urls } = await this.#call<Extract<FromSite, { urls: unknown }>>(0, { start: this.#options });
    const { pages, hosts } = this.#options;
    const plan = planFailures(this.#options);
    const byUrl = new Map<string, Failure>();
    this.hosts = urls.hosts;
    this.urls = Array.from({ length: pages }, (_, page) => {
      const failure = plan.get(page);
      const host =
        failure === 'unknownHost'
          ? `http://page-${page}.invalid` // a name that never resolves (RFC 6761)
          : failure === 'refused'
            ? urls.closed
            : failure === 'badCertificate'
              ? urls.secure
              : urls.hosts[page % hosts];
      const url = `${host}/page/${page}`;
      if (failure) byUrl.set(url, failure);
      return url;
    });
    this.failures = byUrl;
    this.#child.unref();
    this.#child.channel?.unref();
  }

  async stats(): Promise<SiteStats> {
    const id = ++this.#lastCall;
    return (await this.#call<Extract<FromSite, { stats: number }>>(id, { stats: id })).are;
  }

  /** Sends a message and waits for the answer; only while it waits is the program kept from ending. */
  async #call<M>(id: number, message: ToSite): Promise<M> {
    if (!this.#child.connected) throw new Error('The site has ended.');
    this.#child.channel?.ref();
    try {
      return await new Promise<M>((resolve, reject) => {
        this.#calls.set(id, { resolve, reject });
        this.#child.send(message, (error) => error && reject(error));
      });
    } finally {
      this.#calls.delete(id);
      if (this.#calls.size === 0) this.#child.channel?.unref();
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.ref();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** As a cell's last expression. */
  [inspect.custom](): string {
    const { pages, hosts, latencyMs, jitterMs, bytes } = this.#options;
    const jitter = jitterMs > 0 ? ` to ${latencyMs + jitterMs}` : '';
    const failing = this.failures.size > 0 ? `, ${this.failures.size} of them fail` : '';
    const state = this.#child.connected ? '' : '\nIt has ended.';
    return `Site: ${pages} pages of ${bytes} bytes on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}, ${latencyMs}${jitter} ms each${failing}\n${this.hosts.join(', ')}${state}`;
  }
}

/** The sites that `SITES` names: nothing to start, nothing to end. */
class RealSites implements Site {
  readonly urls: string[];
  readonly hosts: string[];
  readonly failures: ReadonlyMap<string, Failure> = new Map();

  constructor(sites: string, pages: number) {
    const requests = sites.split(',').map((site) => ({ site, request: toRequest(site.trim()) }));
    for (const { site, request } of requests) {
      if (typeof request === 'string') refuse('SITES', 'http or https addresses, separated by commas', site);
    }
    this.hosts = requests.map(({ site }) => site.trim());
    this.urls = Array.from({ length: pages }, (_, page) => this.hosts[page % this.hosts.length]!);
  }

  async stats(): Promise<never> {
    throw new Error("Real sites (SITES) don't tell what they served; a local one does.");
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** As a cell's last expression. */
  [inspect.custom](): string {
    return `Site: ${this.urls.length} pages of real sites (SITES)\n${this.hosts.join(', ')}`;
  }
}

function check(options: SiteOptions): Required<SiteOptions> {
  checkOptions('startSite options', options, Object.keys(DEFAULTS));
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const checked: Required<SiteOptions> = { ...DEFAULTS, ...given };
  checkWhole('pages', checked.pages, 0);
  checkWhole('hosts', checked.hosts, 1);
  checkWhole('bytes', checked.bytes, 0);
  checkWhole('seed', checked.seed, 0);
  checkWhole('recoversAfter', checked.recoversAfter, 0);
  for (const name of ['latencyMs', 'jitterMs'] as const) {
    const value: unknown = checked[name];
    if (typeof value !== 'number' || !(value >= 0 && value < 2 ** 30)) {
      refuse(name, 'a number of milliseconds, 0 or more', value);
    }
  }
  const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
  const { failures } = checked;
  if (typeof failures === 'object' && failures !== null) {
    checkOptions('failures', failures, FAILURES);
    for (const [name, share] of Object.entries(failures)) {
      if (!isShare(share)) refuse(`failures.${name}`, 'a share between 0 and 1', share);
    }
    const sum = Object.values(failures).reduce((a, b) => a + b, 0);
    if (sum > 1 + 1e-9) refuse('failures', 'shares of 1 or less together', sum);
  } else if (!isShare(failures)) {
    refuse('failures', 'a share between 0 and 1, or a share for each way to fail', failures);
  }
  return checked;
}
