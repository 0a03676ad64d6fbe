/** In the place of the helper's `notebook`: the same names, without tslab. */

export { figure } from '../helper/notebook/figure';
export { escaped } from '../helper/notebook/html';
export { Table, type TableOptions, table } from '../helper/notebook/table';
export { type Bundle, display, inNotebook, inspectAs, quiet } from './display';
export const onInterrupt = (): (() => void) => () => {};
export const onCell = (): void => {};
