/**
 * Every picture is as it was when somebody last looked at it. After a change of looks:
 * `UPDATE_SNAPSHOTS=1 npm test -- charts/snapshots`, look at what changed in test/charts/snapshots/, commit it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import Ajv from 'ajv';
import { renderSVG } from '#src/helper/charts/svg';
import { root } from '../harness/kernel';
import { pictures } from './pictures';

const folder = join(root, 'test', 'charts', 'snapshots');
const update = process.env.UPDATE_SNAPSHOTS === '1';
const isVegaLite = new Ajv({ strict: false, validateFormats: false }).compile(
  JSON.parse(readFileSync(require.resolve('vega-lite/build/vega-lite-schema.json'), 'utf8')),
);

for (const [name, draw] of Object.entries(pictures)) {
  suite(name, () => {
    const chart = draw();
    const warnings: string[] = [];
    const svg = renderSVG(chart.spec, chart.description, (words) => warnings.push(words));

    test('looks as it did', () => {
      // One element a line, so that a change can be read.
      const lines = `${svg.replaceAll('><', '>\n<')}\n`;
      const file = join(folder, `${name}.svg`);
      if (update) writeFileSync(file, lines);
      assert.equal(lines, readFileSync(file, 'utf8'));
    });

    test('is a Vega-Lite 5 spec that Vega has nothing to say about', () => {
      const plain: { $schema: string } = JSON.parse(JSON.stringify(chart.spec));
      assert.deepEqual(plain, chart.spec, 'the spec is plain JSON');
      assert.match(plain.$schema, /vega-lite\/v5\.json$/);
      assert.ok(isVegaLite(plain), JSON.stringify(isVegaLite.errors?.slice(-3)));
      assert.deepEqual(warnings, []);
    });

    test('is at most 300 KB', () => {
      const bytes = Buffer.byteLength(JSON.stringify(chart.spec)) + Buffer.byteLength(svg);
      assert.ok(bytes <= 300_000, `${bytes} bytes`);
    });

    test('has a description', () => {
      assert.match(chart.description, /^[A-Z].{9,}\.$/s);
      assert.doesNotMatch(chart.description, /NaN|undefined|null|Infinity|\[object/);
      assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
    });
  });
}

test('there is no snapshot without a picture', () => {
  const orphans = readdirSync(folder).filter((file) => !(file.replace(/\.svg$/, '') in pictures));
  if (update) for (const file of orphans) rmSync(join(folder, file));
  else assert.deepEqual(orphans, []);
});
