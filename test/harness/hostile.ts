/** A notebook whose outputs, prose and metadata try to run in the page, or to ask other machines for something. */

/** Each leaves its name behind where it runs. */
export const MARK = 'hits';

function run(name: string): string {
  return `(top.${MARK}=top.${MARK}||[]).push(&#39;${name}&#39;)`;
}

/** In a script element nothing is decoded. */
function script(name: string): string {
  return `<script>(top.${MARK}=top.${MARK}||[]).push('${name}')</script>`;
}

const elsewhere = 'http://192.0.2.1/';

/** HTML that runs or asks when a browser gets it as it is. */
export function html(where: string): string[] {
  return [
    script(`${where} script`),
    `<img src=x onerror="${run(`${where} onerror`)}">`,
    `<IMG SRC=x/OnErRoR="${run(`${where} OnErRoR`)}">`,
    `<svg onload="${run(`${where} svg onload`)}"></svg>`,
    `<svg><script>${`(top.${MARK}=top.${MARK}||[]).push('${where} svg script')`}</script></svg>`,
    `<svg><a xlink:href="javascript:${run(`${where} svg link`)}"><text y="20">svg link</text></a></svg>`,
    `<svg><animate onbegin="${run(`${where} animate`)}" attributeName="x" dur="1s"/></svg>`,
    `<svg><foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="${run(`${where} foreign`)}"/></body></foreignObject></svg>`,
    `<svg><style><img src=x onerror="${run(`${where} svg style`)}"></style></svg>`,
    `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${run(`${where} math`)}&gt;">`,
    `<noscript><p title="</noscript><img src=x onerror=${run(`${where} noscript`)}>"></noscript>`,
    `<iframe srcdoc="&lt;script&gt;(top.${MARK}=top.${MARK}||[]).push('${where} srcdoc')&lt;/script&gt;"></iframe>`,
    `<iframe src="javascript:${run(`${where} iframe`)}"></iframe>`,
    `<object data="${elsewhere}object"></object><embed src="${elsewhere}embed">`,
    `<a href="javascript:${run(`${where} link`)}">link</a>`,
    `<a href="java&#10;script:${run(`${where} broken link`)}">broken link</a>`,
    `<a href=" &#1;javascript:${run(`${where} control link`)}">control link</a>`,
    `<form action="javascript:${run(`${where} form`)}"><button>go</button></form>`,
    `<details open ontoggle="${run(`${where} ontoggle`)}">x</details>`,
    `<input autofocus onfocus="${run(`${where} onfocus`)}">`,
    `<video src="${elsewhere}video" autoplay></video><img src="${elsewhere}pixel" srcset="${elsewhere}set 2x">`,
    `<p style="background-image: url(${elsewhere}css)">style</p>`,
    `<style>@import '${elsewhere}import'; main { display: none }</style>`,
    `<link rel="stylesheet" href="${elsewhere}sheet"><base href="${elsewhere}">`,
    `</div></main></body>${script(`${where} closed`)}`,
    `<!-->${script(`${where} comment`)}-->`,
    `</textarea></title></style></script>${script(`${where} ended`)}`,
    `a\r\r[c](javascript:${run(`${where} carriage return`)}) ![t](${elsewhere}return.png)`,
    `a\u2028\u2028[c](javascript:${run(`${where} separator`)}) a\f\f[c](javascript:${run(`${where} form feed`)})`,
    `a&#13;&#13;[c](javascript:${run(`${where} entity`)}) ![t](${elsewhere}entity.png)`,
    '<meta http-equiv="refresh" content="0;url=http://192.0.2.1/refresh">',
  ];
}

function svg(where: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="50" height="20" onload="${run(`${where} onload`)}">` +
    `<title>"><img src=x onerror="${run(`${where} title`)}"/></title>`.replace(/<img.*?\/>/, (tag) =>
      tag.replace(/</g, '&lt;'),
    ) +
    `<script>(top.${MARK}=top.${MARK}||[]).push('${where} script')</script><image href="${elsewhere}image"/>` +
    `<a xlink:href="javascript:${run(`${where} link`)}"><rect width="50" height="20" fill="#888"/></a>` +
    `<use href="${elsewhere}use#a"/><style>@import '${elsewhere}svg-import';</style><set attributeName="href" to="javascript:1"/></svg>`
  );
}

