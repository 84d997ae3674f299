// Property tests draw the same examples in every run, so that a change is judged by itself and not by luck. Another SEED looks elsewhere:
// `SEED=$RANDOM npm run test:unit`.
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['SEED'] ?? 1) });
