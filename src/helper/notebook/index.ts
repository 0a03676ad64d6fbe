/**
 * The only room that knows tslab: shows things in the cell that is running, and hears the stop button. All of it also
 * works outside a notebook, where there is no cell: then nothing is shown.
 */
export { type Cell, onCell } from './cells';
export { type Bundle, display, inNotebook, inspectAs, quiet } from './display';
export { figure } from './figure';
export { escaped } from './html';
export { onInterrupt } from './interrupt';
export { Table, type TableOptions, table } from './table';
