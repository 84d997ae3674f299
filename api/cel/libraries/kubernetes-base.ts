// What every expression of Kubernetes v1.36 may call besides the standard library: upstream's extensions and Kubernetes' own functions.
import type { Library } from '../types.ts';
import { authorizerLibrary } from './authorizer.ts';
import { formatLibrary } from './formats.ts';
import { kubernetesListLibrary } from './kubernetes-lists.ts';
import { listLibrary } from './lists.ts';
import { cidrLibrary, ipLibrary } from './network.ts';
import { optionalLibrary } from './optional-types.ts';
import { quantityLibrary } from './quantity.ts';
import { regexLibrary } from './regex.ts';
import { semverLibrary } from './semver.ts';
import { setLibrary } from './sets.ts';
import { stringLibrary } from './strings.ts';
import { twoVariableLibrary } from './two-variable-comprehensions.ts';
import { urlLibrary } from './urls.ts';

/** In the order in which upstream adds them: where two name one function, it tries the overloads in that order. */
export function kubernetesLibraries(): Library[] {
  return [
    urlLibrary(),
    regexLibrary(),
    kubernetesListLibrary(),
    authorizerLibrary(),
    optionalLibrary(),
    quantityLibrary(),
    stringLibrary(),
    setLibrary(),
    ipLibrary(),
    cidrLibrary(),
    formatLibrary(),
    twoVariableLibrary(),
    semverLibrary(),
    listLibrary(),
  ];
}
