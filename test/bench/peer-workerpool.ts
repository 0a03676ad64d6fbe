/** The same for workerpool. */
import * as workerpool from 'workerpool';
import square from './peer';

workerpool.worker({ square });
