export { seededRandom } from './random';
export {
  type SimulateOptions,
  Simulation,
  type SimulationItem,
  type SimulationStep,
  simulate,
} from './simulate';