function chart(where: string): object {
  const bad = `</script>${script(`${where} data`)}`;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    description: `"><img src=x onerror="${run(`${where} description`)}">`,
    title: bad,
    data: {
      values: [
        { name: bad, height: 1, url: `javascript:${run(`${where} href`)}` },
        { name: `a\r\r[c](javascript:${run(`${where} figure`)})`, height: 3 },
        { name: `<!--<script>`, height: 1 },
        { name: 'b', height: 2, url: `javascript:${run(`${where} href`)}` },
      ],
    },
    layer: [
      {
        mark: { type: 'bar', tooltip: { expr: `{name: datum.name, '${where}<b>': datum.height}` } },
        encoding: {
          x: { field: 'name' },
          y: { field: 'height', type: 'quantitative' },
          href: { field: 'url' },
        },
      },
      { mark: 'point', data: { url: `${elsewhere}data.json` }, encoding: { x: { field: 'name' } } },
      {
        mark: { type: 'image', url: `${elsewhere}chart-image`, width: 9, height: 9 },
        encoding: { x: { field: 'name' } },
      },
    ],
  };
}

/** @param ownProse whether the writer's own words try it as well; a post gives them on as they are */
export function hostileNotebook({ ownProse = true } = {}): string {
  const fence = (text: string) => `${text}\n\`\`\`\n\`\`\`\`\n~~~\n${text}\n</pre></code>${text}`;
  const text = (where: string) => fence(html(where).join('\n'));
  const outputs: object[] = [
    { output_type: 'stream', name: 'stdout', text: text('stdout') },
    { output_type: 'stream', name: 'stderr', text: text('stderr') },
    { output_type: 'error', ename: text('ename'), evalue: text('evalue'), traceback: [] },
    { output_type: 'error', ename: 'E', evalue: 'e', traceback: text('traceback').split('\n') },
    ...html('html').map((source) => shown({ 'text/html': source })),
    shown({
      'text/html': `\n\n    ${script('html indented')}\n\n[x](javascript:alert(1))\n\n${html('html all').join('\n\n')}`,
    }),
    shown({ 'text/markdown': `[x](javascript:${run('markdown link')})\n\n${html('markdown').join('\n\n')}` }),
    shown({ 'text/plain': text('plain') }),
    shown({ 'text/latex': `$${text('latex')}$` }),
    shown({
      'image/svg+xml': svg('svg'),
      'text/plain': `](x)"><img src=x onerror="${run('alt')}">{: onclick="x"}`,
    }),
    shown({ 'image/png': `"><img src=x onerror="${run('png')}">`, 'text/plain': 'no picture' }),
    shown({ 'image/jpeg': '/9j/', 'text/plain': `]("onerror=${run('jpeg alt')} ${script('jpeg alt')}` }),
    shown({
      'application/javascript': `(top.${MARK}=top.${MARK}||[]).push('javascript')`,
      'text/plain': 'js',
    }),
    shown({ 'application/vnd.vegalite.v5+json': chart('chart'), 'image/svg+xml': svg('chart svg') }),
    shown({ 'application/vnd.vegalite.v5+json': chart('chart alone') }),
    shown({
      'text/html': '<p>✓</p>',
      'application/vnd.tslab-parallel.check+json': { verdict: `"><img src=x onerror="${run('verdict')}">` },
    }),
  ];
  const metadata = (where: string) =>
    `"></title></script>${script(where)}<img src=x onerror="${run(where)}">`;
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' },
      language_info: { name: ownProse ? `ts" ${metadata('language')}` : 'typescript' },
      title: ownProse ? metadata('title') : 'Hostile',
      lang: ownProse ? metadata('lang') : 'en',
      description: ownProse ? metadata('description') : 'Outputs that try to run',
      date: '2024-01-02',
    },
    cells: [
      {
        cell_type: 'markdown',
        id: 'prose',
        metadata: {},
        source: ownProse
          ? `# ${html('heading').join(' ')}\n\n[x](javascript:${run('prose link')})\n\n${html('prose').join('\n\n')}`
          : 'Outputs of a program that fetched them.',
      },
      {
        cell_type: 'code',
        id: 'code',
        metadata: { tags: [metadata('tag').replaceAll(',', ' ')] },
        execution_count: 1,
        source: html('code').join('\n'),
        outputs,
      },
    ],
  });
}

function shown(data: object): object {
  return { output_type: 'display_data', metadata: {}, data };
}
