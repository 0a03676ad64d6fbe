/** Vega with its interpreter: a page's policy lets nobody make code of text, which is how Vega runs expressions otherwise. */
interface Library {
  parse(spec: object, config: unknown, options: object): object;
  View: new (runtime: object, options: object) => object;
  [name: string]: unknown;
}
const vega = require('vega-itself') as Library;
const { expressionInterpreter } = require('vega-interpreter') as { expressionInterpreter: unknown };

class View extends vega.View {
  constructor(runtime: object, options: object) {
    super(runtime, { ...options, expr: expressionInterpreter });
  }
}

module.exports = { ...vega, View, parse: (spec: object) => vega.parse(spec, null, { ast: true }) };
